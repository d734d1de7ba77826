//! A file's bytes, kept sparsely: what is zero takes no memory, and copies share what they have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::rng::Digest;

const PAGE: usize = 4096;
const ZEROS: [u8; PAGE] = [0; PAGE];

/// Bytes `0..size`. Outside of the pages all is zero; no byte at or past the size is anything else.
#[derive(Clone, Default)]
pub(super) struct Pages {
    size: u64,
    pages: BTreeMap<u64, Arc<[u8; PAGE]>>,
}

impl Pages {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Reads until `into` is full or the bytes end; says how many bytes that were.
    pub(super) fn read(&self, into: &mut [u8], at: u64) -> usize {
        let there = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX).min(into.len());
        for (page, within, piece) in pieces(at, there) {
            let target = &mut into[piece];
            match self.pages.get(&page) {
                Some(bytes) => target.copy_from_slice(&bytes[within..within + target.len()]),
                None => target.fill(0),
            }
        }
        there
    }

    pub(super) fn write(&mut self, bytes: &[u8], at: u64) {
        if bytes.is_empty() {
            return;
        }
        self.size = self.size.max(at + bytes.len() as u64);
        for (page, within, piece) in pieces(at, bytes.len()) {
            let source = &bytes[piece];
            let is_zero = source == &ZEROS[..source.len()];
            if is_zero && source.len() == PAGE {
                self.pages.remove(&page);
            } else if !is_zero || self.pages.contains_key(&page) {
                let target = Arc::make_mut(self.pages.entry(page).or_insert_with(|| Arc::new(ZEROS)));
                target[within..within + source.len()].copy_from_slice(source);
            }
        }
    }

    /// Cuts, or extends with zeros.
    pub(super) fn set_size(&mut self, size: u64) {
        if size < self.size {
            self.pages.split_off(&size.div_ceil(PAGE as u64));
            let within = (size % PAGE as u64) as usize;
            if within > 0
                && let Some(last) = self.pages.get_mut(&(size / PAGE as u64))
            {
                Arc::make_mut(last)[within..].fill(0);
            }
        }
        self.size = size;
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.size).unwrap_or(usize::MAX)];
        self.read(&mut bytes, 0);
        bytes
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.number(self.size);
        for (number, page) in &self.pages {
            if **page != ZEROS {
                into.number(*number);
                into.bytes(&page[..]);
            }
        }
    }
}

/// Cuts `at..at + length` at page borders: page, position within it, and the piece of the whole.
fn pieces(at: u64, length: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        (done < length).then(|| {
            let place = at + done as u64;
            let within = (place % PAGE as u64) as usize;
            let start = done;
            done = (start + PAGE - within).min(length);
            (place / PAGE as u64, within, start..done)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::rng::Rng;

    /// Sparse pages are an optimisation: they must be indistinguishable from one plain vector.
    #[test]
    fn pages_behave_as_a_plain_vector_would() {
        let mut rng = Rng::new(3);
        let (mut pages, mut plain) = (Pages::default(), Vec::new());
        for _ in 0..2000 {
            let at = rng.below(20_000) as usize;
            match rng.below(4) {
                0 => {
                    pages.set_size(at as u64);
                    plain.resize(at, 0);
                }
                kind => {
                    let mut bytes = vec![0; rng.below(9000) as usize];
                    if kind == 1 {
                        rng.fill(&mut bytes);
                    }
                    if !bytes.is_empty() {
                        plain.resize(plain.len().max(at + bytes.len()), 0);
                        plain[at..at + bytes.len()].copy_from_slice(&bytes);
                    }
                    pages.write(&bytes, at as u64);
                }
            }
            assert_eq!(pages.size(), plain.len() as u64);
            let mut read = vec![9; 5000];
            let got = pages.read(&mut read, at as u64);
            let expected = plain.get(at..).unwrap_or_default();
            assert_eq!(got, expected.len().min(5000));
            assert_eq!(read[..got], expected[..got]);
        }
        assert_eq!(pages.to_vec(), plain);
    }
}
