//! The topic that is written to: it is there, or the broker makes it when it is asked for.

use std::time::Duration;

use thalweg_client::admin::{Refused, Resource};
use thalweg_client::{Admin, Client, ClientError};
use thalweg_wire::ErrorCode;

use crate::commands::topic;
use crate::failure::{Exit, Failure};

/// A topic that is there now.
pub(super) struct Found {
    name: String,
    pub(super) partitions: usize,
    pub(super) is_new: bool,
}

impl Found {
    /// Whether it has this partition.
    pub(super) fn has(&self, partition: Option<i32>) -> Result<(), Failure> {
        match partition.map(usize::try_from) {
            None => Ok(()),
            Some(Ok(partition)) if partition < self.partitions => Ok(()),
            Some(_) => {
                let what = format!("topic {} has no such partition: there are {}", self.name, self.partitions);
                let next = format!("'thalweg topic describe {}' shows its partitions; the first is 0", self.name);
                Err(Failure::new(Exit::Refused, what, next))
            }
        }
    }
}

/// Looks for a topic; has it made if it isn't there and the broker does that.
pub(super) async fn find(client: &Client, name: &str, timeout: Duration) -> Result<Found, Failure> {
    let deadline = client.world().clock.now() + timeout;
    let admin = Admin::new(client.clone());
    let found = |partitions, is_new| Found { name: name.to_owned(), partitions, is_new };
    let unknown = Refused { code: ErrorCode::UnknownTopicOrPartition, message: String::new() };
    match admin.describe_topics(&[name]).await?.pop() {
        Some((_, Ok(topic))) if !topic.partitions.is_empty() => return Ok(found(topic.partitions.len(), false)),
        Some((_, Err(refused))) if refused.code != unknown.code && !refused.code.is_retriable() => {
            return Err(topic::refusal(&admin, name, &refused).await);
        }
        _ => {}
    }
    if !makes_topics(&admin).await {
        return Err(topic::refusal(&admin, name, &unknown).await);
    }
    match client.partition_count(name, deadline).await {
        Ok(partitions) => Ok(found(partitions, true)),
        Err(ClientError::Refused { code, what }) => {
            Err(topic::refusal(&admin, name, &Refused { code, message: what }).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether asking for a topic makes it, as far as a broker tells.
async fn makes_topics(admin: &Admin) -> bool {
    let Ok(cluster) = admin.cluster().await else { return true };
    let Some(broker) = cluster.brokers.first() else { return true };
    let settings = admin.configs(&Resource::Broker(broker.id)).await.unwrap_or_default();
    let setting = settings.iter().find(|setting| setting.name == "auto.create.topics.enable");
    setting.is_none_or(|setting| setting.value.as_deref() != Some("false"))
}
