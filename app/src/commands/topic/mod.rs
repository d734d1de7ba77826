//! `thalweg topic`: makes, shows, changes and deletes topics.

mod alter;
mod create;
mod delete;
mod describe;
mod list;
mod trim;

use clap::{Args, Subcommand};
use thalweg_client::Admin;
use thalweg_client::admin::{Refused, TopicDescription};
use thalweg_wire::ErrorCode;

use crate::failure::{Exit, Failure, said};
use crate::names;

/// Make, show, change and delete topics.
#[derive(Args)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Topic {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Create(create::Create),
    List(list::List),
    Describe(describe::Describe),
    Alter(alter::Alter),
    Trim(trim::Trim),
    Delete(delete::Delete),
}

impl Topic {
    /// Does what the command line asks for.
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Create(create) => create.run(),
            Verb::List(list) => list.run(),
            Verb::Describe(describe) => describe.run(),
            Verb::Alter(alter) => alter.run(),
            Verb::Trim(trim) => trim.run(),
            Verb::Delete(delete) => delete.run(),
        }
    }
}

/// Looks for topics by name: those that are there, and why the others are not.
pub(super) async fn look_up(admin: &Admin, names: &[String]) -> Result<(Vec<TopicDescription>, Vec<Failure>), Failure> {
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for (name, outcome) in admin.describe_topics(&wanted).await? {
        match outcome {
            Ok(topic) => found.push(topic),
            Err(refused) => failures.push(refusal(admin, &name, &refused).await),
        }
    }
    Ok((found, failures))
}

/// Looks for one topic.
pub(super) async fn look_up_one(admin: &Admin, name: &str) -> Result<TopicDescription, Failure> {
    let (mut found, failures) = look_up(admin, &[name.to_owned()]).await?;
    Failure::of_several(0, failures)?;
    found
        .pop()
        .ok_or_else(|| refused_topic(name, &Refused { code: ErrorCode::UnknownServerError, message: String::new() }))
}

/// Why a topic was refused. For one that isn't there, the name that was meant is looked for.
pub(super) async fn refusal(admin: &Admin, name: &str, refused: &Refused) -> Failure {
    match refused.code {
        ErrorCode::UnknownTopicOrPartition => {
            // Without the list there is still something to say.
            let topics = admin.topics().await.unwrap_or_default();
            missing(name, names::nearest(name, topics.iter().map(|topic| topic.name.as_str())))
        }
        _ => refused_topic(name, refused),
    }
}

fn missing(name: &str, meant: Option<&str>) -> Failure {
    let next = match meant {
        Some(meant) => format!("did you mean {meant}? 'thalweg topic list' shows the topics that are there"),
        None => format!("'thalweg topic list' shows those that do; 'thalweg topic create {name}' makes it"),
    };
    Failure::new(Exit::Refused, format!("topic {name} does not exist"), next)
}

fn refused_topic(name: &str, Refused { code, message }: &Refused) -> Failure {
    let what = match code {
        ErrorCode::TopicAlreadyExists => format!("topic {name} exists already"),
        ErrorCode::InvalidTopicException => format!("{name} can't be a topic's name"),
        code => format!("topic {name}: {}", said(message, *code)),
    };
    Failure::refused(*code, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_not_there_is_answered_with_the_name_that_was_meant() {
        let failure = missing("ordres", Some("orders")).to_string();
        assert!(failure.contains("topic ordres does not exist\n  did you mean orders?"), "{failure}");
        let failure = missing("orders", None).to_string();
        assert!(failure.contains("'thalweg topic create orders' makes it"), "{failure}");
    }
}
