//! `thalweg topic trim`.

use clap::Args;
use serde::Serialize;
use thalweg_client::admin::TopicDescription;
use thalweg_client::{Admin, Start};
use thalweg_wire::{Offset, PartitionIndex};

use super::describe::extents;
use super::look_up_one;
use crate::failure::{Exit, Failure};
use crate::output::{Column, Output, Row};
use crate::quantities::{self, When};
use crate::reach::Reach;

/// Delete the oldest records of a topic.
///
/// Without --yes it only shows what would be deleted.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Trim {
    /// Its name
    name: String,

    /// Only of these partitions; may be repeated [default: all]
    #[arg(short, long, value_name = "P")]
    partition: Vec<i32>,

    /// Those before this offset, or before the first record of this time or a later one (-1h, 2026-01-31,
    /// 2026-01-31T12:00:00Z, @1700000000000), or 'end': all that are there now
    #[arg(long, value_name = "OFFSET|TIME", value_parser = bound, allow_hyphen_values = true)]
    before: Bound,

    /// Delete them: there is no way back
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg topic trim orders --before -7d
      shows how many records are older than a week
  thalweg topic trim orders --partition 0 --before 1000 --yes
      deletes the records of partition 0 up to offset 999
  thalweg topic trim orders --before end --yes
      empties it";

/// Up to where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bound {
    Offset(Offset),
    Time(When),
    End,
}

fn bound(text: &str) -> Result<Bound, String> {
    if text == "end" {
        return Ok(Bound::End);
    }
    match text.parse::<i64>() {
        Ok(offset) if offset >= 0 => Ok(Bound::Offset(Offset(offset))),
        _ => quantities::instant(text).map(Bound::Time).map_err(|why| format!("{why}, or an offset, or 'end'")),
    }
}

/// What goes of a partition.
#[derive(Serialize)]
struct Cut {
    partition: i32,
    log_start: i64,
    before: i64,
    records: i64,
}

impl Row for Cut {
    const COLUMNS: &'static [Column] =
        &[Column::Number("PARTITION"), Column::Number("START"), Column::Number("NEW START"), Column::Number("RECORDS")];

    fn cells(&self) -> Vec<String> {
        [i64::from(self.partition), self.log_start, self.before, self.records].map(|number| number.to_string()).to_vec()
    }
}

impl Trim {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.trim(&Admin::new(client)).await)
    }

    async fn trim(&self, admin: &Admin) -> Result<(), Failure> {
        let topic = look_up_one(admin, &self.name).await?;
        let cuts = self.plan(admin, &topic).await?;
        if !self.yes {
            self.output.list(&cuts, "")?;
            let next = "add --yes to delete these records: there is no way back";
            return Err(Failure::new(Exit::Usage, "nothing is deleted yet", next));
        }
        let (mut done, mut failures) = (Vec::new(), Vec::new());
        for cut in cuts {
            let below = Some(Offset(cut.before));
            match admin.delete_records(&self.name, PartitionIndex(cut.partition), below).await {
                Ok(start) => done.push(Cut { before: start.0, ..cut }),
                Err(error) => failures.push(error.into()),
            }
        }
        self.output.list(&done, "")?;
        Failure::of_several(done.len(), failures)
    }

    /// Where each partition will begin. Nothing is put back, so none will begin earlier than it does.
    async fn plan(&self, admin: &Admin, topic: &TopicDescription) -> Result<Vec<Cut>, Failure> {
        let extents = extents(admin, topic).await?;
        for wanted in &self.partition {
            if !extents.contains_key(&PartitionIndex(*wanted)) {
                let what = format!("topic {} has no partition {wanted} that anybody leads", topic.name);
                let next = format!("'thalweg topic describe {}' shows its partitions", topic.name);
                return Err(Failure::new(Exit::Refused, what, next));
            }
        }
        let is_wanted = |index: PartitionIndex| self.partition.is_empty() || self.partition.contains(&index.0);
        let now = admin.client().world().clock.wall();
        let start = match self.before {
            Bound::Offset(offset) => Start::Offset(offset),
            Bound::Time(when) => Start::Time(when.at(now)),
            Bound::End => Start::Latest,
        };
        let extents: Vec<_> = extents.into_iter().filter(|(index, _)| is_wanted(*index)).collect();
        let asked: Vec<_> = extents.iter().map(|(index, _)| (topic.name.as_str(), *index, start)).collect();
        let found = admin.offsets(&asked).await;
        let cuts = extents.iter().zip(found).map(|((index, extent), before)| {
            let before = before?.clamp(extent.start, extent.end);
            let records = before.0 - extent.start.0;
            Ok(Cut { partition: index.0, log_start: extent.start.0, before: before.0, records })
        });
        cuts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::Timestamp;

    #[test]
    fn a_bare_number_is_an_offset_and_what_has_a_unit_is_a_time() {
        assert_eq!(bound("1000"), Ok(Bound::Offset(Offset(1000))));
        assert_eq!(bound("end"), Ok(Bound::End));
        assert_eq!(bound("-7d"), Ok(Bound::Time(When::Ago(std::time::Duration::from_secs(604_800)))));
        assert_eq!(bound("@5"), Ok(Bound::Time(When::At(Timestamp::from_millis(5)))));
        assert!(bound("-1").is_err() && bound("7d").is_err());
    }
}
