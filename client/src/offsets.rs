//! Where a partition begins and ends, and where in it a time is.

use thalweg_messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use thalweg_wire::{BrokerId, ErrorCode, Moment, Offset, PartitionIndex, Timestamp};

use crate::cluster::{Client, ClientError, Leader, Purpose};
use crate::connection::CallError;

/// The times by which ListOffsets knows the end and the beginning.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// Later versions only add times of tiered storage, and a time-out for them.
const LIST_OFFSETS_VERSION_MAX: i16 = 7;

/// Where to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// At the first record that isn't deleted.
    Earliest,
    /// Behind the last record that may be read.
    Latest,
    /// At this offset.
    Offset(Offset),
    /// At the first record of this time or a later one; behind the last if there is none.
    Time(Timestamp),
}

/// Whether records of transactions that are open, or were aborted, are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// They are.
    ReadUncommitted,
    /// They are not.
    ReadCommitted,
}

impl Isolation {
    pub(crate) const fn code(self) -> i8 {
        match self {
            Isolation::ReadUncommitted => 0,
            Isolation::ReadCommitted => 1,
        }
    }
}

impl Client {
    /// An offset of a partition, from its leader. Asks again and again, until `deadline`.
    ///
    /// # Errors
    /// As [`Client::partition_count`].
    pub async fn offset(
        &self,
        topic: &str,
        partition: PartitionIndex,
        mut start: Start,
        isolation: Isolation,
        deadline: Moment,
    ) -> Result<Offset, ClientError> {
        let mut backoff = self.backoff();
        loop {
            let leader = self.leader(topic, partition, deadline).await?;
            let asked = match start {
                Start::Offset(offset) => return Ok(offset),
                Start::Time(at) => self.offset_at(leader, topic, partition, at.millis(), isolation).await,
                Start::Earliest => self.offset_at(leader, topic, partition, EARLIEST, isolation).await,
                Start::Latest => self.offset_at(leader, topic, partition, LATEST, isolation).await,
            };
            let reason = match asked {
                // Nothing is of that time or later.
                Ok(Offset(..0)) if matches!(start, Start::Time(_)) => {
                    start = Start::Latest;
                    continue;
                }
                Ok(Offset(..0)) => "the broker told of no offset".to_owned(),
                Ok(offset) => return Ok(offset),
                Err(ClientError::Refused { code, what })
                    if !code.is_retriable() && code != ErrorCode::FencedLeaderEpoch =>
                {
                    return Err(ClientError::Refused { code, what });
                }
                Err(error) => error.to_string(),
            };
            self.forget_leaders(topic);
            if !self.pause(&mut backoff, deadline).await {
                return Err(ClientError::TimedOut(reason));
            }
        }
    }

    /// Asks a leader once; -1 where there is no such record.
    async fn offset_at(
        &self,
        leader: Leader,
        topic: &str,
        partition: PartitionIndex,
        timestamp: i64,
        isolation: Isolation,
    ) -> Result<Offset, ClientError> {
        let partitions = vec![ListOffsetsPartition {
            partition_index: partition,
            current_leader_epoch: leader.epoch,
            timestamp,
            ..ListOffsetsPartition::default()
        }];
        let request = ListOffsetsRequest {
            replica_id: BrokerId(-1),
            isolation_level: isolation.code(),
            topics: vec![ListOffsetsTopic { name: topic.to_owned(), partitions, ..ListOffsetsTopic::default() }],
            ..ListOffsetsRequest::default()
        };
        let connection = self.connection_to(leader.broker, Purpose::Requests).await?;
        let version = connection.version_of::<ListOffsetsRequest>(LIST_OFFSETS_VERSION_MAX)?;
        let response = connection.call_at(&request, version).await?;
        let told = response.topics.first().and_then(|topic| topic.partitions.first());
        let told = told.ok_or_else(|| CallError::Malformed("ListOffsets without the partition".to_owned()))?;
        match ErrorCode::from_code(told.error_code) {
            Some(ErrorCode::None) => Ok(told.offset),
            code => {
                let code = code.unwrap_or(ErrorCode::UnknownServerError);
                Err(ClientError::Refused { code, what: format!("offsets of {topic}/{partition}") })
            }
        }
    }
}
