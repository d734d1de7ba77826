//! `thalweg consume`: prints records, of partitions that are named or as a member of a group.

mod assigned;
mod bounds;
mod grouped;
mod printer;
mod template;

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use regex::bytes::Regex;
use thalweg_client::{Assignor, Client, ConsumeError, Isolation};
use thalweg_wire::{PartitionIndex, Timestamp};

use self::bounds::{From, Until};
use self::printer::{Printer, Style};
use self::template::Template;
use crate::failure::{Exit, Failure};
use crate::quantities;
use crate::reach::{self, Missing, Reach};
use crate::signals::Signals;

/// Print records: those that are there, and those that come.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Consume {
    /// The topics
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,

    /// Where to begin: 'beginning', 'end', 'end-100' (so many offsets before it), an offset, or a time (-1h, 2026-01-31,
    /// 2026-01-31T12:00:00Z, @1700000000000). A group goes on where it is, and begins there where it was never [default:
    /// beginning]
    #[arg(short, long, value_name = "WHERE", value_parser = bounds::from, allow_hyphen_values = true)]
    from: Option<From>,

    /// Where to end: 'end' (what is there now), or before an offset or a time [default: never]
    #[arg(short, long, value_name = "WHERE", value_parser = bounds::until, allow_hyphen_values = true)]
    until: Option<Until>,

    /// End after so many records
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<u64>,

    /// End once nothing has come for so long, such as 5s
    #[arg(long, value_name = "DURATION", value_parser = quantities::duration)]
    idle: Option<Duration>,

    /// Only these partitions, such as 0 or 0,4-6
    #[arg(short, long, value_name = "LIST", value_parser = bounds::partitions, conflicts_with = "group")]
    partitions: Option<Partitions>,

    /// Only records in whose key or value this regular expression is found
    #[arg(long, value_name = "REGEX", value_parser = pattern)]
    grep: Option<Regex>,

    /// Those of open and aborted transactions, too
    #[arg(long)]
    uncommitted: bool,

    #[command(flatten)]
    membership: Membership,

    #[command(flatten)]
    look: Look,

    #[command(flatten)]
    reach: Reach,
}

type Partitions = Vec<PartitionIndex>;

/// How it takes part in a group.
#[derive(Args)]
#[command(next_help_heading = "Group")]
struct Membership {
    /// Read as a member of this group: partitions are shared with its other members, and what was printed is committed
    #[arg(short, long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    group: Option<String>,

    /// A name in the group under which it keeps its partitions over a restart
    #[arg(long, value_name = "NAME", requires = "group")]
    instance: Option<String>,

    /// How the group shares out partitions; all members have to know it [default: range, then cooperative-sticky]
    #[arg(long, value_enum, value_name = "HOW", requires = "group")]
    assignor: Option<Sharing>,

    /// Commit nothing: the group stays where it is
    #[arg(long, requires = "group")]
    no_commit: bool,
}

// Their values are Kafka's words, which say it all.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Sharing {
    Range,
    Roundrobin,
    Sticky,
    CooperativeSticky,
}

/// How records look.
#[derive(Args)]
#[command(next_help_heading = "Output")]
struct Look {
    /// How a record is printed: text in which {topic}, {partition}, {offset}, {timestamp}, {time}, {key}, {value}, {headers},
    /// {header.NAME}, {key_size} and {value_size} stand for what they say; {value:hex}, :base64 and :json write it so; \n,
    /// \t, \0 and \x1f are what they are [default: {value}]
    #[arg(long, value_name = "TEMPLATE", value_parser = Template::parse, conflicts_with = "output")]
    format: Option<Template>,

    /// What stands behind each record, instead of a line's end
    #[arg(long, value_name = "TEXT", value_parser = bytes, conflicts_with = "output")]
    separator: Option<Bytes>,

    /// What is printed for a key or a value that isn't there [default: nothing]
    #[arg(long, value_name = "TEXT", value_parser = bytes, conflicts_with = "output")]
    null: Option<Bytes>,

    /// A line for each record: by its template, or as a JSON object, which 'thalweg produce --json' reads
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Format,
}

// As in the other verbs: the flag's help says it.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum, Debug)]
enum Format {
    #[default]
    Text,
    Json,
}

type Bytes = Vec<u8>;

const EXAMPLES: &str = "\
Examples:
  thalweg consume orders
      what is there, and what comes, until Ctrl-C
  thalweg consume orders --from -1h --until end
      what came within the last hour
  thalweg consume orders --from end-10 --until end --format '{time} {key}: {value}'
      about the last ten records of each partition
  thalweg consume orders --grep 'error|timeout' -n 1 -o json
      the first record with one of these words, with everything that is known of it
  thalweg consume orders --group billing
      what nobody of the group has printed yet; started again, it goes on there";

impl Consume {
    /// Does what the command line asks for.
    pub(super) fn run(self) -> Result<(), Failure> {
        let now = self.check()?;
        let client = self.reach.client(Missing::StayMissing)?;
        reach::runtime(async {
            let mut signals = Signals::listen()?;
            match &self.membership.group {
                Some(group) => grouped::read(&self, group, client, now, &mut signals).await,
                None => assigned::read(&self, client, now, &mut signals).await,
            }
        })
    }

    /// Refuses what can't be meant; gives the time that it is.
    fn check(&self) -> Result<Timestamp, Failure> {
        let now = reach::world()?.clock.wall();
        if self.until.is_some_and(|until| until.is_ahead(now)) {
            let next = "leave it out, and end with Ctrl-C, or with --idle once nothing comes";
            return Err(Failure::new(Exit::Usage, "--until is a time to come", next));
        }
        if self.membership.group.is_some() && !matches!(self.from, None | Some(From::Beginning | From::End { back: 0 }))
        {
            let next = "'thalweg group reset' moves it; --from may be beginning or end, for where it has never been";
            return Err(Failure::new(Exit::Usage, "a group goes on where it is", next));
        }
        Ok(now)
    }

    fn isolation(&self) -> Isolation {
        if self.uncommitted { Isolation::ReadUncommitted } else { Isolation::ReadCommitted }
    }

    fn printer(&self) -> Printer {
        let style = match self.look.output {
            Format::Json => Style::Json,
            Format::Text => Style::Template {
                template: self.look.format.clone().unwrap_or_else(Template::value),
                separator: self.look.separator.clone().unwrap_or_else(|| b"\n".to_vec()),
                null: self.look.null.clone().unwrap_or_default(),
            },
        };
        Printer::new(style, self.grep.clone(), self.count)
    }

    /// Ctrl-C. That is how what has no end is meant to end.
    fn interrupted(&self, printer: &Printer) -> Result<(), Failure> {
        if self.until.is_none() && self.count.is_none() {
            return Ok(());
        }
        let records = printer.printed();
        let next = "what was printed is whole; --from goes on where it ends";
        Err(Failure::new(Exit::Interrupted, format!("interrupted after {records} records, before the end"), next))
    }

    /// Waits for what comes next, for as long as it may take; `None`: it took longer.
    async fn within_idle<T>(&self, client: &Client, next: impl Future<Output = T>) -> Option<T> {
        match self.idle {
            None => Some(next.await),
            Some(idle) => tokio::select! {
                biased;
                next = next => Some(next),
                () = client.world().clock.sleep(idle) => None,
            },
        }
    }
}

impl std::convert::From<Sharing> for Assignor {
    fn from(sharing: Sharing) -> Assignor {
        match sharing {
            Sharing::Range => Assignor::Range,
            Sharing::Roundrobin => Assignor::RoundRobin,
            Sharing::Sticky => Assignor::Sticky,
            Sharing::CooperativeSticky => Assignor::CooperativeSticky,
        }
    }
}

/// Why nothing more can be read.
fn unreadable(error: &ConsumeError) -> Failure {
    let what = error.to_string();
    match error {
        ConsumeError::OutOfRange { topic, .. } => {
            let next = format!("it was deleted meanwhile: 'thalweg topic describe {topic}' shows what is there");
            Failure::new(Exit::Failed, what, next)
        }
        ConsumeError::Refused { code, .. } | ConsumeError::Topic { code, .. } => Failure::refused(*code, what),
        ConsumeError::Group { code } => Failure::refused(*code, what),
        ConsumeError::Damaged(damaged) => {
            let next = match damaged.next {
                Some(next) => format!("--partitions {} --from {next} goes on behind it", damaged.partition.0),
                None => {
                    "what lies behind it can't be found: 'thalweg verify' of the broker's data says more".to_owned()
                }
            };
            Failure::new(Exit::Failed, what, next)
        }
        ConsumeError::NothingCommitted { .. } | ConsumeError::Closed => {
            Failure::new(Exit::Failed, what, "try it again")
        }
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string())
}

fn bytes(text: &str) -> Result<Bytes, String> {
    template::unescaped(text)
}
