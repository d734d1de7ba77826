//! `thalweg group list`.

use clap::Args;
use serde::Serialize;
use thalweg_client::Admin;
use thalweg_client::admin::GroupListing;

use crate::failure::Failure;
use crate::names;
use crate::output::{Column, Output, Row, or_dash};
use crate::reach::Reach;

/// List groups.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct List {
    /// Only those with such a name: * is any characters, ? is one
    pattern: Option<String>,

    /// Only those in this state, such as stable or empty
    #[arg(short, long, value_name = "STATE")]
    state: Option<String>,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg group list
  thalweg group list 'orders-*' --state empty
  thalweg group list --output json | jq -r '.[].name'

PURPOSE is what its members are, such as consumer or connect; KIND the protocol that they speak; BROKER who coordinates it.";

#[derive(Serialize)]
struct Listed {
    name: String,
    state: Option<String>,
    purpose: Option<String>,
    kind: Option<String>,
    coordinator: i32,
}

impl Row for Listed {
    const COLUMNS: &'static [Column] = &[
        Column::Words("GROUP"),
        Column::Words("STATE"),
        Column::Words("PURPOSE"),
        Column::Words("KIND"),
        Column::Number("BROKER"),
    ];

    fn cells(&self) -> Vec<String> {
        let [state, purpose, kind] = [&self.state, &self.purpose, &self.kind].map(|word| or_dash(word.as_ref()));
        vec![self.name.clone(), state, purpose, kind, self.coordinator.to_string()]
    }
}

impl List {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.reach.ask(async |client| self.list(&Admin::new(client)).await)
    }

    async fn list(&self, admin: &Admin) -> Result<(), Failure> {
        let listed: Vec<Listed> = admin
            .groups()
            .await?
            .into_iter()
            .filter(|group| self.wants(group))
            .map(|group| Listed {
                name: group.name,
                state: group.state,
                purpose: Some(group.protocol_type).filter(|purpose| !purpose.is_empty()),
                kind: group.kind,
                coordinator: group.coordinator.0,
            })
            .collect();
        let none = match (&self.pattern, &self.state) {
            (None, None) => "there are no groups: a consumer makes one when it joins it",
            _ => "no group is like that",
        };
        self.output.list(&listed, none)
    }

    fn wants(&self, group: &GroupListing) -> bool {
        let is_named = self.pattern.as_deref().is_none_or(|pattern| names::matches(pattern, &group.name));
        let is_state = |state: &String| group.state.as_deref().is_some_and(|told| told.eq_ignore_ascii_case(state));
        is_named && self.state.as_ref().is_none_or(is_state)
    }
}
