//! Where partitions begin and end, many at a time.

use std::ops::Range;

use futures_util::{StreamExt, future, stream};
use thalweg_wire::{Offset, PartitionIndex};

use super::Admin;
use crate::cluster::ClientError;
use crate::offsets::{Isolation, Start};

/// Questions that are on their way at one time: they share the connections with whatever else is asked.
const TOGETHER_MAX: usize = 64;

impl Admin {
    /// The first offset of each of these partitions and the one behind its last record, in their order.
    pub async fn extents(&self, partitions: &[(&str, PartitionIndex)]) -> Vec<Result<Range<Offset>, ClientError>> {
        let asked = partitions.iter().map(|(topic, partition)| async move {
            let (start, end) = future::join(
                self.offset(topic, *partition, Start::Earliest),
                self.offset(topic, *partition, Start::Latest),
            )
            .await;
            Ok(start?..end?)
        });
        stream::iter(asked).buffered(TOGETHER_MAX).collect().await
    }

    /// An offset of each of these partitions, in their order.
    pub async fn offsets(&self, partitions: &[(&str, PartitionIndex, Start)]) -> Vec<Result<Offset, ClientError>> {
        let asked = partitions.iter().map(|(topic, partition, start)| self.offset(topic, *partition, *start));
        stream::iter(asked).buffered(TOGETHER_MAX).collect().await
    }

    async fn offset(&self, topic: &str, partition: PartitionIndex, start: Start) -> Result<Offset, ClientError> {
        let deadline = self.deadline();
        self.client.offset(topic, partition, start, Isolation::ReadUncommitted, deadline).await
    }
}
