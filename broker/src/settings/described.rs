//! What DescribeConfigs says of a setting: its value, where that comes from, and what stands behind it.
//!
//! The order of places, and which of them a topic's setting has, are Kafka's (`ConfigHelper` and
//! `DynamicBrokerConfig.brokerConfigSynonyms` of 4.3, asked while it ran): layer by layer, in each of them name by name,
//! from the first place on that bears the setting's own name. A topic's setting has the places of one broker's setting
//! only: `retention.ms` those of `log.retention.ms`, and none if nobody has set that.

use std::collections::BTreeMap;

use super::Settings;
use super::layers::SOURCES;
use super::table::{self, Setting};
use super::topic::ConfigSource;
use super::value;

/// A setting as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// The row of the table.
    pub setting: &'static Setting,
    /// The value that holds; `None` is Kafka's null, or a secret.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: ConfigSource,
    /// All places that give it a value, the strongest first.
    pub places: Vec<Place>,
}

/// A place that gives a setting a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The setting's name there.
    pub name: &'static str,
    /// The value there; `None` for a secret.
    pub value: Option<String>,
    /// Which place it is.
    pub source: ConfigSource,
}

impl Settings {
    /// A setting of this broker.
    pub fn describe(&self, setting: &'static Setting) -> Described {
        let value = self.values.find(setting.name).filter(|_| !setting.is_sensitive());
        described(setting, value.map(|value| value.to_string()), self.places(setting.name))
    }

    /// What was changed for all brokers of a setting while they ran; `None` if nothing was.
    pub fn describe_shared(&self, setting: &'static Setting) -> Option<Described> {
        self.values.at(ConfigSource::DynamicDefaultBroker, setting.name)?;
        let mut places = self.places(setting.name);
        places.retain(|place| place.source == ConfigSource::DynamicDefaultBroker);
        let value = places.first()?.value.clone();
        Some(described(setting, value, places))
    }

    /// A setting of a topic that has these of its own.
    pub fn describe_topic(&self, setting: &'static Setting, own: &BTreeMap<String, String>) -> Described {
        let mut places = setting.synonyms.first().map(|synonym| self.places(synonym.name)).unwrap_or_default();
        let value = match own.get(setting.name) {
            Some(text) => {
                // What a newer version let in is shown as it stands.
                let value = value::parse(setting, text).map_or_else(|_| text.clone(), |value| value.to_string());
                let place = Place { name: setting.name, value: Some(value.clone()), source: ConfigSource::Topic };
                places.insert(0, place);
                value
            }
            None => self.topic_defaults[setting.name].0.to_string(),
        };
        described(setting, Some(value), places)
    }

    fn places(&self, name: &'static str) -> Vec<Place> {
        let names = names(name);
        let mut places = Vec::new();
        for source in SOURCES {
            for name in &names {
                let secret = table::broker_setting(name).is_none_or(Setting::is_sensitive);
                let shown = |text: String| (!secret).then_some(text);
                places.extend(self.values.at(source, name).map(|value| Place {
                    name,
                    value: shown(value.to_string()),
                    source,
                }));
            }
        }
        let own = places.iter().position(|place| place.name == name).unwrap_or(places.len());
        places.split_off(own)
    }
}

fn described(setting: &'static Setting, value: Option<String>, places: Vec<Place>) -> Described {
    let source = places.first().map_or(ConfigSource::Default, |place| place.source);
    Described { setting, value, source, places }
}

/// The names under which a broker's setting is found, in different units, the strongest first.
fn names(name: &'static str) -> Vec<&'static str> {
    let has = |setting: &&Setting| setting.synonyms.iter().any(|synonym| synonym.name == name);
    match table::topic().iter().find(has) {
        Some(setting) => setting.synonyms.iter().map(|synonym| synonym.name).collect(),
        None => vec![name],
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reach;
    use super::super::tests::settings;
    use super::*;

    fn shown(described: &Described) -> String {
        let places = described.places.iter().map(|place| {
            let value = place.value.as_deref().unwrap_or("null");
            format!(" {}={value}@{}", place.name, place.source as i8)
        });
        let value = described.value.as_deref().unwrap_or("null");
        format!("{value}@{}:{}", described.source as i8, places.collect::<String>())
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// As a Kafka 4.3.0 answered that was started with `log.retention.hours=100` and `log.segment.bytes=536870912`.
    #[test]
    fn places_are_those_that_kafka_lists() {
        let started = settings(&[("log.retention.hours", "100"), ("log.segment.bytes", "536870912")]);
        let topic = |settings: &Settings, name: &str, own: &[_]| {
            shown(&settings.describe_topic(table::topic_setting(name).unwrap(), &map(own)))
        };
        let broker = |settings: &Settings, name: &str| shown(&settings.describe(table::broker_setting(name).unwrap()));
        assert_eq!(topic(&started, "retention.ms", &[]), "360000000@5:");
        assert_eq!(topic(&started, "retention.ms", &[("retention.ms", " 5 ")]), "5@1: retention.ms=5@1");
        assert_eq!(
            topic(&started, "segment.bytes", &[("segment.bytes", "2097152")]),
            "2097152@1: segment.bytes=2097152@1 log.segment.bytes=536870912@4 log.segment.bytes=1073741824@5"
        );
        assert_eq!(topic(&started, "segment.ms", &[]), "604800000@5:");
        assert_eq!(topic(&started, "flush.ms", &[]), "9223372036854775807@5:");
        assert_eq!(topic(&started, "remote.storage.enable", &[]), "false@5:");
        assert_eq!(
            broker(&started, "log.retention.hours"),
            "100@4: log.retention.hours=100@4 log.retention.hours=168@5"
        );
        assert_eq!(broker(&started, "log.retention.ms"), "null@5:");
        assert_eq!(broker(&started, "log.retention.minutes"), "null@5:");

        let changed = started.changed(Reach::All, &map(&[("log.retention.ms", "60000")]));
        let behind = "log.retention.ms=60000@3 log.retention.hours=100@4 log.retention.hours=168@5";
        assert_eq!(broker(&changed, "log.retention.ms"), format!("60000@3: {behind}"));
        assert_eq!(topic(&changed, "retention.ms", &[]), format!("60000@3: {behind}"));
        assert_eq!(
            topic(&changed, "retention.ms", &[("retention.ms", "77")]),
            format!("77@1: retention.ms=77@1 {behind}")
        );
        let setting = table::broker_setting("log.retention.ms").unwrap();
        assert_eq!(shown(&changed.describe_shared(setting).unwrap()), "60000@3: log.retention.ms=60000@3");
        assert_eq!(started.describe_shared(setting), None);

        let changed = changed.changed(Reach::One, &map(&[("log.retention.ms", "70000")]));
        assert_eq!(broker(&changed, "log.retention.ms"), format!("70000@2: log.retention.ms=70000@2 {behind}"));
        let flush = map(&[("log.flush.interval.ms", "9")]);
        assert_eq!(
            topic(&started.changed(Reach::All, &flush), "flush.ms", &[]),
            "9@3: log.flush.interval.ms=9@3 log.flush.scheduler.interval.ms=9223372036854775807@5"
        );
    }

    #[test]
    fn a_secret_is_never_shown() {
        let started = settings(&[("ssl.keystore.password", "thalweg")]);
        let setting = table::broker_setting("ssl.keystore.password").unwrap();
        assert_eq!(shown(&started.describe(setting)), "null@4: ssl.keystore.password=null@4");
    }
}
