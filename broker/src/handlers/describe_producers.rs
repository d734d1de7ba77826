//! DescribeProducers (key 61), version 0.
//!
//! Which idempotent producers a partition remembers, for who looks for a transaction that hangs (KIP-664). An answer tells
//! of 20,000 at most, which is more than one partition has: those behind them are refused, to be asked for again.

use thalweg_coordinators::cluster::validate_name;
use thalweg_messages::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};
use thalweg_wire::producers::{PRODUCERS_MAX, Producer};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex, ProducerId};

use super::{Api, Close, answerable, in_short, resource};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(61, 0..=0);

/// Producers in one answer, of about 50 bytes each: a megabyte.
const TOLD_MAX: usize = 20_000;
const _: () = assert!(TOLD_MAX >= PRODUCERS_MAX);

type Refusal = (ErrorCode, Option<String>);

/// Answers.
pub async fn handle(shared: &Shared, request: DescribeProducersRequest) -> Result<DescribeProducersResponse, Close> {
    resource::check_partitions(shared, request.topics.iter().map(|topic| topic.partition_indexes.len().max(1)).sum())?;
    let mut left = TOLD_MAX;
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let name = answerable(topic.name.into())?.into_owned();
        let no_name = validate_name(&name).err().map(|error| in_short(&error.to_string()).to_owned());
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for partition_index in topic.partition_indexes {
            let found = match &no_name {
                Some(message) => Err((ErrorCode::InvalidTopicException, Some(message.clone()))),
                None => producers(shared, &name, partition_index, &mut left).await,
            };
            let (error_code, error_message, active_producers) = match found {
                Ok(producers) => (0, None, producers),
                Err((code, message)) => (code.code(), message, Vec::new()),
            };
            partitions.push(PartitionResponse {
                partition_index,
                error_code,
                error_message,
                active_producers,
                ..PartitionResponse::default()
            });
        }
        topics.push(TopicResponse { name, partitions, ..TopicResponse::default() });
    }
    Ok(DescribeProducersResponse { topics, ..DescribeProducersResponse::default() })
}

async fn producers(
    shared: &Shared,
    topic: &str,
    partition: PartitionIndex,
    left: &mut usize,
) -> Result<Vec<ProducerState>, Refusal> {
    let topic = shared.cluster.topic(topic).ok_or_else(|| {
        let message = "This server does not host this topic-partition.".to_owned();
        (ErrorCode::UnknownTopicOrPartition, Some(message))
    })?;
    let leader = shared.leader_of(&topic, partition).await.map_err(|code| (code, None))?;
    let told = leader.producers(|producers| {
        take(left, producers.len())?;
        Some(producers.iter().map(|(id, producer)| state(id, producer)).collect())
    });
    told.ok_or_else(|| {
        let message = format!("one answer tells of {TOLD_MAX} producers at most: ask for fewer partitions");
        (ErrorCode::UnknownServerError, Some(message))
    })
}

/// Takes so many out of what is left; nothing, if there are not so many.
fn take(left: &mut usize, producers: usize) -> Option<()> {
    *left = left.checked_sub(producers)?;
    Some(())
}

fn state(producer_id: ProducerId, producer: &Producer) -> ProducerState {
    let last = producer.last();
    ProducerState {
        producer_id,
        producer_epoch: producer.epoch.0.into(),
        last_sequence: last.map_or(-1, |span| span.last_sequence),
        last_timestamp: last.map_or(-1, |span| span.timestamp.millis()),
        coordinator_epoch: producer.coordinator_epoch,
        current_txn_start_offset: producer.transaction_start.unwrap_or(Offset(-1)),
        ..ProducerState::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_of_so_many_and_of_no_more() {
        let mut left = TOLD_MAX;
        assert_eq!(take(&mut left, PRODUCERS_MAX), Some(()));
        assert_eq!(take(&mut left, PRODUCERS_MAX), None);
        assert_eq!(take(&mut left, TOLD_MAX - PRODUCERS_MAX), Some(()), "a smaller partition behind it");
        assert_eq!(take(&mut left, 1), None);
    }
}
