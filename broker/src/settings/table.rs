//! What a row of the settings table says, and how to find a row by its name.
//!
//! The rows stand in [`super::broker_table`] and [`super::topic_table`]. DescribeConfigs, the command line and the docs
//! read them; the code below the settings sees only typed options.

use super::broker_table::BROKER;
use super::topic_table::TOPIC;

/// One setting, as Kafka names it.
#[derive(PartialEq, Eq, Debug)]
pub struct Setting {
    /// Kafka's name, or ours where Kafka has none.
    pub name: &'static str,
    /// What kind of value it takes.
    pub kind: Kind,
    /// The default as a person would write it; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// Which values of that kind are taken.
    pub bounds: Bounds,
    /// Where and when it can be set.
    pub scope: Scope,
    /// Whether setting it changes anything here.
    pub effect: Effect,
    /// One sentence for people.
    pub about: &'static str,
    /// For a topic's setting: where its value comes from when the topic says nothing, the strongest first.
    pub synonyms: &'static [Synonym],
}

/// The kinds of values; the names are those of Kafka's `ConfigDef.Type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Boolean,
    /// 16 bits, signed.
    Short,
    /// 32 bits, signed.
    Int,
    /// 64 bits, signed.
    Long,
    /// A floating-point number.
    Double,
    /// Text.
    String,
    /// Text parted by commas.
    List,
    /// The name of a Java class, which we can only recognise.
    Class,
    /// Text that is never shown.
    Password,
}

/// Which values of a kind are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bounds {
    /// All.
    Any,
    /// Numbers not below this one.
    AtLeast(i64),
    /// Numbers from the first to the second, both included.
    Between(i64, i64),
    /// -1, or a number from the first to the second.
    BetweenOrMinusOne(i64, i64),
    /// One of these words, written just so.
    OneOf(&'static [&'static str]),
    /// One of these words, in any case.
    OneOfAnyCase(&'static [&'static str]),
    /// A list of these words, or nothing.
    Each(&'static [&'static str]),
    /// A list of these words, at least one.
    SomeOf(&'static [&'static str]),
    /// `*`, or a list of `PARTITION:BROKER`.
    Replicas,
}

/// Where and when a setting can be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// When the broker starts.
    Static,
    /// At any time, for one broker.
    PerBroker,
    /// At any time, for one broker or for all.
    Cluster,
    /// On a topic, at any time.
    Topic,
    /// On a topic, only when it is created.
    TopicCreation,
}

/// Whether setting it changes anything here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It acts.
    Acts,
    /// It will act; until then it is checked, kept and reported, and a value that is not the default is warned about.
    Waits,
    /// There is nothing here for it to steer (a thread pool, a purgatory): checked, kept and reported.
    Moot,
}

/// A broker's setting that gives a topic's setting its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Synonym {
    /// The broker's setting.
    pub name: &'static str,
    /// How many of the topic's units one of its units is: 3,600,000 for hours where the topic counts milliseconds.
    pub unit: i64,
}

impl Setting {
    /// Whether its value must not be shown.
    pub fn is_sensitive(&self) -> bool {
        self.kind == Kind::Password
    }
}

/// The broker's settings, sorted by name.
pub fn broker() -> &'static [Setting] {
    BROKER
}

/// The topics' settings, sorted by name.
pub fn topic() -> &'static [Setting] {
    TOPIC
}

/// A broker's setting.
pub fn broker_setting(name: &str) -> Option<&'static Setting> {
    find(BROKER, name)
}

/// A topic's setting.
pub fn topic_setting(name: &str) -> Option<&'static Setting> {
    find(TOPIC, name)
}

fn find(table: &'static [Setting], name: &str) -> Option<&'static Setting> {
    table.binary_search_by(|row| row.name.cmp(name)).ok().map(|at| &table[at])
}

/// Rows of the table: `"name" Kind Default, Bounds, Scope, Effect: "One sentence.";`, for a topic's setting followed by
/// `<- "synonym" * unit` and so on.
macro_rules! rows {
    ($(
        $name:literal $kind:ident $default:expr, $bounds:expr, $scope:ident, $effect:ident: $about:literal
        $(<- $synonym:literal * $unit:literal)*;
    )*) => {
        &[$($crate::settings::table::Setting {
            name: $name,
            kind: $crate::settings::table::Kind::$kind,
            default: $default,
            bounds: $bounds,
            scope: $crate::settings::table::Scope::$scope,
            effect: $crate::settings::table::Effect::$effect,
            about: $about,
            synonyms: &[$($crate::settings::table::Synonym { name: $synonym, unit: $unit }),*],
        }),*]
    };
}
pub(super) use rows;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::value::parse;

    #[test]
    fn a_row_is_found_by_its_name_because_the_tables_are_sorted() {
        for table in [BROKER, TOPIC] {
            for pair in table.windows(2) {
                assert!(pair[0].name < pair[1].name, "{} stands before {}", pair[0].name, pair[1].name);
            }
        }
        assert_eq!(broker_setting("num.partitions").unwrap().default, Some("1"));
        assert!(broker_setting("retention.ms").is_none());
        assert!(topic_setting("no.such").is_none());
    }

    #[test]
    fn every_default_passes_its_own_check_and_every_row_explains_itself() {
        for setting in BROKER.iter().chain(TOPIC) {
            if let Some(default) = setting.default {
                let value = parse(setting, default).unwrap();
                assert_eq!(value.to_string(), default, "{} is written as it is shown", setting.name);
            }
            assert!(setting.about.ends_with('.'), "{} has a sentence", setting.name);
        }
    }

    #[test]
    fn a_topics_default_is_that_of_its_synonyms() {
        for setting in TOPIC {
            let inherited = setting.synonyms.iter().find_map(|synonym| {
                let row = broker_setting(synonym.name).unwrap_or_else(|| panic!("{} is a row", synonym.name));
                let default = row.default?;
                Some(if synonym.unit == 1 {
                    default.to_owned()
                } else {
                    (default.parse::<i64>().unwrap() * synonym.unit).to_string()
                })
            });
            if let Some(inherited) = inherited {
                assert_eq!(setting.default, Some(inherited.as_str()), "{}", setting.name);
            }
        }
    }

    #[test]
    fn all_33_topic_configs_of_kafka_4_3_are_there_and_two_of_our_own() {
        let ours = ["flush.mode", "storage.mode"];
        assert_eq!(TOPIC.iter().filter(|row| !ours.contains(&row.name)).count(), 33);
        assert!(ours.iter().all(|name| topic_setting(name).is_some()));
    }
}
