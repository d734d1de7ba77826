//! What holds for one topic: its own configuration over the broker's defaults, as typed values.

use std::collections::BTreeMap;
use std::time::Duration;

use thalweg_log::segment::Rules as SegmentRules;
use thalweg_wire::batch::{Compaction, Compression, Rules, TimestampType};

use super::Settings;
use super::layers::Values;
use super::table::{self, Setting};
use super::value::{self, InvalidConfig, Value};
use crate::partition::Durability;

/// The values that hold for one topic.
#[derive(Clone, PartialEq, Debug)]
pub struct TopicSettings {
    /// `cleanup.policy`.
    pub cleanup: Cleanup,
    /// `compression.type` and the level of that codec; `None` is `producer`: batches are stored as they came.
    pub compression: Option<Compression>,
    /// `flush.mode`.
    pub flush: Flush,
    /// `flush.messages`: records until an async log is synced; `None` is never.
    pub flush_after_records: Option<u64>,
    /// `flush.ms`: time until an async log is synced; `None` is never.
    pub flush_after: Option<Duration>,
    /// `storage.mode`.
    pub storage: Storage,
    /// `max.message.bytes`: the largest batch.
    pub max_message_bytes: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`; [`i64::MAX`] is no limit.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`; [`i64::MAX`] is no limit.
    pub timestamp_after_max_ms: i64,
    /// `min.insync.replicas`, at least 1.
    pub min_insync_replicas: usize,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election: bool,
    /// `retention.ms`; `None` is for ever.
    pub retention: Option<Duration>,
    /// `retention.bytes`; `None` is without limit.
    pub retention_bytes: Option<u64>,
    /// `segment.bytes`.
    pub segment_bytes: usize,
    /// `segment.ms`.
    pub segment_age: Duration,
    /// `segment.jitter.ms`.
    pub segment_jitter: Duration,
    /// `segment.index.bytes`.
    pub index_bytes: usize,
    /// `index.interval.bytes`.
    pub index_interval_bytes: usize,
    /// `preallocate`.
    pub preallocate: bool,
    /// `file.delete.delay.ms`.
    pub file_delete_delay: Duration,
    /// `delete.retention.ms`.
    pub delete_retention: Duration,
    /// `min.compaction.lag.ms`.
    pub compaction_lag_min: Duration,
    /// `max.compaction.lag.ms`; `None` is without limit.
    pub compaction_lag_max: Option<Duration>,
    /// `min.cleanable.dirty.ratio`, from 0 to 1.
    pub dirty_ratio_min: f64,
}

/// What makes room in a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cleanup {
    /// Nothing: all is kept for ever.
    Nothing,
    /// Old segments are dropped.
    Delete,
    /// Each key's last record is kept.
    Compact,
    /// Both.
    CompactAndDelete,
}

/// When a record counts as stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// Once it is on stable storage.
    Sync,
    /// Once the operating system has it, as in Kafka.
    Async,
}

/// Where a topic lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    /// In files.
    Disk,
    /// In memory, which a restart empties.
    Memory,
}

/// One line of a topic's configuration, as CreateTopics (v5+) reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicConfig {
    /// The row of the table.
    pub setting: &'static Setting,
    /// The value, as Kafka writes it.
    pub value: String,
    /// Where it comes from.
    pub source: ConfigSource,
}

/// Where a value comes from; the numbers are those of Kafka's `ConfigSource`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigSource {
    /// The topic's own configuration.
    Topic = 1,
    /// It was changed for this broker while it ran.
    DynamicBroker = 2,
    /// It was changed for all brokers while they ran.
    DynamicDefaultBroker = 3,
    /// The broker was started with it.
    StaticBroker = 4,
    /// Nobody gave it.
    Default = 5,
}

/// The value of each of the table's topic settings, by name.
pub(super) type Defaults = BTreeMap<&'static str, (Value, ConfigSource)>;

impl TopicSettings {
    /// What the files of the topic's partitions depend on.
    pub fn segment_rules(&self) -> SegmentRules {
        let bytes = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        SegmentRules {
            segment_bytes: bytes(self.segment_bytes),
            segment_age: self.segment_age,
            // Drawn per partition once segments are rolled by age without records; until then none is needed.
            jitter: Duration::ZERO,
            index_interval_bytes: bytes(self.index_interval_bytes),
            index_bytes: bytes(self.index_bytes),
        }
    }

    /// How the topic's records become stable.
    pub fn durability(&self) -> Durability {
        match (self.storage, self.flush) {
            (Storage::Memory, _) => Durability::Memory(self.retention_bytes.unwrap_or(u64::MAX)),
            (Storage::Disk, Flush::Async) => Durability::PageCache,
            (Storage::Disk, Flush::Sync) => Durability::Journal,
        }
    }

    /// What a batch for the topic must obey.
    pub fn rules(&self) -> Rules {
        Rules {
            max_message_bytes: self.max_message_bytes,
            segment_bytes: self.segment_bytes,
            timestamp_type: self.timestamp_type,
            before_max: self.timestamp_before_max_ms,
            after_max: self.timestamp_after_max_ms,
            compaction: match self.cleanup {
                Cleanup::Compact | Cleanup::CompactAndDelete => Compaction::On,
                Cleanup::Nothing | Cleanup::Delete => Compaction::Off,
            },
            compression: self.compression,
        }
    }

    /// What holds for a topic with these settings of its own. Refuses what CreateTopics would refuse.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(
        broker: &Settings,
        overrides: impl IntoIterator<Item = (N, V)>,
    ) -> Result<TopicSettings, InvalidConfig> {
        typed(&effective(broker, overrides)?)
    }

    /// Refuses what can't change while a topic exists.
    pub fn check_fixed(&self, before: &TopicSettings) -> Result<(), InvalidConfig> {
        let fixed = |name| Err(InvalidConfig::Fixed { name });
        if self.storage != before.storage {
            fixed("storage.mode")
        } else if self.storage == Storage::Disk && self.flush != before.flush {
            // What the journal holds of the topic, and what only its files do, would have to change hands.
            fixed("flush.mode")
        } else {
            Ok(())
        }
    }

    /// Whether a topic may have this setting with this value, as far as one setting alone can tell.
    /// [`TopicSettings::new`] also checks them against each other.
    pub fn check(name: &str, value: &str) -> Result<(), InvalidConfig> {
        read(name, value).map(drop)
    }

    /// All of a topic's configuration, sorted by name: its own settings over the broker's.
    pub fn describe<N: AsRef<str>, V: AsRef<str>>(
        broker: &Settings,
        overrides: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Vec<TopicConfig>, InvalidConfig> {
        let values = effective(broker, overrides)?;
        let lines = table::topic().iter().map(|setting| {
            let (value, source) = &values[setting.name];
            TopicConfig { setting, value: value.to_string(), source: *source }
        });
        Ok(lines.collect())
    }
}

impl Cleanup {
    /// Whether each key's last record is kept.
    pub fn compacts(self) -> bool {
        matches!(self, Cleanup::Compact | Cleanup::CompactAndDelete)
    }

    /// Whether old segments are dropped.
    pub fn deletes(self) -> bool {
        matches!(self, Cleanup::Delete | Cleanup::CompactAndDelete)
    }
}

/// The topics' defaults as the broker's settings have them.
pub(super) fn defaults(broker: &Values) -> Defaults {
    let value_of = |setting: &'static Setting| {
        let given = setting.synonyms.iter().find_map(|synonym| {
            let value = broker.given(synonym.name)?;
            Some((in_unit(value, synonym.unit), broker.source(synonym.name)))
        });
        match given {
            Some(given) => given,
            None => {
                let value = super::layers::default(setting);
                (value.unwrap_or_else(|| panic!("{} has a default", setting.name)), ConfigSource::Default)
            }
        }
    };
    table::topic().iter().map(|setting| (setting.name, value_of(setting))).collect()
}

/// The topics' defaults as typed values; refuses a broker whose defaults contradict each other.
pub(super) fn check_defaults(defaults: &Defaults) -> Result<(), InvalidConfig> {
    typed(defaults).map(drop)
}

fn in_unit(value: &Value, unit: i64) -> Value {
    match value {
        // "For ever" is -1 in every unit.
        Value::Number(number) if unit > 1 && *number < 0 => Value::Number(-1),
        Value::Number(number) => Value::Number(number.saturating_mul(unit)),
        other => other.clone(),
    }
}

fn read(name: &str, value: &str) -> Result<(&'static str, Value), InvalidConfig> {
    let unknown = || InvalidConfig::UnknownTopicConfig { name: name.chars().take(200).collect() };
    let setting = table::topic_setting(name).ok_or_else(unknown)?;
    let value = value::parse(setting, value)?;
    if name == "remote.storage.enable" && value.boolean() {
        return Err(InvalidConfig::NoTieredStorage);
    }
    Ok((setting.name, value))
}

fn effective<N: AsRef<str>, V: AsRef<str>>(
    broker: &Settings,
    overrides: impl IntoIterator<Item = (N, V)>,
) -> Result<Defaults, InvalidConfig> {
    let mut values = broker.topic_defaults.clone();
    for (name, value) in overrides {
        let (name, value) = read(name.as_ref(), value.as_ref())?;
        values.insert(name, (value, ConfigSource::Topic));
    }
    Ok(values)
}

fn typed(values: &Defaults) -> Result<TopicSettings, InvalidConfig> {
    let value = |name: &str| &values[name].0;
    let number = |name: &str| value(name).number();
    let size = |name: &str| usize::try_from(number(name).max(0)).unwrap_or(usize::MAX);
    let span = |name: &str| Duration::from_millis(number(name).max(0).unsigned_abs());
    let unless_max = |name: &str| (number(name) != i64::MAX).then(|| span(name));

    let (least, most) = ("min.compaction.lag.ms", "max.compaction.lag.ms");
    if number(least) > number(most) {
        return Err(InvalidConfig::Conflict { lower: (least, number(least)), upper: (most, number(most)) });
    }
    let in_memory = value("storage.mode").text() == "memory";
    if in_memory && number("retention.bytes") < 0 {
        return Err(InvalidConfig::Unbounded);
    }
    let policies = value("cleanup.policy").list();
    let has = |policy: &str| policies.iter().any(|other| other == policy);
    Ok(TopicSettings {
        cleanup: match (has("compact"), has("delete")) {
            (true, true) => Cleanup::CompactAndDelete,
            (true, false) => Cleanup::Compact,
            (false, true) => Cleanup::Delete,
            (false, false) => Cleanup::Nothing,
        },
        compression: match value("compression.type").text() {
            "uncompressed" => Some(Compression::None),
            // -1 leaves it to the library.
            "gzip" => Some(Compression::Gzip(u32::try_from(number("compression.gzip.level")).ok())),
            "snappy" => Some(Compression::Snappy),
            "lz4" => Some(Compression::Lz4),
            "zstd" => Some(Compression::Zstd(i32::try_from(number("compression.zstd.level")).unwrap_or(i32::MAX))),
            _ => None,
        },
        flush: if value("flush.mode").text() == "async" { Flush::Async } else { Flush::Sync },
        flush_after_records: u64::try_from(number("flush.messages")).ok().filter(|&records| records != i64::MAX as u64),
        flush_after: unless_max("flush.ms"),
        storage: if in_memory { Storage::Memory } else { Storage::Disk },
        max_message_bytes: size("max.message.bytes"),
        timestamp_type: match value("message.timestamp.type").text() {
            "LogAppendTime" => TimestampType::LogAppendTime,
            _ => TimestampType::CreateTime,
        },
        timestamp_before_max_ms: number("message.timestamp.before.max.ms"),
        timestamp_after_max_ms: number("message.timestamp.after.max.ms"),
        min_insync_replicas: size("min.insync.replicas"),
        unclean_leader_election: value("unclean.leader.election.enable").boolean(),
        retention: (number("retention.ms") >= 0).then(|| span("retention.ms")),
        retention_bytes: u64::try_from(number("retention.bytes")).ok(),
        segment_bytes: size("segment.bytes"),
        segment_age: span("segment.ms"),
        segment_jitter: span("segment.jitter.ms"),
        index_bytes: size("segment.index.bytes"),
        index_interval_bytes: size("index.interval.bytes"),
        preallocate: value("preallocate").boolean(),
        file_delete_delay: span("file.delete.delay.ms"),
        delete_retention: span("delete.retention.ms"),
        compaction_lag_min: span(least),
        compaction_lag_max: unless_max(most),
        dirty_ratio_min: match value("min.cleanable.dirty.ratio") {
            Value::Double(ratio) => *ratio,
            other => panic!("{other:?} was read as a ratio"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use super::*;

    const NONE: [(&str, &str); 0] = [];

    #[test]
    fn a_topic_without_a_word_of_its_own_gets_kafkas_defaults() {
        let topic = TopicSettings::new(&settings(&[]), NONE).unwrap();
        assert_eq!(topic.cleanup, Cleanup::Delete);
        assert_eq!(topic.compression, None);
        assert_eq!((topic.flush, topic.storage), (Flush::Sync, Storage::Disk));
        assert_eq!(topic.max_message_bytes, 1_048_588);
        assert_eq!(topic.retention, Some(Duration::from_hours(168)));
        assert_eq!((topic.retention_bytes, topic.flush_after, topic.flush_after_records), (None, None, None));
        assert_eq!(topic.segment_bytes, 1 << 30);
    }

    #[test]
    fn a_topics_own_word_is_over_the_brokers_and_the_brokers_over_the_default() {
        let broker = settings(&[("log.retention.ms", "1000"), ("message.max.bytes", "2000")]);
        let topic =
            TopicSettings::new(&broker, [("retention.ms", "-1"), ("cleanup.policy", "delete,compact")]).unwrap();
        assert_eq!((topic.retention, topic.max_message_bytes), (None, 2000));
        assert_eq!(topic.cleanup, Cleanup::CompactAndDelete);

        let described = TopicSettings::describe(&broker, [("retention.ms", " -1 ")]).unwrap();
        let line = |name: &str| {
            let line = described.iter().find(|line| line.setting.name == name).unwrap();
            (line.value.as_str(), line.source)
        };
        assert_eq!(described.len(), 35);
        assert_eq!(line("retention.ms"), ("-1", ConfigSource::Topic));
        assert_eq!(line("max.message.bytes"), ("2000", ConfigSource::StaticBroker));
        assert_eq!(line("segment.bytes"), ("1073741824", ConfigSource::Default));
    }

    #[test]
    fn retention_in_ms_is_stronger_than_in_minutes_and_minutes_than_hours() {
        let retention = |given: &[(&str, &str)]| {
            let topic = TopicSettings::new(&settings(given), NONE).unwrap();
            topic.retention.map(|span| span.as_secs())
        };
        let (hours, minutes, ms) =
            (("log.retention.hours", "2"), ("log.retention.minutes", "3"), ("log.retention.ms", "4000"));
        assert_eq!(retention(&[hours]), Some(7200));
        assert_eq!(retention(&[hours, minutes]), Some(180));
        assert_eq!(retention(&[ms, minutes, hours]), Some(4));
        assert_eq!(retention(&[("log.retention.hours", "-1")]), None);
    }

    #[test]
    fn a_codec_comes_with_its_level() {
        let compression = |given: &[(&str, &str)]| {
            TopicSettings::new(&settings(&[("compression.zstd.level", "19")]), given.iter().copied())
                .unwrap()
                .compression
        };
        assert_eq!(compression(&[("compression.type", "uncompressed")]), Some(Compression::None));
        assert_eq!(compression(&[("compression.type", "zstd")]), Some(Compression::Zstd(19)));
        assert_eq!(compression(&[("compression.type", "gzip")]), Some(Compression::Gzip(None)));
        let gzip = [("compression.type", "gzip"), ("compression.gzip.level", "9")];
        assert_eq!(compression(&gzip), Some(Compression::Gzip(Some(9))));
    }

    #[test]
    fn a_topic_is_refused_as_kafka_refuses_it() {
        let refusal = |name: &str, value: &str| {
            let alone = TopicSettings::check(name, value).unwrap_err();
            assert_eq!(TopicSettings::new(&settings(&[]), [(name, value)]), Err(alone.clone()));
            alone.to_string()
        };
        assert_eq!(refusal("no.such", "1"), "Unknown topic config name: no.such");
        assert_eq!(
            refusal("segment.bytes", "100"),
            "Invalid value 100 for configuration segment.bytes: Value must be at least 1048576"
        );
        assert_eq!(
            refusal("remote.storage.enable", "true"),
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."
        );
        let lags = [("min.compaction.lag.ms", "100"), ("max.compaction.lag.ms", "50")];
        assert_eq!(
            TopicSettings::new(&settings(&[]), lags).unwrap_err().to_string(),
            "conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (50)"
        );
    }

    /// Kafka takes it; here a batch must fit into one write of the journal.
    /// Memory is everybody's: a topic that lives there says how much of it.
    #[test]
    fn a_topic_in_memory_has_a_bound() {
        let memory = ("storage.mode", "memory");
        assert_eq!(TopicSettings::new(&settings(&[]), [memory]), Err(InvalidConfig::Unbounded));
        let bounded = TopicSettings::new(&settings(&[]), [memory, ("retention.bytes", "1000")]).unwrap();
        assert_eq!(bounded.durability(), Durability::Memory(1000));
    }

    #[test]
    fn a_batch_that_one_commit_can_not_take_is_refused_before_it_is_sent() {
        assert!(TopicSettings::check("max.message.bytes", "16777216").is_ok());
        let refusal = TopicSettings::check("max.message.bytes", "16777217").unwrap_err();
        assert!(refusal.to_string().ends_with("Value must be no more than 16777216"));
    }
}
