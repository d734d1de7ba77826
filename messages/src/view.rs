//! Arrays that are read where they lie: walked once to see that they are well formed, then iterated without allocation.

use std::fmt;
use std::iter::FusedIterator;
use thalweg_wire::codec::{DecodeError, Decoder};

type Read<'a, T> = fn(&mut Decoder<'a>, i16) -> Result<T, DecodeError>;

/// The elements of an array in a frame, which can be iterated as often as one likes: cloning is free.
pub struct Elements<'a, T> {
    from: Decoder<'a>,
    version: i16,
    left: usize,
    read: Read<'a, T>,
}

impl<'a, T> Elements<'a, T> {
    /// Reads all elements once, dropping them, and leaves `from` behind the last. What this has accepted can be
    /// iterated without errors.
    pub(crate) fn walk(
        from: &mut Decoder<'a>,
        version: i16,
        element_bytes_min: usize,
        read: Read<'a, T>,
    ) -> Result<Self, DecodeError> {
        let left = from.count(element_bytes_min)?;
        let elements = Elements { from: from.clone(), version, left, read };
        for _ in 0..left {
            read(from, version)?;
        }
        Ok(elements)
    }

    /// The elements of an array that [`Elements::walk`] has accepted: `left` of them, from where `from` stands.
    pub(crate) fn walked(from: Decoder<'a>, version: i16, left: usize, read: Read<'a, T>) -> Self {
        Elements { from, version, left, read }
    }

    /// Where the first element stands.
    pub(crate) fn position(&self) -> usize {
        self.from.position()
    }
}

impl<T> Iterator for Elements<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        Some((self.read)(&mut self.from, self.version).expect("these bytes were read once without an error"))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Elements<'_, T> {}

impl<T> FusedIterator for Elements<'_, T> {}

impl<T> Clone for Elements<'_, T> {
    fn clone(&self) -> Self {
        Elements { from: self.from.clone(), ..*self }
    }
}

impl<T: fmt::Debug> fmt::Debug for Elements<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
