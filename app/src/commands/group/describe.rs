//! `thalweg group describe`.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;
use thalweg_client::Admin;
use thalweg_client::admin::{GroupDescription, MemberDescription};
use thalweg_wire::Timestamp;

use super::lag::{Place, Standing, standings};
use super::look_up;
use crate::failure::Failure;
use crate::output::{self, Column, Output, Row, fields, or_dash, table};
use crate::quantities::shown_span;
use crate::reach::Reach;

/// Show groups: their members, and how far they are behind, in records and in time.
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
  thalweg group describe readers
  thalweg group describe readers -o json | jq '.lag_seconds > 60'
      whether a record waits for more than a minute

COMMITTED is the offset of the next record to read, END the one behind the last, LAG how many offsets wait, BEHIND how long the
first record of them has waited. '-' stands where nothing is committed, and where a partition has no leader or is gone.";

#[derive(Serialize)]
struct Described {
    name: String,
    state: String,
    purpose: Option<String>,
    assignor: Option<String>,
    coordinator: i32,
    /// Of all partitions together; `None` where it isn't known of any.
    lag: Option<i64>,
    /// Of the one that waits for longest.
    lag_seconds: Option<f64>,
    members: Vec<Member>,
    partitions: Vec<Partition>,
}

#[derive(Serialize)]
struct Member {
    member: String,
    instance: Option<String>,
    client: String,
    host: String,
    partitions: usize,
}

impl Row for Member {
    const COLUMNS: &'static [Column] = &[
        Column::Words("MEMBER"),
        Column::Words("INSTANCE"),
        Column::Words("CLIENT"),
        Column::Words("HOST"),
        Column::Number("PARTITIONS"),
    ];

    fn cells(&self) -> Vec<String> {
        let Member { member, instance, client, host, partitions } = self;
        vec![member.clone(), or_dash(instance.as_ref()), client.clone(), host.clone(), partitions.to_string()]
    }
}

#[derive(Serialize)]
struct Partition {
    topic: String,
    partition: i32,
    committed: Option<i64>,
    log_start: Option<i64>,
    log_end: Option<i64>,
    lag: Option<i64>,
    lag_seconds: Option<f64>,
    member: Option<String>,
    #[serde(skip)]
    behind: Option<String>,
}

impl Row for Partition {
    const COLUMNS: &'static [Column] = &[
        Column::Words("TOPIC"),
        Column::Number("PARTITION"),
        Column::Number("COMMITTED"),
        Column::Number("END"),
        Column::Number("LAG"),
        Column::Number("BEHIND"),
        Column::Words("MEMBER"),
    ];

    fn cells(&self) -> Vec<String> {
        let [committed, end, lag] = [self.committed, self.log_end, self.lag].map(or_dash);
        let [behind, member] = [self.behind.as_ref(), self.member.as_ref()].map(or_dash);
        vec![self.topic.clone(), self.partition.to_string(), committed, end, lag, behind, member]
    }
}

impl Describe {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.describe(&Admin::new(client)).await)
    }

    async fn describe(&self, admin: &Admin) -> Result<(), Failure> {
        let (mut described, mut failures) = (Vec::new(), Vec::new());
        for name in &self.names {
            match look_up(admin, name).await {
                Ok(group) => described.push(Described::of(admin, group).await?),
                Err(failure) => failures.push(failure),
            }
        }
        for (at, described) in described.iter().enumerate() {
            if at > 0 && !self.output.is_json() {
                output::write("\n")?;
            }
            self.output.describe(&described, || described.text())?;
        }
        Failure::of_several(described.len(), failures)
    }
}

impl Described {
    async fn of(admin: &Admin, group: GroupDescription) -> Result<Described, Failure> {
        let committed = admin.group_offsets(&group.name).await?;
        let members = || group.members.iter();
        let readers: BTreeMap<Place, &str> = members()
            .flat_map(|member| member.partitions.iter().map(|place| (place.clone(), member.id.as_str())))
            .collect();
        let standings = standings(admin, &committed, readers.keys().cloned().collect()).await?;
        let now = admin.client().world().clock.wall();
        let partitions: Vec<Partition> = standings
            .into_iter()
            .map(|standing| Partition::of(&standing, now, readers.get(&standing.place).copied()))
            .collect();
        let lags = partitions.iter().filter_map(|partition| partition.lag);
        Ok(Described {
            state: group.state,
            purpose: Some(group.protocol_type).filter(|purpose| !purpose.is_empty()),
            assignor: Some(group.assignor).filter(|assignor| !assignor.is_empty()),
            coordinator: group.coordinator.0,
            lag: lags.reduce(|sum, lag| sum + lag),
            lag_seconds: partitions.iter().filter_map(|partition| partition.lag_seconds).reduce(f64::max),
            members: members().map(Member::of).collect(),
            name: group.name,
            partitions,
        })
    }

    fn text(&self) -> String {
        let longest = self.partitions.iter().filter(|partition| partition.lag_seconds == self.lag_seconds);
        let behind = longest.filter_map(|partition| partition.behind.clone()).next();
        let heading = [
            ("state", self.state.clone()),
            ("purpose", or_dash(self.purpose.as_ref())),
            ("assignor", or_dash(self.assignor.as_ref())),
            ("coordinator", self.coordinator.to_string()),
            ("members", self.members.len().to_string()),
            ("lag", or_dash(self.lag)),
            ("behind", or_dash(behind)),
        ];
        let mut text = format!("{}\n{}", output::printable(&self.name), fields(&heading));
        if !self.partitions.is_empty() {
            text += &format!("\n{}", table(&self.partitions));
        }
        if !self.members.is_empty() {
            text += &format!("\n{}", table(&self.members));
        }
        text
    }
}

impl Member {
    fn of(member: &MemberDescription) -> Member {
        Member {
            member: member.id.clone(),
            instance: member.instance.clone(),
            client: member.client_id.clone(),
            // Kafka's brokers write Java's form of an address.
            host: member.host.trim_start_matches('/').to_owned(),
            partitions: member.partitions.len(),
        }
    }
}

impl Partition {
    fn of(standing: &Standing, now: Timestamp, member: Option<&str>) -> Partition {
        let behind = standing.behind(now);
        let (topic, index) = &standing.place;
        Partition {
            topic: topic.clone(),
            partition: index.0,
            committed: standing.committed.map(|offset| offset.0),
            log_start: standing.extent.as_ref().map(|extent| extent.start.0),
            log_end: standing.extent.as_ref().map(|extent| extent.end.0),
            lag: standing.lag(),
            lag_seconds: behind.map(|behind| behind.as_secs_f64()),
            member: member.map(str::to_owned),
            behind: behind.map(shown_span),
        }
    }
}
