//! Random bytes: ids, and nothing that a replicated decision may depend on.

use thalweg_wire::Uuid;

/// A source of random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `into`.
    fn fill(&self, into: &mut [u8]);

    /// A fresh random id.
    fn uuid(&self) -> Uuid {
        let mut bits = [0; 16];
        self.fill(&mut bits);
        Uuid::from_random(bits)
    }
}
