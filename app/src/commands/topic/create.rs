//! `thalweg topic create`.

use clap::Args;
use serde::Serialize;
use thalweg_client::admin::{CreatedTopic, Mode, NewTopic};
use thalweg_client::{Admin, Client};
use thalweg_wire::ErrorCode;

use super::refusal;
use crate::commands::config::setting;
use crate::failure::Failure;
use crate::output::Output;
use crate::reach::Reach;

/// Make topics.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Create {
    /// Their names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// How many partitions each has [default: as the broker's num.partitions says]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,

    /// How many brokers have each partition [default: as the broker's default.replication.factor says]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,

    /// A setting of the topic; may be repeated. What takes milliseconds or bytes may be given as 7d or 64MiB
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,

    /// It is no failure if a topic is there already; it stays as it is
    #[arg(long)]
    if_not_exists: bool,

    /// Only check whether they could be made
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg topic create orders
      as many partitions as the broker makes by default
  thalweg topic create orders payments --partitions 12 --config retention.ms=7d
      two topics, whose records are kept for a week
  thalweg topic create prices -p 3 -c cleanup.policy=compact --if-not-exists
      a table of the latest price of each key; may be run again";

/// A topic that was made, or would be.
#[derive(Serialize)]
struct Made {
    name: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitions: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_factor: Option<i16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Made,
    WouldBeMade,
    WasThere,
}

impl Create {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.create(client).await)
    }

    async fn create(&self, client: Client) -> Result<(), Failure> {
        let admin = Admin::new(client);
        let topics = self.names.iter().map(|name| NewTopic {
            partitions: self.partitions,
            replication_factor: self.replication_factor,
            configs: self.config.iter().cloned().collect(),
            ..NewTopic::named(name)
        });
        let (mode, done) = match self.dry_run {
            true => (Mode::Check, Outcome::WouldBeMade),
            false => (Mode::Do, Outcome::Made),
        };
        let (mut made, mut failures) = (Vec::new(), Vec::new());
        for (name, outcome) in admin.create_topics(topics, mode).await? {
            match outcome {
                Ok(topic) => made.push(Made::new(name, done, &topic)),
                Err(refused) if self.if_not_exists && refused.code == ErrorCode::TopicAlreadyExists => {
                    made.push(Made::there(name));
                }
                Err(refused) => failures.push(refusal(&admin, &name, &refused).await),
            }
        }
        self.output.report(&made, |topic| topic.to_string())?;
        Failure::of_several(made.len(), failures)
    }
}

impl Made {
    fn new(name: String, outcome: Outcome, topic: &CreatedTopic) -> Made {
        Made {
            name,
            outcome,
            // What is only checked has an id that nothing will ever have.
            id: (!topic.id.is_zero() && outcome == Outcome::Made).then(|| topic.id.to_string()),
            partitions: Some(topic.partitions).filter(|count| *count > 0),
            replication_factor: Some(topic.replication_factor).filter(|count| *count > 0),
        }
    }

    fn there(name: String) -> Made {
        Made { name, outcome: Outcome::WasThere, id: None, partitions: None, replication_factor: None }
    }
}

impl std::fmt::Display for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let outcome = match self.outcome {
            Outcome::Made => "made",
            Outcome::WouldBeMade => "would be made",
            Outcome::WasThere => "is there already",
        };
        write!(f, "{}: {outcome}", self.name)?;
        if let (Some(partitions), Some(replicas)) = (self.partitions, self.replication_factor) {
            write!(f, ", partitions {partitions}, replication factor {replicas}")?;
        }
        Ok(())
    }
}
