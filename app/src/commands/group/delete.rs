//! `thalweg group delete`.

use clap::Args;
use serde::Serialize;
use thalweg_client::Admin;
use thalweg_client::admin::CommittedOffset;
use thalweg_wire::PartitionIndex;

use super::{is_idle, look_up, refusal};
use crate::failure::{Exit, Failure};
use crate::output::{Column, Output, Row};
use crate::reach::Reach;

/// Delete groups, with all that they have committed.
///
/// Without --yes it only shows what would be deleted.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Delete {
    /// Their names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Only what they have committed in this topic; may be repeated
    #[arg(short, long, value_name = "TOPIC")]
    topic: Vec<String>,

    /// Delete it: there is no way back
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg group delete readers
      shows what would be deleted
  thalweg group delete readers writers --yes
      deletes both
  thalweg group delete readers --topic orders --yes
      the group stays, and forgets how far it has read orders";

/// What would be deleted of a group, or was.
#[derive(Serialize)]
struct Doomed {
    name: String,
    topics: Vec<String>,
    partitions: usize,
}

impl Row for Doomed {
    const COLUMNS: &'static [Column] =
        &[Column::Words("GROUP"), Column::Number("COMMITTED PARTITIONS"), Column::Words("TOPICS")];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.partitions.to_string(), self.topics.join(",")]
    }
}

impl Delete {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.delete(&Admin::new(client)).await)
    }

    async fn delete(&self, admin: &Admin) -> Result<(), Failure> {
        let (mut doomed, mut failures) = (Vec::new(), Vec::new());
        for name in &self.names {
            match self.plan(admin, name).await {
                Ok(plan) => doomed.push(plan),
                Err(failure) => failures.push(failure),
            }
        }
        if doomed.is_empty() {
            return Failure::of_several(0, failures);
        }
        let shown: Vec<Doomed> = doomed.iter().map(|(name, committed)| Doomed::of(name, committed)).collect();
        if !self.yes {
            self.output.list(&shown, "")?;
            failures.push(Failure::new(Exit::Usage, "nothing is deleted yet", NO_WAY_BACK));
            return Failure::of_several(0, failures);
        }
        let mut done = Vec::new();
        for ((name, committed), shown) in doomed.iter().zip(shown) {
            match self.carry_out(admin, name, committed).await {
                Ok(()) => done.push(shown),
                Err(failure) => failures.push(failure),
            }
        }
        let topics = self.topic.join(", ");
        self.output.report(&done, |group| match self.topic.as_slice() {
            [] => format!("{}: deleted", group.name),
            _ => format!("{}: forgot what it had committed in {topics}", group.name),
        })?;
        Failure::of_several(done.len(), failures)
    }

    /// What goes of a group.
    async fn plan<'a>(&self, admin: &Admin, name: &'a str) -> Result<(&'a str, Vec<CommittedOffset>), Failure> {
        let group = look_up(admin, name).await?;
        if self.topic.is_empty() {
            is_idle(&group)?;
        }
        let mut committed = admin.group_offsets(name).await?;
        if !self.topic.is_empty() {
            committed.retain(|each| self.topic.contains(&each.topic));
            if committed.is_empty() {
                let what = format!("group {name} has committed nothing in {}", self.topic.join(", "));
                let next = format!("'thalweg group describe {name}' shows what it has committed");
                return Err(Failure::new(Exit::Refused, what, next));
            }
        }
        Ok((name, committed))
    }

    async fn carry_out(&self, admin: &Admin, name: &str, committed: &[CommittedOffset]) -> Result<(), Failure> {
        let outcomes = if self.topic.is_empty() {
            admin.delete_groups(&[name]).await?.into_iter().map(|(_, outcome)| outcome).collect()
        } else {
            let partitions: Vec<(&str, PartitionIndex)> =
                committed.iter().map(|each| (each.topic.as_str(), each.partition)).collect();
            admin.delete_group_offsets(name, &partitions).await?
        };
        match outcomes.into_iter().find_map(Result::err) {
            None => Ok(()),
            Some(refused) => Err(refusal(admin, name, &refused).await),
        }
    }
}

const NO_WAY_BACK: &str = "add --yes to delete this: there is no way back";

impl Doomed {
    fn of(name: &str, committed: &[CommittedOffset]) -> Doomed {
        let mut topics: Vec<String> = committed.iter().map(|each| each.topic.clone()).collect();
        topics.dedup();
        Doomed { name: name.to_owned(), topics, partitions: committed.len() }
    }
}
