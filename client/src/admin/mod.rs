//! Changes what a cluster is, and looks at it: topics, their partitions, settings and records; groups and what they have
//! committed.
//!
//! What changes the cluster goes to its controller, once: if the connection is lost before the answer, nobody knows whether
//! it was done, and the program looks before it asks again. Each thing that a request names has an outcome of its own.
//!
//! ```no_run
//! # async fn example(client: thalweg_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use thalweg_client::Admin;
//!
//! let admin = Admin::new(client);
//! for topic in admin.topics().await? {
//!     println!("{}", topic.name);
//! }
//! # Ok(())
//! # }
//! ```

mod configs;
mod extents;
mod group_offsets;
mod groups;
mod topics;

use std::collections::{HashMap, VecDeque};
use std::fmt;

use thalweg_messages::Request;
use thalweg_messages::api_versions::ApiVersionsRequest;
use thalweg_wire::{BrokerId, ErrorCode, Moment};

use crate::cluster::{Client, ClientError, Purpose};
pub use configs::{Change, Resource, Setting, Source};
pub use group_offsets::CommittedOffset;
pub use groups::{GroupDescription, GroupListing, MemberDescription};
pub use topics::{CreatedTopic, NewTopic, PartitionDescription, TopicDescription, TopicListing};

/// Whether what a request asks for is done, or only checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It is done.
    Do,
    /// It is only checked.
    Check,
}

/// Why one thing that was asked for was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Kafka's code.
    pub code: ErrorCode,
    /// In the broker's words; may be empty.
    pub message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => self.code.fmt(f),
            message => write!(f, "{message} ({})", self.code),
        }
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// What an answer says of one thing.
    fn check(code: i16, message: Option<&str>) -> Result<(), Refused> {
        match ErrorCode::from_code(code) {
            Some(ErrorCode::None) => Ok(()),
            code => {
                let code = code.unwrap_or(ErrorCode::UnknownServerError);
                Err(Refused { code, message: message.unwrap_or_default().to_owned() })
            }
        }
    }
}

/// Names in the order in which they were asked for, each with what became of it.
pub type Outcomes<T> = Vec<(String, Result<T, Refused>)>;

/// What a broker told, whatever its order, by the names that it was asked for.
fn in_order<T>(names: Vec<String>, told: impl Iterator<Item = (String, Result<T, Refused>)>) -> Outcomes<T> {
    let mut by_name: HashMap<String, VecDeque<Result<T, Refused>>> = HashMap::new();
    told.for_each(|(name, outcome)| by_name.entry(name).or_default().push_back(outcome));
    let outcomes = names.into_iter().map(|name| {
        let outcome = by_name.get_mut(&name).and_then(VecDeque::pop_front).unwrap_or_else(|| {
            let message = "the broker's answer doesn't name it".to_owned();
            Err(Refused { code: ErrorCode::UnknownServerError, message })
        });
        (name, outcome)
    });
    outcomes.collect()
}

/// Administers a cluster. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    client: Client,
}

/// A broker of a cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerDescription {
    /// Its number.
    pub id: BrokerId,
    /// Where clients find it.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// Where it stands, if it says so.
    pub rack: Option<String>,
}

/// A cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClusterDescription {
    /// Its id; empty where it has none.
    pub id: String,
    /// Who changes it; -1 where nobody tells.
    pub controller: BrokerId,
    /// Who is in it, by number.
    pub brokers: Vec<BrokerDescription>,
}

/// What a broker knows how to do in several ways, which the cluster agrees on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Feature {
    /// Its name, such as `metadata.version`.
    pub name: String,
    /// The lowest level that the broker knows.
    pub lowest: i16,
    /// The highest.
    pub highest: i16,
}

impl Admin {
    /// Administers the cluster of a client.
    pub fn new(client: Client) -> Admin {
        Admin { client }
    }

    /// The cluster that it administers.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How long something may take that is asked again and again.
    fn deadline(&self) -> Moment {
        self.client.world().clock.now() + self.client.options().request_timeout
    }

    /// Who is in the cluster.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cluster(&self) -> Result<ClusterDescription, ClientError> {
        let told = self.client.metadata(Some(&[])).await?;
        let brokers = told.brokers.into_iter().map(|broker| BrokerDescription {
            id: broker.node_id,
            host: broker.host,
            port: broker.port,
            rack: broker.rack,
        });
        let mut brokers: Vec<BrokerDescription> = brokers.collect();
        brokers.sort_by_key(|broker| broker.id);
        Ok(ClusterDescription { id: told.cluster_id.unwrap_or_default(), controller: told.controller_id, brokers })
    }

    /// What a broker knows how to do; nothing where it is one that doesn't tell (before KIP-584).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn features(&self, broker: BrokerId) -> Result<Vec<Feature>, ClientError> {
        let connection = self.client.connection_to(broker, Purpose::Requests).await?;
        let request = ApiVersionsRequest {
            client_software_name: env!("CARGO_PKG_NAME").to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ApiVersionsRequest::default()
        };
        let told = connection.call(&request).await?;
        if let Err(Refused { code, message }) = Refused::check(told.error_code, None) {
            return Err(ClientError::Refused { code, what: message });
        }
        let features = told.supported_features.into_iter().map(|feature| Feature {
            name: feature.name,
            lowest: feature.min_version,
            highest: feature.max_version,
        });
        Ok(features.collect())
    }

    /// Asks the controller, once.
    async fn ask_controller<R: Request>(&self, request: &R) -> Result<R::Response, ClientError> {
        let told = self.client.metadata(Some(&[])).await?;
        let connection = match told.controller_id {
            // A cluster whose brokers pass it on may not tell.
            none if none < BrokerId(0) => return Ok(self.client.ask_anybody(request).await?.1),
            controller => self.client.connection_to(controller, Purpose::Requests).await?,
        };
        Ok(connection.call(request).await?)
    }
}
