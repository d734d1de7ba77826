//! `thalweg topic alter`.

use clap::{ArgGroup, Args};
use thalweg_client::Admin;
use thalweg_client::admin::{Mode, Refused, Resource};
use thalweg_wire::ErrorCode;

use super::{look_up_one, refusal};
use crate::commands::config::{Changed, Changes, alter, setting};
use crate::failure::{Failure, said};
use crate::output::Output;
use crate::reach::Reach;

/// Give a topic more partitions, or other settings.
///
/// All of it is checked before a part of it is done.
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("change").args(["partitions", "config", "reset"]).required(true).multiple(true)
)]
pub(super) struct Alter {
    /// Its name
    name: String,

    /// How many partitions it has then; there can only be more. Records with a key go to other partitions from then on
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,

    /// A setting gets this value; may be repeated. What takes milliseconds or bytes may be given as 7d or 64MiB
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,

    /// A setting goes back to its default; may be repeated
    #[arg(long, value_name = "NAME")]
    reset: Vec<String>,

    /// Only check whether it could be done
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg topic alter orders --partitions 24
  thalweg topic alter orders --config retention.ms=30d --reset segment.bytes";

impl Alter {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.alter(&Admin::new(client)).await)
    }

    async fn alter(&self, admin: &Admin) -> Result<(), Failure> {
        let topic = look_up_one(admin, &self.name).await?;
        let had = topic.partitions.len();
        let of = Resource::Topic(self.name.clone());
        let changes = Changes { set: &self.config, reset: &self.reset, append: &[], subtract: &[] };
        let mut done = alter(admin, &of, &changes, Mode::Check).await?;
        self.grow(admin, had, Mode::Check).await?;
        if !self.dry_run {
            done = alter(admin, &of, &changes, Mode::Do).await?;
            self.grow(admin, had, Mode::Do).await?;
        }
        if let Some(count) = self.partitions {
            done.push(Changed::partitions(had, count));
        }
        self.output.report(&done, |change| change.line(&self.name, self.dry_run))
    }

    async fn grow(&self, admin: &Admin, had: usize, mode: Mode) -> Result<(), Failure> {
        let Some(count) = self.partitions else { return Ok(()) };
        for (name, outcome) in admin.create_partitions(&[(&self.name, count)], mode).await? {
            match outcome {
                Ok(()) => {}
                Err(Refused { code: code @ ErrorCode::InvalidPartitions, message }) => {
                    let what = match usize::try_from(count) {
                        Ok(count) if count <= had => {
                            format!("topic {name} has {had} partitions already, and can only get more")
                        }
                        _ => format!("topic {name}: {}", said(&message, code)),
                    };
                    return Err(Failure::refused(code, what));
                }
                Err(refused) => return Err(refusal(admin, &name, &refused).await),
            }
        }
        Ok(())
    }
}
