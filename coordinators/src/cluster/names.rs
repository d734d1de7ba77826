//! What a topic may be called: Kafka's rules, in Kafka's words (`Topic.validate` and `Topic.isInternal` of 4.3).

use std::fmt;

/// The longest name of a topic, in characters: with `-` and a partition's number it still is a folder's name.
pub const NAME_LENGTH_MAX: usize = 249;

/// Kafka's metadata log, which is no topic that anybody may create.
pub(super) const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Topics that the broker itself writes to.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// Why a topic can't have a name. `Display` is Kafka's message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TopicNameError {
    /// No name at all.
    Empty,
    /// `.` or `..`, which are folders.
    Dots(String),
    /// Longer than [`NAME_LENGTH_MAX`].
    TooLong(String),
    /// Something else than letters, digits, `.`, `_` and `-` of ASCII.
    BadCharacter(String),
}

impl fmt::Display for TopicNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Topic name is invalid: ")?;
        match self {
            TopicNameError::Empty => f.write_str("the empty string is not allowed"),
            TopicNameError::Dots(name) => write!(f, "'{name}' is not allowed"),
            TopicNameError::TooLong(name) => {
                write!(f, "the length of '{name}' is longer than the max allowed length {NAME_LENGTH_MAX}")
            }
            TopicNameError::BadCharacter(name) => {
                write!(f, "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
            }
        }
    }
}

impl std::error::Error for TopicNameError {}

/// Whether a topic may be called that.
pub fn validate_name(name: &str) -> Result<(), TopicNameError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() {
        Err(TopicNameError::Empty)
    } else if name == "." || name == ".." {
        Err(TopicNameError::Dots(name.to_owned()))
    } else if name.encode_utf16().count() > NAME_LENGTH_MAX {
        // Java counts UTF-16 units; which error a name that breaks two rules gets depends on it.
        Err(TopicNameError::TooLong(name.to_owned()))
    } else if !name.bytes().all(plain) {
        Err(TopicNameError::BadCharacter(name.to_owned()))
    } else {
        Ok(())
    }
}

/// Whether the broker itself writes to a topic of that name.
pub fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&name)
}

/// The name under which metrics see a topic, if that may be another topic's too: they can't tell '.' from '_'.
pub(super) fn collision_key(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}
