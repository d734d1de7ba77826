//! Where reading begins and where it ends: as people write it, and as offsets of a partition.

use std::ops::Range;

use thalweg_client::Start;
use thalweg_wire::{Offset, PartitionIndex, Timestamp};

use crate::quantities::{self, When};

/// Where to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum From {
    /// At the first record that is there.
    Beginning,
    /// Behind the last one; or so many offsets before that.
    End { back: i64 },
    /// At an offset.
    Offset(i64),
    /// At the first record of this time or later.
    Time(When),
}

/// Where to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    /// Where the partition ends when reading begins.
    End,
    /// Before this offset.
    Offset(i64),
    /// Before the first record of this time or later.
    Time(When),
}

/// `beginning`, `end`, `end-100`, an offset or a time.
///
/// # Errors
/// What it should look like.
pub(super) fn from(text: &str) -> Result<From, String> {
    let bad = || {
        format!(
            "{text} is no place to begin: write beginning, end, end-100, an offset such as 4711, or a time such as -1h"
        )
    };
    match text {
        "beginning" | "earliest" => return Ok(From::Beginning),
        "end" | "latest" => return Ok(From::End { back: 0 }),
        _ => {}
    }
    if let Some(back) = text.strip_prefix("end-") {
        return back.parse().ok().filter(|back| *back >= 0).map(|back| From::End { back }).ok_or_else(bad);
    }
    match text.parse::<u64>() {
        Ok(offset) => i64::try_from(offset).map(From::Offset).map_err(|_| bad()),
        Err(_) => quantities::instant(text).map(From::Time).map_err(|_| bad()),
    }
}

/// `end`, an offset or a time.
///
/// # Errors
/// What it should look like.
pub(super) fn until(text: &str) -> Result<Until, String> {
    let bad = || format!("{text} is no place to end: write end, an offset such as 4711, or a time such as -10m");
    if text == "end" || text == "latest" {
        return Ok(Until::End);
    }
    match text.parse::<u64>() {
        Ok(offset) => i64::try_from(offset).map(Until::Offset).map_err(|_| bad()),
        Err(_) => quantities::instant(text).map(Until::Time).map_err(|_| bad()),
    }
}

/// Partitions such as `0,4-6`, each once.
///
/// # Errors
/// What it should look like.
pub(super) fn partitions(text: &str) -> Result<Vec<PartitionIndex>, String> {
    let bad = || format!("{text} names no partitions: write 0, 0,2 or 4-6");
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.trim().split_once('-').unwrap_or((part.trim(), part.trim()));
        let [first, last] = [first, last].map(|number| number.parse::<u16>().map_err(|_| bad()));
        let (first, last) = (first?, last?);
        if first > last {
            return Err(bad());
        }
        all.extend((first..=last).map(|index| PartitionIndex(i32::from(index))));
    }
    all.sort();
    all.dedup();
    Ok(all)
}

impl From {
    /// What a partition's leader has to be asked.
    pub(super) fn question(self, now: Timestamp) -> Start {
        match self {
            From::Beginning => Start::Earliest,
            From::End { .. } => Start::Latest,
            From::Offset(offset) => Start::Offset(Offset(offset)),
            From::Time(when) => Start::Time(when.at(now)),
        }
    }

    /// Where a partition of this extent is begun, if its leader said `answer`.
    pub(super) fn place(self, answer: Offset, extent: &Range<Offset>) -> Begin {
        let wanted = match self {
            From::End { back } => Offset(answer.0.saturating_sub(back)).max(extent.start),
            _ => answer,
        };
        match () {
            () if wanted < extent.start => Begin::Gone { first: extent.start },
            () if wanted > extent.end => Begin::NotYet { end: extent.end },
            () => Begin::At(wanted),
        }
    }
}

impl Until {
    /// What a partition's leader has to be asked.
    pub(super) fn question(self, now: Timestamp) -> Start {
        match self {
            Until::End => Start::Latest,
            Until::Offset(offset) => Start::Offset(Offset(offset)),
            Until::Time(when) => Start::Time(when.at(now)),
        }
    }

    /// Whether that is a time to come: which offset it is can't be known yet.
    pub(super) fn is_ahead(self, now: Timestamp) -> bool {
        matches!(self, Until::Time(when) if when.at(now).millis() > now.millis())
    }
}

/// Where a partition is begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Begin {
    At(Offset),
    /// What was asked for is deleted; this is the first that is there.
    Gone {
        first: Offset,
    },
    /// What was asked for isn't written yet.
    NotYet {
        end: Offset,
    },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_beginning_is_a_word_an_offset_or_a_time() {
        assert_eq!(from("beginning"), Ok(From::Beginning));
        assert_eq!(from("end"), Ok(From::End { back: 0 }));
        assert_eq!(from("end-100"), Ok(From::End { back: 100 }));
        assert_eq!(from("4711"), Ok(From::Offset(4711)));
        assert_eq!(from("-1h"), Ok(From::Time(When::Ago(Duration::from_secs(3600)))));
        assert_eq!(from("@5"), Ok(From::Time(When::At(Timestamp::from_millis(5)))));
        for text in ["", "first", "end-", "end--5", "99999999999999999999", "-5", "1.5"] {
            assert!(from(text).is_err_and(|why| why.contains("end-100")), "{text}");
        }
    }

    #[test]
    fn an_end_is_a_word_an_offset_or_a_time() {
        assert_eq!(until("end"), Ok(Until::End));
        assert_eq!(until("4711"), Ok(Until::Offset(4711)));
        assert_eq!(until("@5"), Ok(Until::Time(When::At(Timestamp::from_millis(5)))));
        assert!(until("beginning").is_err_and(|why| why.contains("-10m")));
    }

    #[test]
    fn partitions_are_numbers_and_stretches() {
        let numbers = |text| partitions(text).map(|all| all.into_iter().map(|index| index.0).collect::<Vec<_>>());
        assert_eq!(numbers("3"), Ok(vec![3]));
        assert_eq!(numbers("4-6, 0,5"), Ok(vec![0, 4, 5, 6]));
        for text in ["", "a", "6-4", "-1", "1,,2", "70000"] {
            assert!(numbers(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_partition_is_begun_where_it_has_something() {
        let extent = Offset(5)..Offset(50);
        assert_eq!(From::Offset(7).place(Offset(7), &extent), Begin::At(Offset(7)));
        assert_eq!(From::Offset(50).place(Offset(50), &extent), Begin::At(Offset(50)));
        assert_eq!(From::Offset(4).place(Offset(4), &extent), Begin::Gone { first: Offset(5) });
        assert_eq!(From::Offset(51).place(Offset(51), &extent), Begin::NotYet { end: Offset(50) });
        assert_eq!(From::End { back: 10 }.place(Offset(50), &extent), Begin::At(Offset(40)));
        assert_eq!(From::End { back: 100 }.place(Offset(50), &extent), Begin::At(Offset(5)));
    }

    #[test]
    fn only_a_time_to_come_is_ahead() {
        let now = Timestamp::from_millis(1000);
        let at = |millis| Until::Time(When::At(Timestamp::from_millis(millis)));
        assert!(at(1001).is_ahead(now));
        assert!(!at(1000).is_ahead(now));
        assert!(!Until::End.is_ahead(now));
    }
}
