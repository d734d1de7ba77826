//! `thalweg group reset`.

use std::collections::BTreeSet;
use std::ops::Range;

use clap::{ArgGroup, Args};
use serde::Serialize;
use thalweg_client::admin::CommittedOffset;
use thalweg_client::{Admin, ClientError, Start};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex};

use super::lag::{Place, extents};
use super::{failure, is_idle, refusal, topic};
use crate::failure::{Exit, Failure};
use crate::output::{Column, Output, Row, or_dash};
use crate::quantities::{self, When};
use crate::reach::Reach;

/// Move a group: its members go on from there when they start again.
///
/// The group may have no members meanwhile. Without --yes it only shows what would be changed.
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("where").args(["to", "by"]).required(true)
)]
pub(super) struct Reset {
    /// Its name; with --topic one that isn't there is made
    name: String,

    /// To this offset, or to the first record of this time or a later one (-1h, 2026-01-31, 2026-01-31T12:00:00Z,
    /// @1700000000000), or to 'earliest' or 'latest': the first record there is, or behind the last
    #[arg(long, value_name = "OFFSET|TIME|earliest|latest", value_parser = target, allow_hyphen_values = true)]
    to: Option<Target>,

    /// So many offsets forward, or back where it is less than 0
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    by: Option<i64>,

    /// Only in this topic, or in these partitions of it; may be repeated [default: wherever it has committed]
    #[arg(short, long, value_name = "TOPIC[:P,...]", value_parser = part)]
    topic: Vec<Part>,

    /// Change it
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg group reset readers --to earliest
      shows where it would begin again
  thalweg group reset readers --to -1h --yes
      what was written in the last hour is read again
  thalweg group reset readers --topic orders:0,3 --by -100 --yes
      the last hundred offsets of two partitions are read again
  thalweg group reset new-readers --topic orders --to latest --yes
      a group that will begin with what is written from now on

No partition is moved to before its first offset, or past its end.";

/// Where to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    Earliest,
    Latest,
    Offset(Offset),
    Time(When),
}

fn target(text: &str) -> Result<Target, String> {
    match (text, text.parse::<i64>()) {
        ("earliest", _) => Ok(Target::Earliest),
        ("latest", _) => Ok(Target::Latest),
        (_, Ok(offset)) if offset >= 0 => Ok(Target::Offset(Offset(offset))),
        _ => quantities::instant(text).map(Target::Time).map_err(|why| {
            format!("{why}, or an offset, or 'earliest' or 'latest'; --by moves by a number of offsets")
        }),
    }
}

/// A topic, or a part of it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    topic: String,
    /// None: all.
    partitions: Vec<PartitionIndex>,
}

fn part(text: &str) -> Result<Part, String> {
    let (topic, indexes) = text.split_once(':').map_or((text, None), |(topic, indexes)| (topic, Some(indexes)));
    let index = |index: &str| index.trim().parse().map(PartitionIndex);
    let partitions = indexes.map(|indexes| indexes.split(',').map(index).collect::<Result<Vec<_>, _>>());
    match partitions.transpose() {
        Ok(partitions) if !topic.is_empty() => {
            Ok(Part { topic: topic.to_owned(), partitions: partitions.unwrap_or_default() })
        }
        _ => Err("write TOPIC, or TOPIC:0,3 for some of its partitions".to_owned()),
    }
}

/// Where a group stands in a partition, and where it will.
#[derive(Serialize)]
struct Move {
    topic: String,
    partition: i32,
    committed: Option<i64>,
    new: i64,
    lag: i64,
}

impl Row for Move {
    const COLUMNS: &'static [Column] = &[
        Column::Words("TOPIC"),
        Column::Number("PARTITION"),
        Column::Number("COMMITTED"),
        Column::Number("NEW"),
        Column::Number("LAG THEN"),
    ];

    fn cells(&self) -> Vec<String> {
        let Move { topic, partition, committed, new, lag } = self;
        vec![topic.clone(), partition.to_string(), or_dash(*committed), new.to_string(), lag.to_string()]
    }
}

impl Reset {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.reset(&Admin::new(client)).await)
    }

    async fn reset(&self, admin: &Admin) -> Result<(), Failure> {
        self.may_be_moved(admin).await?;
        let committed = admin.group_offsets(&self.name).await?;
        let (places, mut failures) = self.places(admin, &committed).await?;
        let moves = self.plan(admin, &committed, &places).await?;
        if moves.is_empty() {
            failures.push(self.nothing_to_move());
            return Failure::of_several(0, failures);
        }
        if !self.yes {
            self.output.list(&moves, "")?;
            failures.push(Failure::new(Exit::Usage, "nothing is changed yet", "add --yes to change it"));
            return Failure::of_several(0, failures);
        }
        let wanted: Vec<_> =
            moves.iter().map(|each| (each.topic.as_str(), PartitionIndex(each.partition), Offset(each.new))).collect();
        let outcomes = admin.set_group_offsets(&self.name, &wanted).await?;
        let mut done = Vec::new();
        for (each, outcome) in moves.into_iter().zip(outcomes) {
            match outcome {
                Ok(()) => done.push(each),
                Err(refused) => failures.push(refusal(admin, &self.name, &refused).await),
            }
        }
        // Who refuses one for its members refuses all, in the same words.
        failures.dedup();
        self.output.list(&done, "")?;
        Failure::of_several(done.len(), failures)
    }

    async fn may_be_moved(&self, admin: &Admin) -> Result<(), Failure> {
        match admin.group(&self.name).await {
            Ok(group) => is_idle(&group),
            Err(ClientError::Refused { code: ErrorCode::GroupIdNotFound, .. }) if !self.topic.is_empty() => Ok(()),
            Err(error) => Err(failure(admin, &self.name, error).await),
        }
    }

    /// What is to be moved, and what can't be: topics that are gone.
    async fn places(
        &self,
        admin: &Admin,
        committed: &[CommittedOffset],
    ) -> Result<(BTreeSet<Place>, Vec<Failure>), Failure> {
        let (mut places, mut failures) = (BTreeSet::new(), Vec::new());
        for part in &self.topic {
            let topic = topic::look_up_one(admin, &part.topic).await?;
            let there: Vec<PartitionIndex> = topic.partitions.iter().map(|partition| partition.index).collect();
            if let Some(missing) = part.partitions.iter().find(|index| !there.contains(index)) {
                let what = format!("topic {} has no partition {missing}", part.topic);
                let next = format!("'thalweg topic describe {}' shows its partitions", part.topic);
                return Err(Failure::new(Exit::Refused, what, next));
            }
            let wanted = if part.partitions.is_empty() { &there } else { &part.partitions };
            places.extend(wanted.iter().map(|index| (part.topic.clone(), *index)));
        }
        if self.topic.is_empty() {
            let mut topics: Vec<&str> = committed.iter().map(|each| each.topic.as_str()).collect();
            topics.dedup();
            for (name, outcome) in admin.describe_topics(&topics).await? {
                match outcome {
                    Ok(_) => {
                        let of_it = committed.iter().filter(|each| each.topic == name);
                        places.extend(of_it.map(|each| (each.topic.clone(), each.partition)));
                    }
                    Err(refused) => {
                        let next = format!("'thalweg group delete {} --topic {name}' lets it forget that", self.name);
                        failures.push(topic::refusal(admin, &name, &refused).await.but(next));
                    }
                }
            }
        }
        Ok((places, failures))
    }

    async fn plan(
        &self,
        admin: &Admin,
        committed: &[CommittedOffset],
        places: &BTreeSet<Place>,
    ) -> Result<Vec<Move>, Failure> {
        let extents: Vec<(Place, Range<Offset>)> = extents(admin, places).await?.into_iter().collect();
        if let Some((topic, index)) = places.iter().find(|place| !extents.iter().any(|(there, _)| there == *place)) {
            let next = "'thalweg cluster status' shows what isn't well; --topic names what is to be moved";
            return Err(Failure::new(Exit::Refused, format!("{topic}/{index} has no leader"), next));
        }
        let stands = |(topic, index): &Place| {
            let stands = committed.iter().find(|each| each.topic == *topic && each.partition == *index);
            stands.map(|each| each.offset)
        };
        let now = admin.client().world().clock.wall();
        let start = |place: &Place| match (self.to, self.by) {
            (Some(Target::Earliest), _) => Some(Start::Earliest),
            (Some(Target::Latest), _) => Some(Start::Latest),
            (Some(Target::Offset(offset)), _) => Some(Start::Offset(offset)),
            (Some(Target::Time(when)), _) => Some(Start::Time(when.at(now))),
            (None, by) => stands(place).map(|offset| Start::Offset(Offset(offset.0.saturating_add(by.unwrap_or(0))))),
        };
        let asked: Vec<_> = extents.iter().filter_map(|(place, extent)| Some((place, extent, start(place)?))).collect();
        let questions: Vec<_> =
            asked.iter().map(|((topic, index), _, start)| (topic.as_str(), *index, *start)).collect();
        let told = admin.offsets(&questions).await;
        let moves = asked.into_iter().zip(told).map(|((place, extent, _), new)| {
            let new = new?.clamp(extent.start, extent.end);
            Ok(Move {
                topic: place.0.clone(),
                partition: place.1.0,
                committed: stands(place).map(|offset| offset.0),
                new: new.0,
                lag: extent.end.0 - new.0,
            })
        });
        moves.collect()
    }

    fn nothing_to_move(&self) -> Failure {
        let what = match self.topic.as_slice() {
            [] => format!("group {} has committed nothing", self.name),
            _ => format!("group {} has committed nothing there that could be moved by a number", self.name),
        };
        Failure::new(Exit::Refused, what, "--topic NAME --to OFFSET|TIME|earliest|latest says where it should stand")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::Timestamp;

    #[test]
    fn a_target_is_a_word_an_offset_or_a_time() {
        assert_eq!(target("earliest"), Ok(Target::Earliest));
        assert_eq!(target("latest"), Ok(Target::Latest));
        assert_eq!(target("12"), Ok(Target::Offset(Offset(12))));
        assert_eq!(target("@12"), Ok(Target::Time(When::At(Timestamp::from_millis(12)))));
        assert_eq!(target("-1h"), Ok(Target::Time(When::Ago(std::time::Duration::from_secs(3600)))));
        assert!(target("-12").is_err_and(|why| why.contains("--by")));
    }

    #[test]
    fn a_topic_may_stand_with_some_of_its_partitions() {
        let indexes = |indexes: &[i32]| indexes.iter().copied().map(PartitionIndex).collect::<Vec<_>>();
        assert_eq!(part("t"), Ok(Part { topic: "t".to_owned(), partitions: vec![] }));
        assert_eq!(part("t:0,3"), Ok(Part { topic: "t".to_owned(), partitions: indexes(&[0, 3]) }));
        assert!(part("t:").is_err() && part(":1").is_err() && part("t:a").is_err() && part("").is_err());
    }
}
