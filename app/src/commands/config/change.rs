//! Changes of settings, as they are asked for and as they are told back.

use serde::Serialize;
use thalweg_client::Admin;
use thalweg_client::ClientError;
use thalweg_client::admin::{Change, Mode, Resource, Setting};
use thalweg_wire::ErrorCode;

use super::{called, refusal, settings, typed};
use crate::failure::{Failure, said};
use crate::names;

/// What to do with settings.
pub(in crate::commands) struct Changes<'a> {
    pub(in crate::commands) set: &'a [(String, String)],
    pub(in crate::commands) reset: &'a [String],
    pub(in crate::commands) append: &'a [(String, String)],
    pub(in crate::commands) subtract: &'a [(String, String)],
}

/// What was done with one, or would be.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(in crate::commands) struct Changed {
    name: String,
    operation: Operation,
    value: Option<String>,
    before: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Operation {
    Set,
    Reset,
    Append,
    Subtract,
}

impl Changes<'_> {
    fn list(&self) -> Vec<(&str, Change)> {
        let set = self.set.iter().map(|(name, value)| (name.as_str(), Change::Set(value.clone())));
        let reset = self.reset.iter().map(|name| (name.as_str(), Change::Reset));
        let append = self.append.iter().map(|(name, value)| (name.as_str(), Change::Append(value.clone())));
        let subtract = self.subtract.iter().map(|(name, value)| (name.as_str(), Change::Subtract(value.clone())));
        set.chain(reset).chain(append).chain(subtract).collect()
    }
}

impl Changed {
    fn of(name: &str, change: &Change, before: &[Setting]) -> Changed {
        let (operation, value) = match change {
            Change::Set(value) => (Operation::Set, Some(value.clone())),
            Change::Reset => (Operation::Reset, None),
            Change::Append(value) => (Operation::Append, Some(value.clone())),
            Change::Subtract(value) => (Operation::Subtract, Some(value.clone())),
        };
        let before = before.iter().find(|setting| setting.name == name).and_then(|setting| setting.value.clone());
        Changed { name: name.to_owned(), operation, value, before }
    }

    /// A topic's partitions, told as its settings are.
    pub(in crate::commands) fn partitions(before: usize, now: i32) -> Changed {
        let (value, before) = (Some(now.to_string()), Some(before.to_string()));
        Changed { name: "partitions".to_owned(), operation: Operation::Set, value, before }
    }

    /// As it is told to people.
    pub(in crate::commands) fn line(&self, of: &str, is_dry: bool) -> String {
        let Changed { name, value, .. } = self;
        let value = value.as_deref().unwrap_or_default();
        let change = match self.operation {
            Operation::Set => format!("{name}={value}"),
            Operation::Reset => format!("{name} back to its default"),
            Operation::Append => format!("{name} with {value}"),
            Operation::Subtract => format!("{name} without {value}"),
        };
        let (would, was) = if is_dry { ("would be ", "is") } else { ("", "was") };
        let before = self.before.as_ref().map_or_else(String::new, |before| format!(" ({was} {before})"));
        format!("{of}: {would}{change}{before}")
    }
}

/// Changes settings, or checks whether they could be changed.
pub(in crate::commands) async fn alter(
    admin: &Admin,
    of: &Resource,
    changes: &Changes<'_>,
    mode: Mode,
) -> Result<Vec<Changed>, Failure> {
    let list = changes.list();
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let before = settings(admin, of).await?;
    match admin.alter_configs(of, &list, mode).await {
        Ok(()) => Ok(list.iter().map(|(name, change)| Changed::of(name, change, &before)).collect()),
        Err(ClientError::Refused { code: code @ ErrorCode::InvalidConfig, what }) => {
            let failure = Failure::refused(code, format!("{}: {}", called(of), said(&what, code)));
            let known = || before.iter().map(|setting| setting.name.as_str());
            let stranger = list.iter().find(|(name, _)| !known().any(|known| known == *name));
            Err(match stranger.and_then(|(name, _)| names::nearest(name, known())) {
                Some(meant) => failure.but(format!("did you mean {meant}?")),
                None => {
                    failure.but(format!("'thalweg config get {} --all --explain' tells what each is for", typed(of)))
                }
            })
        }
        Err(error) => Err(refusal(admin, of, error).await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_with_what_was_before() {
        let changed = Changed {
            name: "retention.ms".to_owned(),
            operation: Operation::Set,
            value: Some("5".to_owned()),
            before: Some("7".to_owned()),
        };
        assert_eq!(changed.line("t", false), "t: retention.ms=5 (was 7)");
        assert_eq!(changed.line("t", true), "t: would be retention.ms=5 (is 7)");
        let reset = Changed { operation: Operation::Reset, value: None, before: None, ..changed };
        assert_eq!(reset.line("t", false), "t: retention.ms back to its default");
    }
}
