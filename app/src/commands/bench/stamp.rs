//! What a record of 'bench latency' says of itself: whoever reads it knows how long it took.

use thalweg_wire::Moment;

/// The first bytes of a record: whose it is, which one, and when it was due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    pub(super) run: u64,
    pub(super) number: u64,
    pub(super) due: Moment,
}

/// How many they are.
pub(super) const STAMP_BYTES: usize = 24;

/// The number of records that aren't counted.
pub(super) const WARM_UP: u64 = u64::MAX;

impl Stamp {
    /// Writes it over the first bytes of a value.
    pub(super) fn put(self, value: &mut [u8]) {
        for (place, number) in [self.run, self.number, self.due.nanos()].into_iter().enumerate() {
            value[place * 8..][..8].copy_from_slice(&number.to_be_bytes());
        }
    }

    /// `None` for what nobody stamped, or another did.
    pub(super) fn read(run: u64, value: &[u8]) -> Option<Stamp> {
        let number = |place: usize| Some(u64::from_be_bytes(value.get(place * 8..)?.get(..8)?.try_into().ok()?));
        let stamp = Stamp { run: number(0)?, number: number(1)?, due: Moment::from_nanos(number(2)?) };
        (stamp.run == run).then_some(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_whose_it_is_and_when_it_was_due() {
        let stamp = Stamp { run: 7, number: 3, due: Moment::from_nanos(12_345) };
        let mut value = vec![b'x'; 30];
        stamp.put(&mut value);
        assert_eq!(Stamp::read(7, &value), Some(stamp));
        assert_eq!(Stamp::read(8, &value), None, "another's");
        assert_eq!(Stamp::read(7, &value[..STAMP_BYTES - 1]), None, "too short");
    }
}
