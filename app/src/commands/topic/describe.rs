//! `thalweg topic describe`.

use std::collections::BTreeMap;
use std::ops::Range;

use clap::Args;
use serde::Serialize;
use thalweg_client::admin::{PartitionDescription, Resource, Source, TopicDescription};
use thalweg_client::{Admin, Client};
use thalweg_wire::{BrokerId, Offset, PartitionIndex};

use super::look_up;
use crate::failure::Failure;
use crate::output::{self, Column, Output, Row, fields, table};
use crate::reach::Reach;

/// Show topics: their settings, and where each partition is, begins and ends.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Describe {
    /// Their names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg topic describe orders
  thalweg topic describe orders -o json | jq '[.partitions[].records] | add'
      how many records it has

START is the first offset that is there, END the one behind the last, RECORDS how many offsets that are: fewer records are
there where a topic is compacted, or was written in transactions. '-' stands where a partition has no leader to ask.";

#[derive(Serialize)]
struct Described {
    name: String,
    id: Option<String>,
    internal: bool,
    replication_factor: usize,
    records: i64,
    /// Those that are its own.
    settings: BTreeMap<String, Option<String>>,
    partitions: Vec<Partition>,
}

#[derive(Serialize)]
struct Partition {
    partition: i32,
    leader: Option<i32>,
    leader_epoch: Option<i32>,
    replicas: Vec<i32>,
    in_sync: Vec<i32>,
    log_start: Option<i64>,
    log_end: Option<i64>,
    records: Option<i64>,
}

impl Row for Partition {
    const COLUMNS: &'static [Column] = &[
        Column::Number("PARTITION"),
        Column::Number("LEADER"),
        Column::Words("REPLICAS"),
        Column::Words("IN SYNC"),
        Column::Number("START"),
        Column::Number("END"),
        Column::Number("RECORDS"),
    ];

    fn cells(&self) -> Vec<String> {
        let brokers = |ids: &[i32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let leader = self.leader.map_or_else(|| "none".to_owned(), |id| id.to_string());
        let (start, end, records) = (self.log_start, self.log_end, self.records);
        let [start, end, records] = [start, end, records].map(output::or_dash);
        vec![self.partition.to_string(), leader, brokers(&self.replicas), brokers(&self.in_sync), start, end, records]
    }
}

impl Describe {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.describe(client).await)
    }

    async fn describe(&self, client: Client) -> Result<(), Failure> {
        let admin = Admin::new(client);
        let (topics, failures) = look_up(&admin, &self.names).await?;
        for (at, topic) in topics.iter().enumerate() {
            if at > 0 && !self.output.is_json() {
                output::write("\n")?;
            }
            let described = Described::of(&admin, topic).await?;
            self.output.describe(&described, || described.text())?;
        }
        Failure::of_several(topics.len(), failures)
    }
}

impl Described {
    async fn of(admin: &Admin, topic: &TopicDescription) -> Result<Described, Failure> {
        let extents = extents(admin, topic).await?;
        let settings = admin.configs(&Resource::Topic(topic.name.clone())).await?;
        let own = settings.into_iter().filter(|setting| setting.source == Source::Topic);
        let partitions: Vec<Partition> =
            topic.partitions.iter().map(|partition| Partition::of(partition, extents.get(&partition.index))).collect();
        Ok(Described {
            name: topic.name.clone(),
            id: (!topic.id.is_zero()).then(|| topic.id.to_string()),
            internal: topic.is_internal,
            replication_factor: topic.partitions.iter().map(|each| each.replicas.len()).max().unwrap_or(0),
            records: partitions.iter().filter_map(|partition| partition.records).sum(),
            settings: own.map(|setting| (setting.name, setting.value)).collect(),
            partitions,
        })
    }

    fn text(&self) -> String {
        let mut heading = vec![
            ("id", self.id.clone().unwrap_or_else(|| "-".to_owned())),
            ("partitions", self.partitions.len().to_string()),
            ("replication factor", self.replication_factor.to_string()),
            ("records", self.records.to_string()),
        ];
        for (at, (name, value)) in self.settings.iter().enumerate() {
            let label = if at == 0 { "settings" } else { "" };
            heading.push((label, format!("{name}={}", value.as_deref().unwrap_or("(hidden)"))));
        }
        format!("{}\n{}\n{}", self.name, fields(&heading), table(&self.partitions))
    }
}

impl Partition {
    fn of(partition: &PartitionDescription, extent: Option<&Range<Offset>>) -> Partition {
        let ids = |brokers: &[BrokerId]| brokers.iter().map(|id| id.0).collect();
        Partition {
            partition: partition.index.0,
            leader: Some(partition.leader.0).filter(|id| *id >= 0),
            leader_epoch: Some(partition.leader_epoch.0).filter(|epoch| *epoch >= 0),
            replicas: ids(&partition.replicas),
            in_sync: ids(&partition.in_sync),
            log_start: extent.map(|extent| extent.start.0),
            log_end: extent.map(|extent| extent.end.0),
            records: extent.map(|extent| extent.end.0 - extent.start.0),
        }
    }
}

/// Where the partitions begin and end that somebody leads: nobody else could be asked.
pub(super) async fn extents(
    admin: &Admin,
    topic: &TopicDescription,
) -> Result<BTreeMap<PartitionIndex, Range<Offset>>, Failure> {
    let led = topic.partitions.iter().filter(|partition| partition.leader >= BrokerId(0));
    let asked: Vec<_> = led.map(|partition| (topic.name.as_str(), partition.index)).collect();
    let told = admin.extents(&asked).await;
    asked.iter().zip(told).map(|((_, index), extent)| Ok((*index, extent?))).collect()
}
