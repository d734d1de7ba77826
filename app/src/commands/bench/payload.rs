//! What is in the records of a benchmark: letters by chance, of which no two records in a row have the same.

/// Letters that values are cut from.
#[derive(Debug)]
pub(super) struct Payload {
    letters: Vec<u8>,
    size: usize,
}

/// How many values can be cut before they begin anew.
const BEGINS: usize = 64 << 10;

/// From one value's begin to the next one's: odd, so that all begins come before one comes again.
const STRIDE: u64 = 7919;

impl Payload {
    /// Values of so many bytes; `fill` gives chance.
    pub(super) fn new(size: usize, fill: impl FnOnce(&mut [u8])) -> Payload {
        let mut letters = vec![0; size + BEGINS];
        fill(&mut letters);
        // As compressible as text is that has nothing to say: about 4.7 bits a letter.
        letters.iter_mut().for_each(|byte| *byte = b'A' + *byte % 26);
        Payload { letters, size }
    }

    /// The value of a record.
    pub(super) fn value(&self, number: u64) -> &[u8] {
        let begin = (number.wrapping_mul(STRIDE) % BEGINS as u64) as usize;
        &self.letters[begin..begin + self.size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn values_are_letters_of_the_right_number_and_differ() {
        let mut seed = 1u32;
        let fill = |bytes: &mut [u8]| {
            bytes.iter_mut().for_each(|byte| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (seed >> 24) as u8;
            });
        };
        let payload = Payload::new(100, fill);
        let values: HashSet<&[u8]> = (0..BEGINS as u64).map(|number| payload.value(number)).collect();
        assert_eq!(values.len(), BEGINS);
        assert!(values.iter().all(|value| value.len() == 100 && value.iter().all(u8::is_ascii_uppercase)));
        assert_eq!(payload.value(3), payload.value(3 + BEGINS as u64));
        payload.value(u64::MAX);
    }
}
