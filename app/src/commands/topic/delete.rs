//! `thalweg topic delete`.

use clap::Args;
use serde::Serialize;
use thalweg_client::Admin;

use super::describe::extents;
use super::{look_up, refusal};
use crate::failure::{Exit, Failure};
use crate::output::{Column, Output, Row};
use crate::reach::Reach;

/// Delete topics, with all records in them.
///
/// Without --yes it only shows what would be deleted.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Delete {
    /// Their names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

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
  thalweg topic delete orders
      shows what would be deleted
  thalweg topic delete orders payments --yes
      deletes both";

/// What would be deleted.
#[derive(Serialize)]
struct Doomed {
    name: String,
    partitions: usize,
    records: i64,
}

impl Row for Doomed {
    const COLUMNS: &'static [Column] =
        &[Column::Words("TOPIC"), Column::Number("PARTITIONS"), Column::Number("RECORDS")];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.partitions.to_string(), self.records.to_string()]
    }
}

#[derive(Serialize)]
struct Deleted {
    name: String,
}

impl Delete {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| {
            let admin = Admin::new(client);
            if self.yes { self.delete(&admin).await } else { self.plan(&admin).await }
        })
    }

    async fn plan(&self, admin: &Admin) -> Result<(), Failure> {
        let (topics, mut failures) = look_up(admin, &self.names).await?;
        let mut doomed = Vec::new();
        for topic in &topics {
            let extents = extents(admin, topic).await?;
            let records = extents.values().map(|extent| extent.end.0 - extent.start.0).sum();
            doomed.push(Doomed { name: topic.name.clone(), partitions: topic.partitions.len(), records });
        }
        if doomed.is_empty() {
            return Failure::of_several(0, failures);
        }
        self.output.list(&doomed, "")?;
        let next = "add --yes to delete this, with all records in it: there is no way back";
        failures.push(Failure::new(Exit::Usage, "nothing is deleted yet", next));
        Failure::of_several(0, failures)
    }

    async fn delete(&self, admin: &Admin) -> Result<(), Failure> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let (mut deleted, mut failures) = (Vec::new(), Vec::new());
        for (name, outcome) in admin.delete_topics(&names).await? {
            match outcome {
                Ok(()) => deleted.push(Deleted { name }),
                Err(refused) => failures.push(refusal(admin, &name, &refused).await),
            }
        }
        self.output.report(&deleted, |topic| format!("{}: deleted", topic.name))?;
        Failure::of_several(deleted.len(), failures)
    }
}
