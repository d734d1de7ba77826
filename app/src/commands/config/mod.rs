//! `thalweg config`: shows and changes settings of topics and brokers.

mod change;
mod get;
mod set;

use clap::{Args, Subcommand};
use thalweg_client::admin::{Refused, Resource, Setting};
use thalweg_client::{Admin, ClientError};
use thalweg_wire::{BrokerId, ErrorCode};

pub(super) use change::{Changed, Changes, alter};

use super::topic;
use crate::failure::{Exit, Failure};
use crate::quantities;

/// Show and change settings of topics and brokers.
#[derive(Args)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Get(get::Get),
    Set(set::Set),
}

impl Config {
    /// Does what the command line asks for.
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Get(get) => get.run(),
            Verb::Set(set) => set.run(),
        }
    }
}

/// Reads `NAME=VALUE` of a setting, with times and sizes as people write them.
pub(super) fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').map(|(name, value)| (name.trim(), value)) {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), quantities::setting_value(name, value))),
        _ => Err("write it as NAME=VALUE, for example retention.ms=7d".to_owned()),
    }
}

/// What a resource is called.
fn called(of: &Resource) -> String {
    match of {
        Resource::Topic(name) => format!("topic {name}"),
        Resource::Broker(id) => format!("broker {id}"),
        Resource::AllBrokers => "all brokers".to_owned(),
    }
}

/// How it is named on the command line.
fn typed(of: &Resource) -> String {
    match of {
        Resource::AllBrokers => "brokers".to_owned(),
        of => called(of),
    }
}

/// The settings of a resource, which is looked for first: what is not there says so.
async fn settings(admin: &Admin, of: &Resource) -> Result<Vec<Setting>, Failure> {
    if let Resource::Broker(id) = of {
        is_there(admin, *id).await?;
    }
    match admin.configs(of).await {
        Ok(settings) => Ok(settings),
        Err(error) => Err(refusal(admin, of, error).await),
    }
}

async fn is_there(admin: &Admin, id: BrokerId) -> Result<(), Failure> {
    match admin.cluster().await?.brokers.iter().any(|broker| broker.id == id) {
        true => Ok(()),
        false => {
            let next = "'thalweg cluster status' shows the brokers that are there";
            Err(Failure::new(Exit::Refused, format!("broker {id} does not exist"), next))
        }
    }
}

async fn refusal(admin: &Admin, of: &Resource, error: ClientError) -> Failure {
    match (of, error) {
        (Resource::Topic(name), ClientError::Refused { code, what })
            if matches!(code, ErrorCode::UnknownTopicOrPartition | ErrorCode::InvalidTopicException) =>
        {
            topic::refusal(admin, name, &Refused { code, message: what }).await
        }
        (of, ClientError::Refused { code, what }) => {
            let what = crate::failure::said(&what, code);
            Failure::refused(code, format!("{}: {what}", called(of)))
        }
        (_, error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_name_and_a_value_which_may_be_empty_or_have_an_equals_sign() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(setting("retention.ms=7d"), pair("retention.ms", "604800000"));
        assert_eq!(setting("a="), pair("a", ""));
        assert_eq!(setting("a=b=c"), pair("a", "b=c"));
        assert!(setting("retention.ms").is_err() && setting("=1").is_err());
    }
}
