//! Hands out producer ids from a block that the metadata gave to this broker.

use std::ops::Range;

use thalweg_coordinators::cluster::{Command, Reply};
use thalweg_wire::{BrokerId, ErrorCode, ProducerId};

use crate::cluster::Cluster;

/// The block in hand. A restart gives up what is left of it.
pub struct ProducerIds {
    broker: BrokerId,
    /// Held while a new block is asked for, so that a thousand producers who come at once ask for one.
    block: tokio::sync::Mutex<Range<i64>>,
}

impl ProducerIds {
    /// No block yet: the first producer asks for one.
    pub fn new(broker: BrokerId) -> ProducerIds {
        ProducerIds { broker, block: tokio::sync::Mutex::new(0..0) }
    }

    /// An id that nobody has and nobody will be given again.
    ///
    /// # Errors
    /// What the client is told if the metadata can't be changed.
    pub async fn next(&self, cluster: &Cluster) -> Result<ProducerId, ErrorCode> {
        let mut block = self.block.lock().await;
        if block.is_empty() {
            match cluster.ask(Command::AllocateProducerIds(self.broker)).await {
                Ok(Reply::ProducerIds(ids)) => *block = ids.start.0..ids.end.0,
                Ok(_) => return Err(ErrorCode::UnknownServerError),
                Err(error) => return Err(error.code()),
            }
        }
        block.next().map(ProducerId).ok_or(ErrorCode::UnknownServerError)
    }
}
