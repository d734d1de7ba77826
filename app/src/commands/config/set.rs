//! `thalweg config set`.

use clap::{ArgGroup, Args, Subcommand};
use thalweg_client::Admin;
use thalweg_client::admin::{Mode, Resource};
use thalweg_wire::BrokerId;

use super::{Changes, alter, setting};
use crate::failure::Failure;
use crate::output::Output;
use crate::reach::Reach;

/// Change settings: all that are named, or none; the others stay as they are.
#[derive(Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Set {
    #[command(subcommand)]
    of: Of,
}

const EXAMPLES: &str = "\
Examples:
  thalweg config set topic orders retention.ms=7d segment.bytes=64MiB
  thalweg config set topic orders --append cleanup.policy=compact --reset retention.ms
  thalweg config set brokers message.max.bytes=4MiB --dry-run
      only checks whether the brokers would take it";

#[derive(Subcommand)]
enum Of {
    /// Settings of a topic
    Topic {
        /// The topic
        name: String,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Settings of one broker
    Broker {
        /// Its number
        id: i32,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Settings of all brokers: they hold where one says nothing itself
    Brokers {
        #[command(flatten)]
        wanted: Wanted,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("change").args(["set", "reset", "append", "subtract"]).required(true).multiple(true))]
struct Wanted {
    /// They get these values. What takes milliseconds or bytes may be given as 7d or 64MiB
    #[arg(value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,

    /// A setting goes back to its default; may be repeated
    #[arg(long, value_name = "NAME")]
    reset: Vec<String>,

    /// A list gets these elements besides; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    append: Vec<(String, String)>,

    /// A list loses these elements; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    subtract: Vec<(String, String)>,

    /// Only check whether it could be done
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

impl Set {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (of, wanted) = match self.of {
            Of::Topic { name, wanted } => (Resource::Topic(name), wanted),
            Of::Broker { id, wanted } => (Resource::Broker(BrokerId(id)), wanted),
            Of::Brokers { wanted } => (Resource::AllBrokers, wanted),
        };
        wanted.reach.ask(async |client| wanted.change(&Admin::new(client), &of).await)
    }
}

impl Wanted {
    async fn change(&self, admin: &Admin, of: &Resource) -> Result<(), Failure> {
        let Wanted { set, reset, append, subtract, .. } = self;
        let mode = if self.dry_run { Mode::Check } else { Mode::Do };
        let done = alter(admin, of, &Changes { set, reset, append, subtract }, mode).await?;
        let name = match of {
            Resource::Topic(name) => name.clone(),
            of => super::called(of),
        };
        self.output.report(&done, |change| change.line(&name, self.dry_run))
    }
}
