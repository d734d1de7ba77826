//! What became of records: how many are there, which are not, and why.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use thalweg_client::{ClientError, DeliveryError, SendError};
use thalweg_wire::ErrorCode;

use crate::failure::{Exit, Failure, said, way_out};
use crate::quantities::shown_size;

/// Where a record was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// Which of the inputs.
    pub(super) source: usize,
    /// From 1; 0 is the whole of it.
    pub(super) line: u64,
}

impl Place {
    /// As people find it: `orders.txt:3`.
    pub(super) fn named(self, sources: &[String]) -> String {
        let source = sources.get(self.source).map_or("?", String::as_str);
        match self.line {
            0 => source.to_owned(),
            line => format!("{source}:{line}"),
        }
    }
}

/// Why a record is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::commands) struct Why {
    exit: Exit,
    what: String,
    next: String,
    outlook: Outlook,
}

/// How those behind it will fare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outlook {
    /// Maybe better.
    Open,
    /// Alike.
    Hopeless,
}

impl Why {
    /// Whether those behind it will fare alike.
    pub(super) fn is_hopeless(&self) -> bool {
        self.outlook == Outlook::Hopeless
    }

    fn refused(code: ErrorCode, what: &str) -> Why {
        let outlook = Outlook::Open;
        Why { exit: Exit::Refused, what: said(what, code), next: way_out(code).to_owned(), outlook }
    }

    /// As what went wrong with something.
    pub(in crate::commands) fn with(&self, something: &str) -> Failure {
        Failure::new(self.exit, format!("{something}: {}", self.what), &self.next)
    }
}

impl From<DeliveryError> for Why {
    fn from(error: DeliveryError) -> Why {
        let what = error.to_string();
        let (exit, what, next, outlook) = match error {
            DeliveryError::Refused { code, message } => return Why::refused(code, &message),
            DeliveryError::TimedOut { .. } => {
                let next = "it may be there or not: look before sending it again; --timeout gives it longer";
                (Exit::Unreachable, what, next, Outlook::Hopeless)
            }
            DeliveryError::Unknown | DeliveryError::Closed => {
                (Exit::Failed, what, "it may be there or not: look before sending it again", Outlook::Open)
            }
        };
        Why { exit, what, next: next.to_owned(), outlook }
    }
}

impl From<SendError> for Why {
    fn from(error: SendError) -> Why {
        let what = error.to_string();
        let (exit, next, outlook) = match error {
            SendError::TooLarge { .. } => (Exit::Refused, "--max-record-bytes allows larger ones", Outlook::Open),
            SendError::NoPartition { .. } => {
                (Exit::Refused, "'thalweg topic describe NAME' shows the partitions", Outlook::Open)
            }
            SendError::Topic(ClientError::Refused { code, what }) => {
                return Why { outlook: Outlook::Hopeless, ..Why::refused(code, &what) };
            }
            SendError::Topic(_) | SendError::Full => {
                let next = "'thalweg cluster status' shows whether the cluster is well";
                (Exit::Unreachable, next, Outlook::Hopeless)
            }
            SendError::Closed => (Exit::Failed, way_out(ErrorCode::UnknownServerError), Outlook::Hopeless),
        };
        Why { exit, what, next: next.to_owned(), outlook }
    }
}

/// How many it was.
#[derive(Default, Debug)]
pub(super) struct Tally {
    there: u64,
    bytes: u64,
    missing: u64,
    /// By their reason, in the order in which those were met.
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    why: Why,
    count: u64,
    /// The first of them.
    places: Vec<Place>,
}

/// Reasons that are told apart, and places that are named of each: the rest are counted.
const GROUPS_MAX: usize = 10;
const PLACES_MAX: usize = 5;

impl Tally {
    /// A record is there.
    pub(super) fn arrived(&mut self, bytes: u64) {
        self.there += 1;
        self.bytes += bytes;
    }

    /// One is not.
    pub(super) fn failed(&mut self, place: Place, why: Why) {
        self.missing += 1;
        let is_full = self.groups.len() >= GROUPS_MAX;
        match self.groups.iter_mut().find(|group| group.why == why) {
            Some(group) => {
                group.count += 1;
                if group.places.len() < PLACES_MAX {
                    group.places.push(place);
                }
            }
            None if is_full => {}
            None => self.groups.push(Group { why, count: 1, places: vec![place] }),
        }
    }

    /// What it came to, in so long.
    pub(super) fn told(&self, span: Duration) -> Told {
        let seconds = span.as_secs_f64();
        let records_per_second = if seconds > 0.0 { (self.there as f64 / seconds).round() as u64 } else { 0 };
        Told {
            records: self.there,
            failed: self.missing,
            bytes: self.bytes,
            seconds: (seconds * 1000.0).round() / 1000.0,
            records_per_second,
        }
    }

    /// `3 records are there, 1 is not`.
    pub(super) fn counts(&self) -> String {
        let are = |count: u64| if count == 1 { "is" } else { "are" };
        let there = format!("{} {} there", counted(self.there), are(self.there));
        match self.missing {
            0 => there,
            missing => format!("{there}, {missing} {} not", are(missing)),
        }
    }

    /// Those that are not there, with where they stand and why; `None` if there are none.
    pub(super) fn failure(&self, sources: &[String]) -> Option<Failure> {
        let first = self.groups.first()?;
        let is_one_kind = self.groups.iter().all(|group| group.why.exit == first.why.exit);
        let exit = if is_one_kind { first.why.exit } else { Exit::Failed };
        let failures = self.groups.iter().map(|group| group.failure(sources));
        Some(failures.fold(Failure::in_one_line(exit, self.counts()), Failure::also))
    }
}

impl Group {
    fn failure(&self, sources: &[String]) -> Failure {
        let places: Vec<String> = self.places.iter().map(|place| place.named(sources)).collect();
        let more = match self.count - self.places.len() as u64 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        self.why.with(&format!("{}{more}", places.join(", ")))
    }
}

/// So many records, as people say it.
fn counted(records: u64) -> String {
    format!("{records} {}", if records == 1 { "record" } else { "records" })
}

/// What was sent, for who asks.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub(super) struct Told {
    records: u64,
    failed: u64,
    bytes: u64,
    seconds: f64,
    records_per_second: u64,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { records, bytes, seconds, records_per_second, .. } = self;
        write!(f, "{}, {}, {seconds:.3} s, {records_per_second} records/s", counted(*records), shown_size(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u64) -> Place {
        Place { source: 0, line }
    }

    fn too_large() -> Why {
        DeliveryError::Refused { code: ErrorCode::MessageTooLarge, message: "too large.".to_owned() }.into()
    }

    fn sources() -> Vec<String> {
        vec!["a.txt".to_owned()]
    }

    #[test]
    fn records_that_are_not_there_are_told_by_their_reason() {
        let mut tally = Tally::default();
        tally.arrived(5);
        (1..=7).for_each(|line| tally.failed(at(line), too_large()));
        tally.failed(Place { source: 0, line: 0 }, SendError::TooLarge { bytes: 9, max: 8 }.into());
        let failure = tally.failure(&sources()).unwrap();
        assert_eq!(failure.exit(), Exit::Refused);
        assert_eq!(
            failure.to_string(),
            "thalweg: 1 record is there, 8 are not\n\
             thalweg: a.txt:1, a.txt:2, a.txt:3, a.txt:4, a.txt:5 and 2 more: too large (MESSAGE_TOO_LARGE)\n  \
             'thalweg topic alter NAME --config max.message.bytes=4MiB' allows larger ones\n\
             thalweg: a.txt: the record takes 9 bytes, and 8 may be\n  --max-record-bytes allows larger ones\n"
        );
    }

    #[test]
    fn reasons_of_several_kinds_make_a_failure_of_all() {
        let mut tally = Tally::default();
        assert_eq!(tally.failure(&sources()), None);
        tally.failed(at(1), too_large());
        tally.failed(at(2), DeliveryError::TimedOut { reason: "x".to_owned() }.into());
        assert_eq!(tally.failure(&sources()).unwrap().exit(), Exit::Failed);
    }

    #[test]
    fn no_more_reasons_are_kept_than_can_be_read() {
        let mut tally = Tally::default();
        for line in 1..=30 {
            tally.failed(at(line), SendError::TooLarge { bytes: usize::try_from(line).unwrap(), max: 0 }.into());
        }
        let failure = tally.failure(&sources()).unwrap().to_string();
        assert!(
            failure.contains("30 are not") && failure.contains("a.txt:10:") && !failure.contains("a.txt:11"),
            "{failure}"
        );
    }

    #[test]
    fn what_all_will_meet_makes_the_rest_hopeless() {
        let code = ErrorCode::TopicAuthorizationFailed;
        let forbidden = Why::from(SendError::Topic(ClientError::Refused { code, what: "topic t".to_owned() }));
        assert_eq!((forbidden.is_hopeless(), forbidden.exit), (true, Exit::Refused));
        assert!(Why::from(SendError::Full).is_hopeless());
        assert!(!too_large().is_hopeless() && !Why::from(DeliveryError::Unknown).is_hopeless());
    }

    #[test]
    fn what_was_sent_is_told_in_a_line() {
        let mut tally = Tally::default();
        tally.arrived(2048);
        tally.arrived(0);
        assert_eq!(tally.told(Duration::from_millis(500)).to_string(), "2 records, 2.0 KiB, 0.500 s, 4 records/s");
        assert_eq!(tally.counts(), "2 records are there");
        assert_eq!(Tally::default().told(Duration::ZERO).records_per_second, 0);
    }
}
