//! `thalweg topic list`.

use clap::Args;
use serde::Serialize;
use thalweg_client::{Admin, Client};

use crate::failure::Failure;
use crate::names;
use crate::output::{Column, Output, Row};
use crate::reach::Reach;

/// List topics.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct List {
    /// Only those with such a name: * is any characters, ? is one
    pattern: Option<String>,

    /// Those of the cluster itself, too, such as __consumer_offsets
    #[arg(long)]
    internal: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg topic list
  thalweg topic list 'orders-*'
  thalweg topic list --output json | jq -r '.[].name'";

#[derive(Serialize)]
struct Listed {
    name: String,
    partitions: usize,
    replication_factor: usize,
    internal: bool,
}

impl Row for Listed {
    const COLUMNS: &'static [Column] =
        &[Column::Words("TOPIC"), Column::Number("PARTITIONS"), Column::Number("REPLICATION")];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.partitions.to_string(), self.replication_factor.to_string()]
    }
}

impl List {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.list(client).await)
    }

    async fn list(&self, client: Client) -> Result<(), Failure> {
        let is_wanted = |name: &str| self.pattern.as_deref().is_none_or(|pattern| names::matches(pattern, name));
        let topics = Admin::new(client).topics().await?;
        let topics = topics.into_iter().filter(|topic| (self.internal || !topic.is_internal) && is_wanted(&topic.name));
        let listed: Vec<Listed> = topics
            .map(|topic| Listed {
                name: topic.name,
                partitions: topic.partitions,
                replication_factor: topic.replication_factor,
                internal: topic.is_internal,
            })
            .collect();
        let none = match &self.pattern {
            Some(pattern) => format!("no topic matches {pattern}"),
            None => "there are no topics: 'thalweg topic create NAME' makes one".to_owned(),
        };
        self.output.list(&listed, &none)
    }
}
