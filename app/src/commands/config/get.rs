//! `thalweg config get`.

use clap::{Args, Subcommand};
use serde::Serialize;
use thalweg_client::Admin;
use thalweg_client::admin::{Resource, Setting, Source};
use thalweg_wire::BrokerId;

use super::{called, settings};
use crate::failure::{Exit, Failure};
use crate::names;
use crate::output::{Column, Output, Row};
use crate::reach::Reach;

/// Show settings.
#[derive(Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Get {
    #[command(subcommand)]
    of: Of,
}

const EXAMPLES: &str = "\
Examples:
  thalweg config get topic orders
      what was set for the topic
  thalweg config get topic orders 'retention.*' --explain
      how long its records are kept, and what that means
  thalweg config get broker 1 --all
  thalweg config get brokers
      what was set for all brokers while they ran";

#[derive(Subcommand)]
enum Of {
    /// Settings of a topic
    Topic {
        /// The topic
        name: String,
        #[command(flatten)]
        look: Look,
    },
    /// Settings of one broker
    Broker {
        /// Its number
        id: i32,
        #[command(flatten)]
        look: Look,
    },
    /// Settings of all brokers: they hold where one says nothing itself
    Brokers {
        #[command(flatten)]
        look: Look,
    },
}

#[derive(Args)]
struct Look {
    /// Only these settings, whoever set them: * is any characters, ? is one [default: those that somebody set]
    #[arg(value_name = "SETTING")]
    settings: Vec<String>,

    /// Those that nobody set, too
    #[arg(long)]
    all: bool,

    /// Tell what each is for, in the broker's words
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    value: Option<String>,
    source: String,
    read_only: bool,
    sensitive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    documentation: Option<String>,
}

impl Row for Shown {
    const COLUMNS: &'static [Column] = &[Column::Words("SETTING"), Column::Words("VALUE"), Column::Words("SOURCE")];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.shown_value(), self.source.clone()]
    }
}

impl Get {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (of, look) = match self.of {
            Of::Topic { name, look } => (Resource::Topic(name), look),
            Of::Broker { id, look } => (Resource::Broker(BrokerId(id)), look),
            Of::Brokers { look } => (Resource::AllBrokers, look),
        };
        look.reach.ask(async |client| look.show(&Admin::new(client), &of).await)
    }
}

impl Look {
    async fn show(&self, admin: &Admin, of: &Resource) -> Result<(), Failure> {
        let all = settings(admin, of).await?;
        self.are_there(of, &all)?;
        let shown = all.into_iter().filter(|setting| self.wants(setting)).map(|setting| self.shown(setting));
        let shown: Vec<Shown> = shown.collect();
        let none = format!("nothing is set for {}: --all shows the defaults", called(of));
        if self.explain && !self.output.is_json() && !shown.is_empty() {
            return crate::output::write(&shown.iter().map(Shown::text).collect::<String>());
        }
        self.output.list(&shown, &none)
    }

    fn wants(&self, setting: &Setting) -> bool {
        match self.settings.as_slice() {
            [] => self.all || setting.source != Source::Default,
            patterns => patterns.iter().any(|pattern| names::matches(pattern, &setting.name)),
        }
    }

    /// Each name that was typed has to be one.
    fn are_there(&self, of: &Resource, all: &[Setting]) -> Result<(), Failure> {
        let has = |pattern: &str| all.iter().any(|setting| names::matches(pattern, &setting.name));
        let Some(missing) = self.settings.iter().find(|pattern| !has(pattern)) else { return Ok(()) };
        let next = match names::nearest(missing, all.iter().map(|setting| setting.name.as_str())) {
            Some(meant) => format!("did you mean {meant}? --all shows every setting"),
            None => "--all shows every setting".to_owned(),
        };
        Err(Failure::new(Exit::Refused, format!("{} has no setting {missing}", called(of)), next))
    }

    fn shown(&self, setting: Setting) -> Shown {
        Shown {
            name: setting.name,
            value: setting.value,
            source: source(setting.source),
            read_only: setting.is_read_only,
            sensitive: setting.is_sensitive,
            documentation: setting.documentation.filter(|_| self.explain),
        }
    }
}

impl Shown {
    fn shown_value(&self) -> String {
        match &self.value {
            Some(value) => value.clone(),
            None if self.sensitive => "(hidden)".to_owned(),
            None => "-".to_owned(),
        }
    }

    fn text(&self) -> String {
        let Shown { name, source, documentation, .. } = self;
        let fixed = if self.read_only { ", read only" } else { "" };
        let documentation = documentation.as_deref().unwrap_or("the broker doesn't tell what it is for").trim();
        let documentation = documentation.replace('\n', "\n  ");
        format!("{name}={} ({source}{fixed})\n  {documentation}\n", self.shown_value())
    }
}

fn source(source: Source) -> String {
    match source {
        Source::Topic => "topic".to_owned(),
        Source::Broker => "broker".to_owned(),
        Source::AllBrokers => "brokers".to_owned(),
        Source::Start => "start".to_owned(),
        Source::Default => "default".to_owned(),
        Source::Other(code) => format!("other ({code})"),
    }
}
