//! `thalweg produce`: writes lines and files to a topic.

mod json;
mod record;
mod sending;
mod sources;
mod split;
mod tally;
mod topic;
mod writing;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
pub(super) use tally::Why;
pub(super) use writing::{Writing, options};

use crate::failure::{Exit, Failure};
use crate::output::{self, Output};
use crate::pace::{self, Pace, Rate};
use crate::progress::Progress;
use crate::quantities;
use crate::reach::{self, Missing, Reach};
use crate::signals::{self, Stop};
use record::{Form, To};
use sending::{Ended, Sending};
use sources::{Portion, Rules, Source};

/// Write records to a topic: the lines of stdin, or of files.
///
/// A topic that isn't there is made, where the broker allows that (auto.create.topics.enable). Of a line only its end ('\n') is
/// taken away. Ctrl-C sends what was read, waits for it, and says what is there; a second one doesn't wait.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Produce {
    /// The topic
    topic: String,

    /// Files to read, one after the other; '-' is stdin [default: -]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Each file is one value, whatever is in it
    #[arg(long, help_heading = "Input")]
    whole: bool,

    /// Each line is an object: {"key", "value", "headers", "partition", "timestamp"}, of which only "value" has to be there
    #[arg(long, conflicts_with = "whole", help_heading = "Input")]
    json: bool,

    /// What stands between a key and a value, such as ':' or '\t'; without it a line is a value
    #[arg(short = 'K', long, value_name = "SEP", value_parser = separator, conflicts_with_all = ["whole", "json"], help_heading = "Input")]
    key_separator: Option<String>,

    /// A value, or a key, that is this word is none: a record without a value deletes what its key has
    #[arg(long, value_name = "WORD", conflicts_with_all = ["whole", "json"], help_heading = "Input")]
    null: Option<String>,

    /// The longest line, or file
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = record_bytes, help_heading = "Input")]
    max_record_bytes: usize,

    /// A header of every record; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = header, help_heading = "Writing")]
    header: Vec<(String, String)>,

    /// Where records go that don't say it themselves [default: by their key; without one, a batch here, a batch there]
    #[arg(short, long, value_name = "P", value_parser = clap::value_parser!(i32).range(0..), help_heading = "Writing")]
    partition: Option<i32>,

    /// How many records are sent, evenly: 100/s, 5k/s, 30/m [default: as fast as they come]
    #[arg(long, value_name = "RATE", value_parser = pace::rate, help_heading = "Writing")]
    rate: Option<Rate>,

    #[command(flatten)]
    writing: Writing,

    /// Say what was sent, on stderr, where that is no terminal, too
    #[arg(short, long, help_heading = "Output")]
    verbose: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = r#"Examples:
  echo hello | thalweg produce greetings
      one record
  thalweg produce prices -K : --null - < prices.txt
      lines such as 'apple:3', and 'apple:-' to delete
  thalweg produce orders --json orders.jsonl
      lines such as {"key": "17", "value": "...", "headers": {"trace": "a1"}}; {"base64": "AAE="} stands for what is no text
  thalweg produce pictures --whole *.png --max-record-bytes 4MiB --compression zstd
      each file is a record"#;

/// The most that `--max-record-bytes` takes: with what is around it, it fits into a request.
const RECORD_BYTES_MAX: u64 = 256 << 20;

fn record_bytes(text: &str) -> Result<usize, String> {
    match quantities::size(text)? {
        0 => Err("a record has more than nothing: write 64KiB, 1MiB".to_owned()),
        bytes @ ..=RECORD_BYTES_MAX => usize::try_from(bytes).map_err(|_| format!("{text} is too large")),
        _ => Err(format!("{text} is too large: 256MiB is the most")),
    }
}

fn separator(text: &str) -> Result<String, String> {
    match text.replace("\\t", "\t") {
        text if text.is_empty() => Err("nothing can't stand between a key and a value: write ':' or '\\t'".to_owned()),
        text => Ok(text),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE, for example trace=a1".to_owned()),
    }
}

impl Produce {
    /// Does what the command line asks for.
    pub(super) fn run(self) -> Result<(), Failure> {
        reach::runtime(self.produce())
    }

    async fn produce(&self) -> Result<(), Failure> {
        let client = self.reach.client(Missing::AreMade)?;
        let world = client.world().clone();
        let stop = Stop::new();
        let sources = self.sources();
        let names: Vec<String> = sources.iter().map(Source::name).collect();
        let looked = signals::gently(&stop, async {
            let found = topic::find(&client, &self.topic, self.reach.timeout());
            tokio::select! {
                biased;
                () = stop.asked() => Err(Failure::interrupted()),
                found = found => found,
            }
        });
        let found = looked.await?.unwrap_or_else(|| Err(Failure::interrupted()))?;
        found.has(self.partition)?;
        if found.is_new && self.is_told() {
            output::note(&format!("topic {} was not there: it is made, partitions {}", self.topic, found.partitions))?;
        }
        let mut came = sources::read(world.disk.clone(), sources.clone(), self.rules())?;
        let options = options(self.max_record_bytes, self.reach.timeout());
        let producer = self.writing.producer(client, &options)?;
        let mut sending = Sending::new(world, producer, &self.topic, stop.clone(), self.progress(&sources));
        sending.pace = self.rate.map(|rate| Pace::new(rate, sending.began));
        let headers = self.header.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes()));
        sending.to = To { headers: headers.collect(), partition: self.partition };
        let ended = signals::gently(&stop, sending.run(&mut came)).await?;
        self.tell(&sending, ended, &names)
    }

    fn sources(&self) -> Vec<Source> {
        match self.files.as_slice() {
            [] => vec![Source::Stdin],
            files => files.iter().map(|path| Source::of(path)).collect(),
        }
    }

    fn rules(&self) -> Rules {
        let bytes = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let portion = match (self.whole, self.json) {
            (true, _) => Portion::Whole,
            (_, true) => Portion::Lines(Form::Json),
            _ => Portion::Lines(Form::Line { separator: bytes(&self.key_separator), null: bytes(&self.null) }),
        };
        Rules { portion, bytes_max: self.max_record_bytes }
    }

    /// Where somebody types the lines, nothing is written between them.
    fn progress(&self, sources: &[Source]) -> Progress {
        match sources.contains(&Source::Stdin) && std::io::stdin().is_terminal() {
            true => Progress::hidden(),
            false => Progress::new(),
        }
    }

    fn is_told(&self) -> bool {
        self.verbose || std::io::stderr().is_terminal()
    }

    fn tell(&self, sending: &Sending<'_>, ended: Option<Ended>, sources: &[String]) -> Result<(), Failure> {
        let tally = &sending.tally;
        let told = tally.told(sending.now().since(sending.began));
        if self.output.is_json() {
            self.output.describe(&told, String::new)?;
        } else if self.is_told() {
            output::note(&told.to_string())?;
        }
        let missing = tally.failure(sources);
        let with = |failure: Failure| match &missing {
            Some(missing) => failure.also(missing.clone()),
            None => failure,
        };
        match ended {
            Some(Ended::AllSent) => missing.map_or(Ok(()), Err),
            Some(Ended::Hopeless) => {
                let rest = Failure::in_one_line(Exit::Failed, rest(sending, sources));
                Err(missing.map_or(rest.clone(), |missing| missing.also(rest)))
            }
            Some(Ended::Unreadable(failure)) => {
                let failure =
                    failure.also(Failure::in_one_line(Exit::Failed, format!("before it: {}", tally.counts())));
                Err(with(failure))
            }
            Some(Ended::Stopped) => {
                let what = format!("interrupted: {}", tally.counts());
                Err(with(Failure::new(Exit::Interrupted, what, rest(sending, sources))))
            }
            None => {
                let what = format!("interrupted: {}, of {} nobody knows", tally.counts(), sending.unsettled());
                Err(with(Failure::new(Exit::Interrupted, what, rest(sending, sources))))
            }
        }
    }
}

/// Where to go on.
fn rest(sending: &Sending<'_>, sources: &[String]) -> String {
    match sending.last {
        Some(last) => format!("what stands behind {} was not sent", last.named(sources)),
        None => "nothing was sent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_a_name_and_a_value_which_may_be_empty_or_have_an_equals_sign() {
        assert_eq!(header("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(header("a="), Ok(("a".to_owned(), String::new())));
        assert!(header("a").is_err() && header("=a").is_err());
    }

    #[test]
    fn a_tab_is_written_as_in_other_tools_and_nothing_separates_nothing() {
        assert_eq!(separator("\\t"), Ok("\t".to_owned()));
        assert_eq!(separator("::"), Ok("::".to_owned()));
        assert!(separator("").is_err());
    }

    #[test]
    fn a_record_is_not_larger_than_a_length_can_say() {
        assert_eq!(record_bytes("4MiB"), Ok(4 << 20));
        assert!(record_bytes("0").is_err() && record_bytes("2GiB").is_err() && record_bytes("x").is_err());
    }
}
