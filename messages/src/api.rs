//! The table of APIs: which messages exist, at which versions, and in which form their bodies are.

use crate::message::Request;
use thalweg_wire::codec::Form;

pub use crate::generated::APIS;

/// One API, as its schema describes it. Which of its versions a broker serves is the broker's business.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Api {
    /// Its number.
    pub key: i16,
    /// Kafka's name of it, such as `Metadata`.
    pub name: &'static str,
    /// The oldest version described.
    pub min_version: i16,
    /// The newest version described.
    pub max_version: i16,
    /// The first version in the flexible form; `i16::MAX` if there is none.
    pub flexible_from: i16,
}

impl Api {
    /// The API of a request.
    pub(crate) const fn of<R: Request>(name: &'static str) -> Api {
        Api {
            key: R::API_KEY,
            name,
            min_version: R::MIN_VERSION,
            max_version: R::MAX_VERSION,
            flexible_from: R::FLEXIBLE_FROM,
        }
    }

    /// The API of that number, if its messages are described.
    pub fn of_key(key: i16) -> Option<&'static Api> {
        APIS.binary_search_by_key(&key, |api| api.key).ok().map(|place| &APIS[place])
    }

    /// The form of the bodies of `version`, which needn't be a version that we have: the header of an ApiVersions
    /// request from the future must still be read.
    pub const fn form(&self, version: i16) -> Form {
        Form::of(version, self.flexible_from)
    }
}

/// What [`thalweg_wire::frame::RequestHeader::decode`] asks for: the form of an API's bodies at a version, or `None`
/// for an API that isn't described.
pub fn body_form(key: i16, version: i16) -> Option<Form> {
    Api::of_key(key).map(|api| api.form(version))
}
