//! Which frames of the journal a write past it still needs, and which no checkpoint may name meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The writes on their way, each behind the frame that cuts it off after a crash.
#[derive(Default)]
pub(super) struct Fences {
    state: Mutex<State>,
    ended: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    /// The newest frame that a checkpoint has named, or is about to.
    passed: u64,
    /// Frames that are needed, and by how many.
    needed: BTreeMap<u64, usize>,
}

/// The right to write behind a frame; it ends when this is dropped.
pub struct Fence {
    fences: Arc<Fences>,
    sequence: u64,
}

/// Whether a checkpoint may name the frames.
#[derive(PartialEq, Eq)]
enum Passed {
    Free,
    Waits,
}

impl Fences {
    pub(super) fn begin(fences: &Arc<Fences>, sequence: u64) -> Option<Fence> {
        let mut state = fences.lock();
        if sequence <= state.passed {
            return None;
        }
        *state.needed.entry(sequence).or_default() += 1;
        Some(Fence { fences: fences.clone(), sequence })
    }

    pub(super) async fn passed(&self, sequence: u64) {
        let mut ended = self.ended.subscribe();
        while self.pass(sequence) == Passed::Waits {
            // The sender is this.
            let _ = ended.changed().await;
        }
    }

    fn pass(&self, sequence: u64) -> Passed {
        let mut state = self.lock();
        state.passed = state.passed.max(sequence);
        let is_needed = state.needed.first_key_value().is_some_and(|(needed, _)| *needed <= sequence);
        if is_needed { Passed::Waits } else { Passed::Free }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        let mut state = self.fences.lock();
        if let Some(count) = state.needed.get_mut(&self.sequence) {
            *count -= 1;
            if *count == 0 {
                state.needed.remove(&self.sequence);
            }
        }
        drop(state);
        self.fences.ended.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_checkpoint_waits_for_the_writes_behind_what_it_names_and_for_no_others() {
        let fences = Arc::new(Fences::default());
        let (first, second) = (Fences::begin(&fences, 5).unwrap(), Fences::begin(&fences, 5).unwrap());
        let later = Fences::begin(&fences, 7).unwrap();
        let mut passed = pin!(fences.passed(6));
        let mut look = || passed.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(look(), Poll::Pending);
        drop(first);
        assert_eq!(look(), Poll::Pending, "another write needs that frame");
        drop(second);
        assert_eq!(look(), Poll::Ready(()));
        drop(later);
    }

    #[test]
    fn nothing_is_written_behind_what_a_checkpoint_has_named_or_is_about_to() {
        let fences = Arc::new(Fences::default());
        let held = Fences::begin(&fences, 5).unwrap();
        assert!(fences.pass(5) == Passed::Waits);
        assert!(Fences::begin(&fences, 5).is_none() && Fences::begin(&fences, 4).is_none());
        assert!(Fences::begin(&fences, 6).is_some());
        drop(held);
        assert!(fences.pass(3) == Passed::Free && Fences::begin(&fences, 5).is_none(), "a checkpoint never goes back");
    }
}
