//! What can be changed while the broker runs, for it or for all brokers, and what holds then.
//!
//! Kafka's rules in Kafka's words (`DynamicBrokerConfig.validate`), with two differences: a name that nobody knows is
//! refused, and so are defaults of topics that contradict each other, which Kafka takes, to refuse every topic afterwards.

use std::collections::BTreeMap;

use super::layers::Overrides;
use super::table::{self, Scope};
use super::{Settings, topic, value};

/// How far a change reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// One broker.
    One,
    /// All brokers.
    All,
}

/// Kafka takes them by listener only.
const SECURITY_PREFIX: &str = "ssl.";

impl Settings {
    /// What holds when these are all changes of that reach. What was set by a newer version, and isn't understood here,
    /// changes nothing.
    pub fn changed(&self, reach: Reach, changes: &BTreeMap<String, String>) -> Settings {
        let mut settings = self.clone();
        settings.values.change(reach, overrides(changes));
        settings.topic_defaults = topic::defaults(&settings.values);
        // What is wrong was refused when it was set.
        settings.connections = super::connections(&settings.values, &mut Vec::new());
        settings.producer_expiration = super::producer_expiration(&settings.values);
        settings
    }

    /// Refuses what can't be changed while the broker runs. `changes` are all that it would have of that reach.
    pub fn check_changes(&self, reach: Reach, changes: &BTreeMap<String, String>) -> Result<(), String> {
        let all = |wanted: &dyn Fn(&str) -> bool| -> Option<String> {
            let names: Vec<&str> = changes.keys().map(String::as_str).filter(|name| wanted(name)).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let scoped = |name: &str, scope| table::broker_setting(name).is_some_and(|setting| setting.scope == scope);
        if let Some(names) = all(&|name| scoped(name, Scope::Static)) {
            return Err(format!("Cannot update these configs dynamically: [{names}]"));
        }
        if let Some(names) = all(&|name| name.starts_with(SECURITY_PREFIX)) {
            return Err(format!(
                "These security configs can be dynamically updated only per-listener using the listener prefix: [{names}]"
            ));
        }
        for (name, text) in changes {
            let Some(setting) = table::broker_setting(name) else { return Err(stranger(name)) };
            value::parse(setting, text).map_err(|refusal| refusal.to_string())?;
        }
        if let (Reach::All, Some(names)) = (reach, all(&|name| scoped(name, Scope::PerBroker))) {
            return Err(format!(
                "Cannot update these configs at default cluster level, broker id must be specified: [{names}]"
            ));
        }
        self.check_together(reach, overrides(changes))
    }

    /// Refuses values that can't be had together with those that hold beside them.
    fn check_together(&self, reach: Reach, changes: Overrides) -> Result<(), String> {
        let mut values = self.values.clone();
        values.change(reach, changes);
        let mut problems = Vec::new();
        super::check_topic_defaults(&topic::defaults(&values), &values, &mut problems);
        super::connections(&values, &mut problems);
        problems.into_iter().next().map_or(Ok(()), |(_, what)| Err(what))
    }
}

fn overrides(changes: &BTreeMap<String, String>) -> Overrides {
    let understood = changes.iter().filter_map(|(name, text)| {
        let setting = table::broker_setting(name)?;
        let value = value::parse(setting, text);
        let value = value.inspect_err(|error| tracing::warn!(name, %error, "a broker's setting can't be understood"));
        Some((setting.name, value.ok()?))
    });
    understood.collect()
}

fn stranger(name: &str) -> String {
    let name: String = name.chars().take(200).collect();
    match table::topic_setting(&name).map(|setting| setting.synonyms) {
        Some([meant, ..]) => format!("{name} is a topic's setting; {} is the default for all topics", meant.name),
        Some([]) => format!("{name} is a topic's setting; set it on a topic"),
        None => format!("Unknown broker config name: {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::TopicSettings;
    use super::super::tests::settings;
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_change_for_one_broker_is_over_one_for_all_and_that_over_the_start() {
        let started = settings(&[("log.retention.hours", "100"), ("message.max.bytes", "2000")]);
        let retention = |own: &[_], shared: &[_]| {
            let changed = started.changed(Reach::One, &map(own)).changed(Reach::All, &map(shared));
            let topic = TopicSettings::new(&changed, [("flush.mode", "sync")]).unwrap();
            topic.retention.map(|span| span.as_millis())
        };
        assert_eq!(retention(&[], &[]), Some(360_000_000));
        assert_eq!(retention(&[], &[("log.retention.ms", "60000")]), Some(60_000));
        assert_eq!(retention(&[("log.retention.ms", "70000")], &[("log.retention.ms", "60000")]), Some(70_000));
        // What a newer version may have left.
        assert_eq!(retention(&[("log.retention.ms", "soon"), ("no.such", "1")], &[]), Some(360_000_000));
        let changed = started.changed(Reach::One, &map(&[("max.connections", "5")]));
        assert_eq!(changed.connections.total, 5);
    }

    #[test]
    fn what_can_not_be_changed_while_it_runs_is_refused_in_kafkas_words() {
        let started = settings(&[]);
        let check = |reach, pairs: &[_]| started.check_changes(reach, &map(pairs)).err().unwrap_or_default();
        for (reach, name, value, refusal) in [
            (Reach::All, "log.retention.ms", "60000", ""),
            (Reach::One, "log.cleanup.policy", "delete,compact", ""),
            (Reach::One, "cordoned.log.dirs", "/d", ""),
            (
                Reach::All,
                "cordoned.log.dirs",
                "/d",
                "Cannot update these configs at default cluster level, broker id must be specified: [cordoned.log.dirs]",
            ),
            (Reach::One, "log.retention.hours", "5", "Cannot update these configs dynamically: [log.retention.hours]"),
            (
                Reach::One,
                "ssl.keystore.location",
                "/x",
                "These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]",
            ),
            (
                Reach::All,
                "log.segment.bytes",
                "1",
                "Invalid value 1 for configuration log.segment.bytes: Value must be at least 1048576",
            ),
            (
                Reach::All,
                "log.retention.ms",
                "0",
                "log.retention.ms must be unlimited (-1) or, greater than or equal to 1",
            ),
            (Reach::All, "no.such", "1", "Unknown broker config name: no.such"),
            (
                Reach::All,
                "retention.ms",
                "1",
                "retention.ms is a topic's setting; log.retention.ms is the default for all topics",
            ),
            (
                Reach::All,
                "max.connections.per.ip.overrides",
                "here",
                "max.connections.per.ip.overrides: here is not ADDRESS:COUNT",
            ),
        ] {
            assert_eq!(check(reach, &[(name, value)]), refusal, "{name}={value}");
        }
        assert_eq!(
            check(Reach::One, &[("num.partitions", "5"), ("node.id", "4"), ("log.retention.ms", "x")]),
            "Cannot update these configs dynamically: [node.id, num.partitions]"
        );
        // Kafka takes these, and refuses every topic afterwards.
        let lags = [("log.cleaner.min.compaction.lag.ms", "10"), ("log.cleaner.max.compaction.lag.ms", "5")];
        assert!(check(Reach::All, &lags).contains("conflict topic config setting"));
    }
}
