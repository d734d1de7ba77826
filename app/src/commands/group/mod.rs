//! `thalweg group`: shows how far groups have read, moves them, and deletes them.

mod delete;
mod describe;
mod lag;
mod list;
mod reset;

use clap::{Args, Subcommand};
use thalweg_client::admin::{GroupDescription, Refused};
use thalweg_client::{Admin, ClientError};
use thalweg_wire::ErrorCode;

use super::topic;
use crate::failure::{Exit, Failure, said};
use crate::names;

/// Show how far consumer groups have read, move them, and delete them.
#[derive(Args)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Group {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(list::List),
    Describe(describe::Describe),
    Reset(reset::Reset),
    Delete(delete::Delete),
}

impl Group {
    /// Does what the command line asks for.
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::List(list) => list.run(),
            Verb::Describe(describe) => describe.run(),
            Verb::Reset(reset) => reset.run(),
            Verb::Delete(delete) => delete.run(),
        }
    }
}

/// Looks for a group, which has to be there.
async fn look_up(admin: &Admin, name: &str) -> Result<GroupDescription, Failure> {
    match admin.group(name).await {
        Ok(group) => Ok(group),
        Err(error) => Err(failure(admin, name, error).await),
    }
}

/// Why nothing is known of a group, or could be done with it.
async fn failure(admin: &Admin, name: &str, error: ClientError) -> Failure {
    match error {
        ClientError::Refused { code, what } => refusal(admin, name, &Refused { code, message: what }).await,
        error => error.into(),
    }
}

/// Why a group was refused. For one that isn't there, the name that was meant is looked for.
async fn refusal(admin: &Admin, name: &str, refused: &Refused) -> Failure {
    match refused.code {
        ErrorCode::GroupIdNotFound => {
            // Without the list there is still something to say.
            let groups = admin.groups().await.unwrap_or_default();
            missing(name, names::nearest(name, groups.iter().map(|group| group.name.as_str())))
        }
        // A commit of nobody in particular is refused by this while somebody is there.
        ErrorCode::NonEmptyGroup | ErrorCode::UnknownMemberId => in_use(name, "members"),
        ErrorCode::GroupSubscribedToTopic => in_use(name, "members that read it"),
        code => Failure::refused(code, format!("group {name}: {}", said(&refused.message, code))),
    }
}

fn missing(name: &str, meant: Option<&str>) -> Failure {
    let next = match meant {
        Some(meant) => format!("did you mean {meant}? 'thalweg group list' shows the groups that are there"),
        None => "'thalweg group list' shows those that do".to_owned(),
    };
    Failure::new(Exit::Refused, format!("group {name} does not exist"), next)
}

/// A group can't be changed from outside while it has members.
fn in_use(name: &str, who: &str) -> Failure {
    let next = format!("stop them first: 'thalweg group describe {name}' shows them");
    Failure::new(Exit::Refused, format!("group {name} has {who}"), next)
}

/// Whether nobody is in a group.
fn is_idle(group: &GroupDescription) -> Result<(), Failure> {
    match group.members.len() {
        0 => Ok(()),
        1 => Err(in_use(&group.name, "a member")),
        count => Err(in_use(&group.name, &format!("{count} members"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_is_not_there_is_answered_with_the_name_that_was_meant() {
        let failure = missing("raeders", Some("readers")).to_string();
        assert!(failure.contains("group raeders does not exist\n  did you mean readers?"), "{failure}");
    }
}
