//! Where settings come from, and which of them wins: flags over `--set` over the environment over the file over defaults.
//! What was changed while the broker ran, for it or else for all brokers, is over all of these.
//!
//! Nothing here reads a file or the environment; who starts the broker gathers [`Layers`] and hands them over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::changes::Reach;
use super::table::{self, Effect, Setting};
use super::topic::ConfigSource;
use super::value::{self, Value};

/// What the names of environment variables start with.
const ENVIRONMENT_PREFIX: &str = "THALWEG_";

/// All that was said about settings. In one layer the last of a name counts.
#[derive(Clone, Default, Debug)]
pub struct Layers {
    /// From flags with a meaning of their own: `--listen`, `--data`.
    pub flags: Vec<Given>,
    /// From `--set name=value`.
    pub set: Vec<Given>,
    /// From `THALWEG_*`.
    pub environment: Vec<Given>,
    /// From a properties file.
    pub file: Vec<Given>,
}

/// One setting, as somebody gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// The setting's name, known or not.
    pub name: String,
    /// Its value, unread.
    pub value: String,
    /// Who gave it.
    pub origin: Origin,
}

/// Who gave a setting. `Display` names the place, for a complaint about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A flag, with its dashes.
    Flag(&'static str),
    /// `--set`.
    Set,
    /// An environment variable, by its name.
    Environment(String),
    /// A line of a properties file, from 1.
    File {
        /// The file as the user named it.
        path: String,
        /// The line.
        line: usize,
    },
    /// Nobody.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => f.write_str(flag),
            Origin::Set => f.write_str("--set"),
            Origin::Environment(variable) => f.write_str(variable),
            Origin::File { path, line } => write!(f, "{path}, line {line}"),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// What a person should know although the broker starts. `Display` is one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Warning {
    /// No such setting; as in Kafka it is passed over.
    Unknown {
        /// The name.
        name: String,
        /// Who gave it.
        origin: Origin,
    },
    /// A topic's setting where a broker's belongs; passed over.
    TopicOnly {
        /// The topic's setting.
        name: &'static str,
        /// The broker's setting that was meant, if there is one.
        meant: Option<&'static str>,
        /// Who gave it.
        origin: Origin,
    },
    /// It is kept and reported, but nothing acts on it yet.
    NoEffectYet {
        /// The setting.
        name: &'static str,
        /// Who gave it.
        origin: Origin,
    },
    /// A controllers' listener: a node needs none to agree with itself.
    ListenerIgnored {
        /// The listener, as it was given.
        listener: String,
        /// Who gave it.
        origin: Origin,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Unknown { name, origin } => write!(f, "{origin}: {name} is not a setting here and is ignored"),
            Warning::TopicOnly { name, meant: Some(meant), origin } => {
                write!(f, "{origin}: {name} is a topic's setting and is ignored; {meant} is the default for all topics")
            }
            Warning::TopicOnly { name, meant: None, origin } => {
                write!(f, "{origin}: {name} is a topic's setting and is ignored; set it on a topic")
            }
            Warning::NoEffectYet { name, origin } => write!(f, "{origin}: {name} is accepted but has no effect yet"),
            Warning::ListenerIgnored { listener, origin } => {
                write!(f, "{origin}: {listener} is a controllers' listener, which this node does not need; ignored")
            }
        }
    }
}

/// Why the broker can't start with these settings: all that is wrong, one line for each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidSettings {
    /// What is wrong, and who said it; never empty.
    pub problems: Vec<(Origin, String)>,
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (origin, what)) in self.problems.iter().enumerate() {
            let newline = if at == 0 { "" } else { "\n" };
            write!(f, "{newline}{origin}: {what}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidSettings {}

/// The setting that an environment variable stands for: `THALWEG_LOG_RETENTION_MS` is `log.retention.ms`. Kafka's
/// names hold dots and no underscores, so each underscore is a dot. `None` if the variable isn't ours.
pub fn setting_of_variable(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(ENVIRONMENT_PREFIX).filter(|name| !name.is_empty())?;
    Some(name.to_ascii_lowercase().replace('_', "."))
}

/// What was given, merged: one value for each name, checked, with its origin. What was not given is the default.
#[derive(Clone, Debug)]
pub(super) struct Values {
    given: BTreeMap<&'static str, (Value, Origin)>,
    /// Changed while it ran, for this broker.
    own: Overrides,
    /// Changed while it ran, for all brokers.
    shared: Overrides,
}

/// Values of a broker's settings that were changed while it ran.
pub(super) type Overrides = BTreeMap<&'static str, Value>;

impl Values {
    /// Merges the layers. Names that are no broker's settings become warnings, bad values problems.
    pub(super) fn merge(layers: &Layers) -> (Values, Vec<Warning>, Vec<(Origin, String)>) {
        let mut winners: BTreeMap<&str, &Given> = BTreeMap::new();
        for layer in [&layers.file, &layers.environment, &layers.set, &layers.flags] {
            winners.extend(layer.iter().map(|given| (given.name.as_str(), given)));
        }
        let (mut values, mut warnings, mut problems) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (name, given) in winners {
            let origin = given.origin.clone();
            let Some(setting) = table::broker_setting(name) else {
                warnings.push(stranger(name, origin));
                continue;
            };
            match value::parse(setting, &given.value) {
                Ok(value) => {
                    if setting.effect == Effect::Waits && Some(&value) != default(setting).as_ref() {
                        warnings.push(Warning::NoEffectYet { name: setting.name, origin: origin.clone() });
                    }
                    values.insert(setting.name, (value, origin));
                }
                Err(refusal) => problems.push((origin, refusal.to_string())),
            }
        }
        let none = Overrides::new;
        (Values { given: values, own: none(), shared: none() }, warnings, problems)
    }

    /// The value of a broker's setting; `None` is Kafka's null.
    pub(super) fn find(&self, name: &str) -> Option<Value> {
        match self.given(name) {
            Some(value) => Some(value.clone()),
            None => default(row(name)),
        }
    }

    /// Who gave it when the broker started.
    pub(super) fn origin(&self, name: &str) -> Origin {
        self.given.get(name).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// The value that was given, if one was.
    pub(super) fn given(&self, name: &str) -> Option<&Value> {
        let at_start = || self.given.get(name).map(|(value, _)| value);
        self.own.get(name).or_else(|| self.shared.get(name)).or_else(at_start)
    }

    /// Where the value that holds comes from.
    pub(super) fn source(&self, name: &str) -> ConfigSource {
        SOURCES.into_iter().find(|source| self.at(*source, name).is_some()).unwrap_or(ConfigSource::Default)
    }

    /// The value that a setting has from there.
    pub(super) fn at(&self, source: ConfigSource, name: &str) -> Option<Value> {
        let given = |by_default: bool| {
            let (value, origin) = self.given.get(name)?;
            ((*origin == Origin::Default) == by_default).then(|| value.clone())
        };
        match source {
            ConfigSource::Topic => None,
            ConfigSource::DynamicBroker => self.own.get(name).cloned(),
            ConfigSource::DynamicDefaultBroker => self.shared.get(name).cloned(),
            ConfigSource::StaticBroker => given(false),
            ConfigSource::Default => given(true).or_else(|| default(row(name))),
        }
    }

    /// Replaces what was changed while it ran.
    pub(super) fn change(&mut self, reach: Reach, changes: Overrides) {
        match reach {
            Reach::One => self.own = changes,
            Reach::All => self.shared = changes,
        }
    }

    /// A number whose setting has a default.
    pub(super) fn number(&self, name: &str) -> i64 {
        self.find(name).unwrap_or_else(|| panic!("{name} has a default")).number()
    }

    /// A truth value whose setting has a default.
    pub(super) fn boolean(&self, name: &str) -> bool {
        self.find(name).unwrap_or_else(|| panic!("{name} has a default")).boolean()
    }

    /// A text; an empty one says as little as none.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.find(name).map(|value| value.text().to_owned()).filter(|text| !text.is_empty())
    }

    /// A list; none is an empty one.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.find(name).map(|value| value.list().to_vec()).unwrap_or_default()
    }

    /// The names that were given.
    pub(super) fn names(&self) -> BTreeSet<&'static str> {
        self.given.keys().copied().collect()
    }
}

/// Where a broker's setting may come from, the strongest first.
pub(super) const SOURCES: [ConfigSource; 4] = [
    ConfigSource::DynamicBroker,
    ConfigSource::DynamicDefaultBroker,
    ConfigSource::StaticBroker,
    ConfigSource::Default,
];

/// What a setting is when nobody gives it.
pub(super) fn default(setting: &'static Setting) -> Option<Value> {
    let read = |text| value::parse(setting, text).unwrap_or_else(|refusal| panic!("the table holds {refusal}"));
    setting.default.map(read)
}

fn row(name: &str) -> &'static Setting {
    table::broker_setting(name).unwrap_or_else(|| panic!("{name} is a row of the table"))
}

fn stranger(name: &str, origin: Origin) -> Warning {
    match table::topic_setting(name) {
        Some(setting) => {
            let meant = setting.synonyms.first().map(|synonym| synonym.name);
            Warning::TopicOnly { name: setting.name, meant, origin }
        }
        None => Warning::Unknown { name: name.chars().take(200).collect(), origin },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, value: &str, origin: Origin) -> Given {
        Given { name: name.to_owned(), value: value.to_owned(), origin }
    }

    #[test]
    fn flags_win_over_set_over_environment_over_file_and_the_winner_is_remembered() {
        let line = |line| Origin::File { path: "server.properties".to_owned(), line };
        let variable = || Origin::Environment("THALWEG_NUM_PARTITIONS".to_owned());
        let mut layers = Layers {
            file: vec![given("num.partitions", "2", line(1)), given("num.partitions", "3", line(9))],
            ..Layers::default()
        };
        let number = |layers: &Layers| {
            let (values, ..) = Values::merge(layers);
            (values.number("num.partitions"), values.origin("num.partitions").to_string())
        };
        assert_eq!(number(&Layers::default()), (1, "default".to_owned()));
        assert_eq!(number(&layers), (3, "server.properties, line 9".to_owned()));
        layers.environment.push(given("num.partitions", "4", variable()));
        assert_eq!(number(&layers), (4, "THALWEG_NUM_PARTITIONS".to_owned()));
        layers.set.push(given("num.partitions", "5", Origin::Set));
        assert_eq!(number(&layers), (5, "--set".to_owned()));
        layers.flags.push(given("num.partitions", "6", Origin::Flag("--partitions")));
        assert_eq!(number(&layers), (6, "--partitions".to_owned()));
    }

    #[test]
    fn a_variable_names_a_setting() {
        assert_eq!(setting_of_variable("THALWEG_LOG_RETENTION_MS").as_deref(), Some("log.retention.ms"));
        assert_eq!(setting_of_variable("THALWEG_"), None);
        assert_eq!(setting_of_variable("PATH"), None);
        // No name is out of reach of the environment.
        assert!(table::broker().iter().all(|row| {
            setting_of_variable(&format!("THALWEG_{}", row.name.to_ascii_uppercase().replace('.', "_"))).as_deref()
                == Some(row.name)
        }));
    }

    #[test]
    fn a_name_that_is_not_a_brokers_is_passed_over_aloud() {
        let set =
            ["no.such", "retention.ms", "storage.mode", "log.cleaner.threads", "num.io.threads", "log.preallocate"]
                .iter()
                .zip(["1", "1", "disk", "3", "3", "false"])
                .map(|(name, value)| given(name, value, Origin::Set));
        let (_, warnings, problems) = Values::merge(&Layers { set: set.collect(), ..Layers::default() });
        assert_eq!(problems, []);
        let lines: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "--set: log.cleaner.threads is accepted but has no effect yet",
                "--set: no.such is not a setting here and is ignored",
                "--set: retention.ms is a topic's setting and is ignored; log.retention.ms is the default for all topics",
                "--set: storage.mode is a topic's setting and is ignored; set it on a topic",
            ]
        );
    }
}
