//! A batch that a broker finds too long, cut in two.

use thalweg_wire::batch::{Batch, Builder, Records};

use super::Fields;

/// Some of a batch's records, in a batch of their own.
pub(super) struct Piece {
    pub(super) batch: Batch,
    /// The place that its first record had.
    pub(super) first: i32,
    /// What its records take of the producer's memory.
    pub(super) charged: usize,
}

/// A batch of ours, which is not compressed and has several records, as two of about as many bytes.
pub(super) fn halve(batch: &Batch) -> [Piece; 2] {
    let mut total = 0;
    for_each(batch, |fields| total += fields.bytes());
    let mut builders = [Builder::new(), Builder::new()];
    let (mut charged, mut left) = ([0; 2], batch.header().count());
    for_each(batch, |fields| {
        left -= 1;
        let bytes = fields.bytes();
        // Both get something, and nothing comes behind what went to the second.
        let is_first_half = charged[0] == 0 || charged[1] == 0 && left > 0 && charged[0] + bytes <= total.div_ceil(2);
        let half = usize::from(!is_first_half);
        builders[half].push(fields.timestamp, fields.key, fields.value, fields.headers);
        charged[half] += bytes;
    });
    let firsts = [0, builders[0].count()];
    let mut pieces = builders.into_iter().zip(firsts).zip(charged).map(|((builder, first), charged)| {
        let batch = builder.build().expect("there are several records: one for each half");
        Piece { batch, first, charged }
    });
    std::array::from_fn(|_| pieces.next().expect("two of them"))
}

fn for_each(batch: &Batch, mut take: impl FnMut(Fields<'_>)) {
    for record in Records::of(batch).expect("it is not compressed") {
        let record = record.expect("a batch of ours is whole");
        let headers: Vec<_> = record.headers.collect();
        take(Fields { timestamp: record.timestamp, key: record.key, value: record.value, headers: &headers });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::Timestamp;

    /// A batch with values of these lengths.
    fn batch(lengths: &[usize]) -> Batch {
        let mut builder = Builder::new();
        for (number, length) in lengths.iter().enumerate() {
            let (value, time) = ("v".repeat(*length), Timestamp::from_millis(1_000 - number as i64));
            builder.push(time, Some(b"k"), Some(value.as_bytes()), &[(b"h", None), (b"i", Some(b"x"))]);
        }
        builder.build().unwrap()
    }

    fn lengths(batch: &Batch) -> Vec<usize> {
        Records::of(batch).unwrap().map(|record| record.unwrap().value.unwrap().len()).collect()
    }

    #[test]
    fn the_halves_are_about_as_long_and_neither_is_empty() {
        for (whole, halves) in [
            (&[9, 9, 9, 9][..], [&[9, 9][..], &[9, 9]]),
            (&[9, 9], [&[9], &[9]]),
            (&[900, 9, 9], [&[900], &[9, 9]]),
            (&[9, 9, 900], [&[9, 9], &[900]]),
            (&[9, 900, 9], [&[9], &[900, 9]]),
            (&[900, 9], [&[900], &[9]]),
        ] {
            assert_eq!(halve(&batch(whole)).map(|piece| lengths(&piece.batch)), halves);
        }
    }

    #[test]
    fn every_record_is_in_one_of_them_as_it_was() {
        let whole = batch(&(0..50).map(|number| number * 37 % 400).collect::<Vec<_>>());
        let all = |batch: &Batch| {
            let records = Records::of(batch).unwrap().map(Result::unwrap);
            let owned =
                records.map(|record| (record.timestamp, record.value.unwrap().to_vec(), record.headers.count()));
            owned.collect::<Vec<_>>()
        };
        let halves = halve(&whole);
        assert_eq!(halves.iter().flat_map(|piece| all(&piece.batch)).collect::<Vec<_>>(), all(&whole));
        assert_eq!(halves[1].first, halves[0].batch.header().count());
        for Piece { batch, charged, .. } in &halves {
            assert!(batch.check() == Ok(()) && *charged >= batch.records().len());
        }
    }
}
