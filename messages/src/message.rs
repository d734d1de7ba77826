//! What all generated messages can do.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder, Form};

/// Something with versions that has a form on the wire.
///
/// Decoding doesn't ask whether bytes remain: after a request they are ignored (librdkafka sends some), after a stored
/// record they are damage.
pub trait Message: Sized + Default + Clone + PartialEq + Debug {
    /// Its name, which is Kafka's where Kafka has the message.
    const NAME: &'static str;
    /// The oldest version that can be read and written.
    const MIN_VERSION: i16;
    /// The newest version that can be read and written.
    const MAX_VERSION: i16;
    /// The first version in the flexible form (KIP-482); `i16::MAX` if there is none.
    const FLEXIBLE_FROM: i16;

    /// Reads the message off the front of `from`.
    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError>;

    /// Appends the message to `into`. On an error what was appended is of no use.
    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError>;

    /// The versions that can be read and written.
    fn versions() -> RangeInclusive<i16> {
        Self::MIN_VERSION..=Self::MAX_VERSION
    }

    /// The form of a version; `None` if there is no such version.
    fn form(version: i16) -> Option<Form> {
        Self::versions().contains(&version).then(|| Form::of(version, Self::FLEXIBLE_FROM))
    }
}

/// What a client asks.
pub trait Request: Message {
    /// The API's number.
    const API_KEY: i16;
    /// What it is answered with, at the same version.
    type Response: Response<Request = Self>;
}

/// What a broker answers.
pub trait Response: Message {
    /// The API's number.
    const API_KEY: i16;
    /// What it answers.
    type Request: Request<Response = Self>;
}

/// What is stored in a log: of the metadata, or of a coordinator.
pub trait Record: Message {
    /// The number of the type, unique within its log.
    const RECORD_TYPE: i16;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_topics::{CreatableTopicResult, CreateTopicsResponse};
    use crate::fetch::FetchResponse;
    use crate::metadata::{MetadataRequest, MetadataRequestTopic};
    use thalweg_wire::Uuid;

    fn encode(message: &impl Message, version: i16) -> Result<(), EncodeError> {
        message.encode(&mut Encoder::new(), version)
    }

    // A handler fills in all it knows; what an old client has no field for is left out, unless that would be a lie.
    #[test]
    fn what_may_be_left_out_at_an_old_version_is_and_what_may_not_is_an_error() {
        let topics = vec![CreatableTopicResult { topic_id: Uuid([1; 16]), ..Default::default() }];
        let response = CreateTopicsResponse { topics, ..Default::default() };
        assert_eq!(encode(&response, 2), Ok(()), "topic_id is ignorable");

        let response = FetchResponse { session_id: 7, ..Default::default() };
        assert_eq!(encode(&response, 6), Err(EncodeError::NotInVersion { field: "session_id", version: 6 }));
        assert_eq!(encode(&response, 7), Ok(()));
    }

    #[test]
    fn null_is_refused_where_the_version_has_none() {
        let request = MetadataRequest { topics: None, ..Default::default() };
        assert_eq!(encode(&request, 0), Err(EncodeError::Null { field: "topics", version: 0 }));
        assert_eq!(encode(&request, 1), Ok(()));

        let topics = Some(vec![MetadataRequestTopic { name: None, ..Default::default() }]);
        let request = MetadataRequest { topics, ..Default::default() };
        assert_eq!(encode(&request, 9), Err(EncodeError::Null { field: "name", version: 9 }));
        assert_eq!(encode(&request, 14), Err(EncodeError::UnknownVersion(14)));
    }
}
