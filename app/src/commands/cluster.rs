//! `thalweg cluster`: who is in a cluster, and whether it is well.

use clap::{Args, Subcommand};
use futures_util::future::join_all;
use serde::Serialize;
use thalweg_client::Admin;
use thalweg_client::admin::{BrokerDescription, PartitionDescription, TopicDescription};
use thalweg_wire::BrokerId;

use crate::failure::{Exit, Failure};
use crate::output::{Column, Output, Row, fields, table};
use crate::reach::Reach;

/// Partitions in trouble that are named in the text; JSON names all.
const NAMED_MAX: usize = 20;

/// Show who is in a cluster, and whether it is well.
#[derive(Args)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cluster {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Status(Status),
}

/// Show who is in the cluster, and whether it is well: brokers, partitions without a leader, replicas that lag behind.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct Status {
    /// Fail with exit code 1 if it isn't well
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg cluster status
  thalweg cluster status --check --timeout 5s > /dev/null || page-somebody
  thalweg cluster status -b log.example.org:9092 -o json

KAFKA is the newest release of Kafka whose metadata the broker understands.";

#[derive(Serialize)]
struct Told {
    cluster_id: Option<String>,
    controller: Option<i32>,
    brokers: Vec<Broker>,
    topics: usize,
    partitions: usize,
    without_leader: usize,
    under_replicated: usize,
    troubled: Vec<Troubled>,
}

#[derive(Serialize)]
struct Broker {
    id: i32,
    host: String,
    port: i32,
    rack: Option<String>,
    answers: bool,
    kafka: Option<&'static str>,
}

impl Row for Broker {
    const COLUMNS: &'static [Column] = &[
        Column::Number("BROKER"),
        Column::Words("HOST"),
        Column::Number("PORT"),
        Column::Words("RACK"),
        Column::Words("ANSWERS"),
        Column::Words("KAFKA"),
    ];

    fn cells(&self) -> Vec<String> {
        let Broker { id, host, port, rack, answers, kafka } = self;
        let answers = if *answers { "yes" } else { "no" };
        let rack = rack.as_deref().unwrap_or("-");
        [&id.to_string(), host, &port.to_string(), rack, answers, kafka.unwrap_or("-")].map(str::to_owned).to_vec()
    }
}

/// A partition that isn't well.
#[derive(Serialize)]
struct Troubled {
    topic: String,
    partition: i32,
    leader: Option<i32>,
    /// Replicas that don't have all of it.
    lagging: Vec<i32>,
}

impl Row for Troubled {
    const COLUMNS: &'static [Column] = &[Column::Words("TOPIC"), Column::Number("PARTITION"), Column::Words("TROUBLE")];

    fn cells(&self) -> Vec<String> {
        let lagging: Vec<String> = self.lagging.iter().map(ToString::to_string).collect();
        let trouble = match self.leader {
            None => "no leader".to_owned(),
            Some(_) => format!("not in sync: {}", lagging.join(", ")),
        };
        vec![self.topic.clone(), self.partition.to_string(), trouble]
    }
}

impl Cluster {
    /// Does what the command line asks for.
    pub(super) fn run(self) -> Result<(), Failure> {
        let Verb::Status(status) = self.verb;
        status.reach.ask(async |client| status.tell(&Admin::new(client)).await)
    }
}

impl Status {
    async fn tell(&self, admin: &Admin) -> Result<(), Failure> {
        let cluster = admin.cluster().await?;
        let topics = admin.describe_every_topic().await?;
        let brokers = join_all(cluster.brokers.into_iter().map(|broker| Broker::asked(admin, broker))).await;
        let controller = Some(cluster.controller.0).filter(|id| *id >= 0);
        let told = Told::new(Some(cluster.id).filter(|id| !id.is_empty()), controller, brokers, &topics);
        self.output.describe(&told, || told.text())?;
        match told.complaint().filter(|_| self.check) {
            None => Ok(()),
            Some(what) => {
                let next = "look at the logs of the brokers that don't answer, or that have these replicas";
                Err(Failure::new(Exit::Failed, format!("the cluster is not well: {what}"), next))
            }
        }
    }
}

impl Broker {
    async fn asked(admin: &Admin, broker: BrokerDescription) -> Broker {
        let features = admin.features(broker.id).await;
        let level = features.iter().flatten().find(|feature| feature.name == "metadata.version");
        Broker {
            id: broker.id.0,
            host: broker.host,
            port: broker.port,
            rack: broker.rack,
            answers: features.is_ok(),
            kafka: level.and_then(|feature| release(feature.highest)),
        }
    }
}

impl Told {
    fn new(
        cluster_id: Option<String>,
        controller: Option<i32>,
        brokers: Vec<Broker>,
        topics: &[TopicDescription],
    ) -> Told {
        let all = || topics.iter().flat_map(|topic| topic.partitions.iter().map(move |partition| (topic, partition)));
        let troubled: Vec<Troubled> =
            all().filter_map(|(topic, partition)| Troubled::of(&topic.name, partition)).collect();
        Told {
            cluster_id,
            controller,
            brokers,
            topics: topics.len(),
            partitions: all().count(),
            without_leader: troubled.iter().filter(|partition| partition.leader.is_none()).count(),
            under_replicated: troubled.iter().filter(|partition| !partition.lagging.is_empty()).count(),
            troubled,
        }
    }

    fn text(&self) -> String {
        let heading = [
            ("cluster", self.cluster_id.clone().unwrap_or_else(|| "-".to_owned())),
            ("controller", self.controller.map_or_else(|| "none".to_owned(), |id| id.to_string())),
            ("topics", self.topics.to_string()),
            ("partitions", self.partitions.to_string()),
            ("without leader", self.without_leader.to_string()),
            ("under-replicated", self.under_replicated.to_string()),
        ];
        let mut text = format!("{}\n{}", fields(&heading), table(&self.brokers));
        if !self.troubled.is_empty() {
            let named = &self.troubled[..self.troubled.len().min(NAMED_MAX)];
            text += &format!("\n{}", table(named));
        }
        if let Some(more) = self.troubled.len().checked_sub(NAMED_MAX + 1) {
            text += &format!("and {} more: --output json names them\n", more + 1);
        }
        text
    }

    /// What isn't well.
    fn complaint(&self) -> Option<String> {
        let silent = self.brokers.iter().filter(|broker| !broker.answers).count();
        let counts = [
            (silent, "brokers that don't answer"),
            (self.without_leader, "partitions without a leader"),
            (self.under_replicated, "partitions with replicas that lag behind"),
            (usize::from(self.controller.is_none()), "controllers that are missing"),
        ];
        let bad = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}"));
        Some(bad.collect::<Vec<_>>().join(", ")).filter(|bad| !bad.is_empty())
    }
}

impl Troubled {
    fn of(topic: &str, partition: &PartitionDescription) -> Option<Troubled> {
        let lagging = partition.replicas.iter().filter(|id| !partition.in_sync.contains(id));
        let lagging: Vec<i32> = lagging.map(|id| id.0).collect();
        let leader = Some(partition.leader).filter(|id| *id >= BrokerId(0)).map(|id| id.0);
        let is_well = leader.is_some() && lagging.is_empty();
        (!is_well).then(|| Troubled { topic: topic.to_owned(), partition: partition.index.0, leader, lagging })
    }
}

/// The release of Kafka whose metadata has this level, `metadata.version`.
fn release(level: i16) -> Option<&'static str> {
    Some(match level {
        1 => "3.0",
        2 => "3.1",
        3 => "3.2",
        4..=7 => "3.3",
        8 => "3.4",
        9..=11 => "3.5",
        12..=14 => "3.6",
        15..=19 => "3.7",
        20 => "3.8",
        21 => "3.9",
        22..=25 => "4.0",
        26..=27 => "4.1",
        28..=29 => "4.2",
        30 => "4.3",
        31.. => "newer than 4.3",
        ..=0 => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::{LeaderEpoch, PartitionIndex, Uuid};

    fn topic(partitions: &[(i32, &[i32], &[i32])]) -> TopicDescription {
        let ids = |ids: &[i32]| ids.iter().map(|id| BrokerId(*id)).collect();
        let partitions = partitions.iter().zip(0..).map(|((leader, replicas, in_sync), index)| PartitionDescription {
            index: PartitionIndex(index),
            leader: BrokerId(*leader),
            leader_epoch: LeaderEpoch(0),
            replicas: ids(replicas),
            in_sync: ids(in_sync),
        });
        TopicDescription {
            name: "orders".to_owned(),
            id: Uuid::ZERO,
            is_internal: false,
            partitions: partitions.collect(),
        }
    }

    #[test]
    fn what_is_not_well_is_counted_and_named() {
        let topics = [topic(&[(1, &[1, 2], &[1, 2]), (-1, &[3], &[]), (1, &[1, 2], &[1])])];
        let told = Told::new(None, Some(1), Vec::new(), &topics);
        assert_eq!((told.partitions, told.without_leader, told.under_replicated), (3, 1, 2));
        let text = told.text();
        assert!(
            text.contains(
                "TOPIC   PARTITION  TROUBLE\norders          1  no leader\norders          2  not in sync: 2\n"
            ),
            "{text}"
        );
        let complaint = told.complaint();
        assert_eq!(
            complaint.as_deref(),
            Some("partitions without a leader: 1, partitions with replicas that lag behind: 2")
        );
    }

    #[test]
    fn a_cluster_that_is_well_has_nothing_to_complain_about() {
        let told = Told::new(None, Some(1), Vec::new(), &[topic(&[(1, &[1], &[1])])]);
        assert_eq!(told.complaint(), None);
        assert!(!told.text().contains("TROUBLE"));
    }

    #[test]
    fn no_more_partitions_are_named_than_fit_on_a_screen() {
        let broken: Vec<(i32, &[i32], &[i32])> = vec![(-1, &[1], &[1]); NAMED_MAX + 3];
        let text = Told::new(None, Some(1), Vec::new(), &[topic(&broken)]).text();
        assert!(text.ends_with("and 3 more: --output json names them\n"), "{text}");
    }
}
