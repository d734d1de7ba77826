//! Reads a setting's text as Kafka's `ConfigDef` does, with Kafka's words where it is refused.
//!
//! Clients and tests match on these words, so they are Kafka's to the letter.

use std::fmt;

use thalweg_wire::codec::STRING_BYTES_MAX;

use super::table::{Bounds, Kind, Setting};

/// The longest list and the longest value that are read: what requests bring, records keep and answers tell is a string
/// of the protocol.
const VALUE_BYTES_MAX: usize = STRING_BYTES_MAX;

/// A value that passed its setting's check. `Display` writes it as Kafka reports it.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A [`Kind::Boolean`].
    Boolean(bool),
    /// A [`Kind::Short`], [`Kind::Int`] or [`Kind::Long`], inside its width.
    Number(i64),
    /// A [`Kind::Double`], never NaN.
    Double(f64),
    /// A [`Kind::String`], [`Kind::Class`] or [`Kind::Password`].
    Text(String),
    /// A [`Kind::List`], without what came twice.
    List(Vec<String>),
}

/// Why a configuration is refused: error code INVALID_CONFIG (40). `Display` is Kafka's message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InvalidConfig {
    /// A topic has no such setting.
    UnknownTopicConfig {
        /// The name that came.
        name: String,
    },
    /// A name came without a value.
    Null {
        /// The setting.
        name: String,
    },
    /// A value that the setting does not take.
    BadValue {
        /// The setting.
        name: &'static str,
        /// What came, as far as it may be shown.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A list that must hold something is empty, or one of its elements is.
    Empty {
        /// The setting.
        name: &'static str,
        /// Kafka's words for what is missing.
        reason: String,
    },
    /// Two settings contradict each other.
    Conflict {
        /// The setting that must not be above the other, and its value.
        lower: (&'static str, i64),
        /// The other one.
        upper: (&'static str, i64),
    },
    /// `remote.storage.enable=true` on a broker that has no remote store.
    NoTieredStorage,
    /// `storage.mode=memory` without a bound: memory is everybody's.
    Unbounded,
    /// A setting that can't change once a topic exists.
    Fixed {
        /// The setting.
        name: &'static str,
    },
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidConfig::UnknownTopicConfig { name } => write!(f, "Unknown topic config name: {name}"),
            InvalidConfig::Null { name } => write!(f, "Null value not supported for topic configs: {name}"),
            InvalidConfig::BadValue { name, value, reason } => {
                write!(f, "Invalid value {value} for configuration {name}: {reason}")
            }
            InvalidConfig::Empty { name, reason } => write!(f, "Configuration '{name}' {reason}"),
            InvalidConfig::Conflict { lower, upper } => {
                write!(f, "conflict topic config setting {} ({}) > {} ({})", lower.0, lower.1, upper.0, upper.1)
            }
            InvalidConfig::NoTieredStorage => f.write_str(
                "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
            ),
            InvalidConfig::Unbounded => f.write_str(
                "storage.mode=memory needs retention.bytes: how many bytes of each partition are kept in memory",
            ),
            InvalidConfig::Fixed { name } => write!(f, "{name} is fixed when a topic is created and can't be altered"),
        }
    }
}

impl std::error::Error for InvalidConfig {}

/// Reads and checks the text of one setting.
pub fn parse(setting: &'static Setting, text: &str) -> Result<Value, InvalidConfig> {
    let refused = |value: &dyn fmt::Display, reason: String| {
        let value = if setting.is_sensitive() { "[hidden]".to_owned() } else { value.to_string() };
        InvalidConfig::BadValue { name: setting.name, value, reason }
    };
    if text.len() > VALUE_BYTES_MAX {
        let start: String = text.chars().take(40).collect();
        return Err(refused(&format_args!("{start}..."), format!("longer than {VALUE_BYTES_MAX} bytes")));
    }
    // Java's trim takes away all up to the space, control characters included.
    let trimmed = text.trim_matches(|c| c <= ' ');
    match setting.kind {
        Kind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Boolean(true)),
            "false" => Ok(Value::Boolean(false)),
            _ => return Err(refused(&text, "Expected value to be either true or false".to_owned())),
        },
        Kind::Short => number(trimmed, i16::MIN.into(), i16::MAX.into()),
        Kind::Int => number(trimmed, i32::MIN.into(), i32::MAX.into()),
        Kind::Long => number(trimmed, i64::MIN, i64::MAX),
        Kind::Double => trimmed.parse().ok().filter(|number: &f64| !number.is_nan()).map(Value::Double).ok_or(()),
        Kind::String | Kind::Class => Ok(Value::Text(trimmed.to_owned())),
        Kind::Password => Ok(Value::Text(text.to_owned())),
        Kind::List => Ok(Value::List(elements(trimmed))),
    }
    .map_err(|()| refused(&text, format!("Not a number of type {}", width(setting.kind))))
    .and_then(|value| match out_of_bounds(setting, &value) {
        None => Ok(without_repeats(value)),
        Some(Fault::Value(shown, reason)) => Err(refused(&shown, reason)),
        Some(Fault::Empty(reason)) => Err(InvalidConfig::Empty { name: setting.name, reason }),
    })
}

impl Value {
    /// The number, for a setting whose kind is one.
    pub(super) fn number(&self) -> i64 {
        match self {
            Value::Number(number) => *number,
            other => panic!("{other:?} was read as a number"),
        }
    }

    /// The truth value, for a setting whose kind is one.
    pub(super) fn boolean(&self) -> bool {
        match self {
            Value::Boolean(answer) => *answer,
            other => panic!("{other:?} was read as a boolean"),
        }
    }

    /// The text, for a setting whose kind is one.
    pub(super) fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            other => panic!("{other:?} was read as text"),
        }
    }

    /// The elements, for a setting whose kind is a list.
    pub(super) fn list(&self) -> &[String] {
        match self {
            Value::List(elements) => elements,
            other => panic!("{other:?} was read as a list"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Boolean(answer) => write!(f, "{answer}"),
            Value::Number(number) => write!(f, "{number}"),
            // Java writes an upper-case exponent.
            Value::Double(number) => write!(f, "{}", format!("{number:?}").to_uppercase()),
            Value::Text(text) => f.write_str(text),
            Value::List(elements) => f.write_str(&elements.join(",")),
        }
    }
}

enum Fault {
    Value(String, String),
    Empty(String),
}

fn number(text: &str, min: i64, max: i64) -> Result<Value, ()> {
    text.parse().ok().filter(|number| (min..=max).contains(number)).map(Value::Number).ok_or(())
}

fn width(kind: Kind) -> &'static str {
    match kind {
        Kind::Short => "SHORT",
        Kind::Int => "INT",
        Kind::Long => "LONG",
        _ => "DOUBLE",
    }
}

fn elements(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|element| element.trim_matches(|c| c <= ' ').to_owned()).collect()
}

fn without_repeats(value: Value) -> Value {
    let Value::List(elements) = value else { return value };
    let mut seen = std::collections::HashSet::new();
    Value::List(elements.into_iter().filter(|element| seen.insert(element.clone())).collect())
}

fn out_of_bounds(setting: &Setting, value: &Value) -> Option<Fault> {
    let must_be = |words: &[&str]| format!("String must be one of: {}", words.join(", "));
    match (setting.bounds, value) {
        (Bounds::Any, Value::List(elements)) => hollow(elements),
        (Bounds::AtLeast(min), Value::Number(_) | Value::Double(_)) => outside(value, min, i64::MAX),
        (Bounds::Between(min, max), Value::Number(_) | Value::Double(_)) => outside(value, min, max),
        (Bounds::BetweenOrMinusOne(min, max), Value::Number(number)) => {
            let fits = *number == -1 || (min..=max).contains(number);
            (!fits).then(|| {
                Fault::Value(number.to_string(), format!("Value must be between {min} and {max} or equal to -1"))
            })
        }
        (Bounds::OneOf(words), Value::Text(text)) => {
            (!words.contains(&text.as_str())).then(|| Fault::Value(text.clone(), must_be(words)))
        }
        (Bounds::OneOfAnyCase(words), Value::Text(text)) => {
            let known = words.iter().any(|word| word.eq_ignore_ascii_case(text));
            (!known).then(|| {
                Fault::Value(text.clone(), format!("String must be one of (case insensitive): {}", words.join(", ")))
            })
        }
        (Bounds::SomeOf(words), Value::List(elements)) if elements.is_empty() => {
            Some(Fault::Empty(format!("must not be empty. Valid values include: [{}]", words.join(", "))))
        }
        (Bounds::Each(words) | Bounds::SomeOf(words), Value::List(elements)) => hollow(elements).or_else(|| {
            let stranger = elements.iter().find(|element| !words.contains(&element.as_str()))?;
            Some(Fault::Value(stranger.clone(), must_be(words)))
        }),
        (Bounds::Replicas, Value::List(elements)) => {
            let all_named = elements.iter().all(|element| element.is_empty() || is_replica(element));
            let fits = all_named || elements.as_slice() == ["*"];
            (!fits).then(|| {
                let name = setting.name;
                let reason = format!(
                    "{name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."
                );
                Fault::Value(format!("[{}]", elements.join(", ")), reason)
            })
        }
        _ => None,
    }
}

fn outside(value: &Value, min: i64, max: i64) -> Option<Fault> {
    let (below, above) = match value {
        Value::Number(number) => (*number < min, *number > max),
        Value::Double(number) => (*number < min as f64, *number > max as f64),
        _ => return None,
    };
    let reason = if below {
        format!("Value must be at least {min}")
    } else if above {
        format!("Value must be no more than {max}")
    } else {
        return None;
    };
    Some(Fault::Value(value.to_string(), reason))
}

fn hollow(elements: &[String]) -> Option<Fault> {
    elements.iter().any(String::is_empty).then(|| Fault::Empty("values must not be empty.".to_owned()))
}

fn is_replica(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once(':').is_some_and(|(partition, broker)| digits(partition) && digits(broker))
}

#[cfg(test)]
mod tests {
    use super::super::table::topic_setting;
    use super::*;

    fn read(name: &str, text: &str) -> Result<String, String> {
        parse(topic_setting(name).unwrap(), text).map(|value| value.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_read_as_kafka_reads_them() {
        for (name, text, shown) in [
            ("retention.ms", " 5 ", "5"),
            ("retention.ms", "+5", "5"),
            ("retention.ms", "-1", "-1"),
            ("retention.bytes", "-5", "-5"),
            ("segment.bytes", "+00001048576", "1048576"),
            ("preallocate", "TRUE", "true"),
            ("min.cleanable.dirty.ratio", "1e-1", "0.1"),
            ("cleanup.policy", " compact , delete ", "compact,delete"),
            ("cleanup.policy", "compact,compact", "compact"),
            ("cleanup.policy", "", ""),
            ("compression.gzip.level", "-1", "-1"),
            ("leader.replication.throttled.replicas", " 0:1 , 1:2 ", "0:1,1:2"),
            ("leader.replication.throttled.replicas", "*", "*"),
        ] {
            assert_eq!(read(name, text).as_deref(), Ok(shown), "{name}={text}");
        }
    }

    #[test]
    fn a_bad_value_is_refused_in_kafkas_words() {
        for (name, text, message) in [
            ("retention.ms", "abc", "Invalid value abc for configuration retention.ms: Not a number of type LONG"),
            ("retention.ms", "", "Invalid value  for configuration retention.ms: Not a number of type LONG"),
            ("retention.ms", "0x10", "Invalid value 0x10 for configuration retention.ms: Not a number of type LONG"),
            ("retention.ms", "-2", "Invalid value -2 for configuration retention.ms: Value must be at least -1"),
            (
                "segment.bytes",
                "3000000000",
                "Invalid value 3000000000 for configuration segment.bytes: Not a number of type INT",
            ),
            (
                "segment.bytes",
                "100",
                "Invalid value 100 for configuration segment.bytes: Value must be at least 1048576",
            ),
            (
                "compression.lz4.level",
                "18",
                "Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17",
            ),
            (
                "compression.gzip.level",
                "0",
                "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
            ),
            (
                "cleanup.policy",
                "compact,foo",
                "Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete",
            ),
            ("cleanup.policy", "compact,,delete", "Configuration 'cleanup.policy' values must not be empty."),
            (
                "compression.type",
                "GZIP",
                "Invalid value GZIP for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
            ),
            (
                "preallocate",
                "yes",
                "Invalid value yes for configuration preallocate: Expected value to be either true or false",
            ),
            (
                "min.cleanable.dirty.ratio",
                "1.5",
                "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                "leader.replication.throttled.replicas",
                "*,0:1",
                "Invalid value [*, 0:1] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
            ),
        ] {
            assert_eq!(read(name, text), Err(message.to_owned()), "{name}={text}");
        }
    }

    #[test]
    fn a_ratio_that_is_not_a_number_is_refused_although_kafka_takes_it() {
        assert!(read("min.cleanable.dirty.ratio", "NaN").is_err());
    }

    #[test]
    fn a_value_without_end_is_refused_and_not_repeated() {
        let refusal = read("cleanup.policy", &"x".repeat(VALUE_BYTES_MAX + 1)).unwrap_err();
        assert!(refusal.len() < 200, "{refusal}");
    }
}
