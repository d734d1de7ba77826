//! The answer to a fetch: what was found, and in a session what of it is news.

use std::sync::Arc;

use thalweg_log::segment::FileSpan;
use thalweg_messages::Message;
use thalweg_messages::fetch::{
    FetchAnswer, FetchLeader, FetchNodeEndpoint, FetchPartitionAnswer, FetchPartitionResponse, FetchResponse,
    FetchTopicAnswer, FetchedPartition, encode_response,
};
use thalweg_replica::Isolation;
use thalweg_wire::codec::{EncodeError, Encoder, Form};
use thalweg_wire::frame::{begin_response, finish_frame};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex};

use super::look::{Found, Look};
use super::{Context, Plan, Standing, naming};
use crate::broker::Shared;
use crate::fetch_session::TopicKey;
use crate::reply::Reply;

/// From this version on an answer tells who leads, where the client is wrong about it.
const LEADERS_FROM: i16 = 16;

impl Plan {
    pub(super) fn answer(&self, shared: &Shared, look: Look) -> Reply {
        let form = Form::of(self.head.version, FetchResponse::FLEXIBLE_FROM);
        let mut into = begin_response(self.head.key, self.head.correlation_id, form);
        let is_fenced = look.found.iter().any(|found| matches!(found, Found::Fenced(_)));
        let node_endpoints =
            if is_fenced && self.head.version >= LEADERS_FROM { vec![self.endpoint()] } else { vec![] };
        let (session_id, named) = self.tell_session(shared, &look);
        let answer = FetchAnswer {
            error_code: self.error.code(),
            session_id,
            node_endpoints: &node_endpoints,
            ..FetchAnswer::default()
        };
        // As in Kafka, a topic is named once for partitions of it that follow each other in the answer.
        let mut topics: Vec<(&Arc<TopicKey>, Vec<PartitionAnswer>)> = Vec::new();
        let mut spans = Vec::new();
        let (read_at, taken) = (look.read_at, look.taken);
        for ((wanted, found), _) in self.wanted.iter().zip(look.found).zip(named).filter(|(_, named)| *named) {
            let partition = self.partition(wanted.key.index, found, &mut spans);
            match topics.last_mut().filter(|(topic, _)| **topic == wanted.key.topic) {
                Some((_, partitions)) => partitions.push(partition),
                None => topics.push((&wanted.key.topic, vec![partition])),
            }
        }
        let topics = topics.into_iter().map(|(topic, partitions)| FetchTopicAnswer {
            topic: &topic.name,
            topic_id: topic.id,
            partitions: partitions.into_iter(),
        });
        encode_response(&mut into, self.head.version, answer, topics)
            .expect("every field fits the version that was asked for");
        Reply::new(finish_frame(into), spans, read_at).with(taken)
    }

    /// The session's id, and which partitions the answer names.
    fn tell_session(&self, shared: &Shared, look: &Look) -> (i32, Vec<bool>) {
        let told = self.wanted.iter().zip(&look.found).map(|(wanted, found)| (wanted, found.told()));
        match &self.session {
            Context::Sessionless => (0, vec![true; self.wanted.len()]),
            Context::Opening => {
                let answered = told.map(|(wanted, told)| (wanted.key.clone(), wanted.interest, told)).collect();
                let id = shared.fetch_sessions.open(shared.world.clock.now(), naming(self.head.version), answered);
                (id, vec![true; self.wanted.len()])
            }
            Context::Standing(Standing { session, .. }) => {
                let told = told.filter_map(|(wanted, told)| Some((wanted.ticket?, told)));
                (session.id(), session.answer(told))
            }
        }
    }

    fn endpoint(&self) -> FetchNodeEndpoint {
        FetchNodeEndpoint {
            node_id: self.node,
            host: self.head.advertised.host.clone(),
            port: i32::from(self.head.advertised.port),
            rack: self.rack.clone(),
            ..FetchNodeEndpoint::default()
        }
    }

    /// What it answers, and of its records those that stay in their file.
    fn partition(&self, index: PartitionIndex, found: Found, spans: &mut Vec<FileSpan>) -> PartitionAnswer {
        let nothing = FetchPartitionResponse {
            partition_index: index,
            high_watermark: Offset(-1),
            last_stable_offset: Offset(-1),
            log_start_offset: Offset(-1),
            aborted_transactions: None,
            records: Some(bytes::Bytes::new()),
            ..FetchPartitionResponse::default()
        };
        let aborted_transactions = (self.isolation == Isolation::TxnCommitted).then(Vec::new);
        let refused = match found {
            Found::Fetched(records, marks, _) => {
                let elsewhere = records.span_bytes();
                spans.extend(records.spans);
                return PartitionAnswer::Fetched(FetchedPartition {
                    index,
                    high_watermark: marks.high_watermark,
                    last_stable_offset: marks.last_stable_offset,
                    log_start_offset: marks.log_start,
                    aborted_transactions,
                    elsewhere,
                    written: records.copy,
                    batches: records.batches,
                });
            }
            Found::Diverging(diverging_epoch, marks) => FetchPartitionResponse {
                diverging_epoch,
                high_watermark: marks.high_watermark,
                last_stable_offset: marks.last_stable_offset,
                log_start_offset: if self.head.version >= 5 { marks.log_start } else { Offset(-1) },
                aborted_transactions,
                ..nothing
            },
            Found::Fenced(epoch) => FetchPartitionResponse {
                error_code: ErrorCode::FencedLeaderEpoch.code(),
                current_leader: if self.head.version >= LEADERS_FROM {
                    FetchLeader { leader_id: self.node, leader_epoch: epoch, ..FetchLeader::default() }
                } else {
                    FetchLeader::default()
                },
                ..nothing
            },
            Found::Error(code) => FetchPartitionResponse { error_code: code.code(), ..nothing },
            Found::Unknown(code) => FetchPartitionResponse {
                error_code: code.code(),
                aborted_transactions: (code != ErrorCode::NotLeaderOrFollower).then(Vec::new),
                ..nothing
            },
        };
        PartitionAnswer::Refused(refused)
    }
}

/// A partition of the answer: with records, or without.
enum PartitionAnswer {
    Fetched(FetchedPartition),
    Refused(FetchPartitionResponse),
}

impl FetchPartitionAnswer for PartitionAnswer {
    fn write(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        match self {
            PartitionAnswer::Fetched(partition) => partition.write(into, version),
            PartitionAnswer::Refused(partition) => partition.write(into, version),
        }
    }
}
