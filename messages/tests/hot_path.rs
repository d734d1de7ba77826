//! What is written by hand for Produce and Fetch says the same as what is generated.

mod support;

use bytes::Bytes;
use support::{base64, label, lines, number, text};
use thalweg_messages::fetch::{
    self, FetchAnswer, FetchRequest, FetchResponse, FetchTopic, FetchTopicAnswer, FetchView, ForgottenTopic,
    ReplicaState,
};
use thalweg_messages::json::{Json, Value};
use thalweg_messages::produce::{self, ProduceRequest, ProduceResponse, ProduceTopic, ProduceTopicAnswer, ProduceView};
use thalweg_messages::{Message, Request};
use thalweg_wire::batch::Builder;
use thalweg_wire::codec::{Encoder, Piece};
use thalweg_wire::{BrokerId, LeaderEpoch, Offset, PartitionIndex, Timestamp};

fn lines_of(file: &str, message: &str) -> impl Iterator<Item = (i16, Value, Bytes, Value)> {
    let lines = lines(file).into_iter().filter(move |line| text(line, "message") == message);
    lines.map(|line| (number(&line, "version"), line["json"].clone(), base64(&line, "body"), line))
}

/// The JSON without unknown tags, which views and writers don't carry.
fn named_fields_only(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let named = fields.iter().filter(|(name, _)| *name != "_unknownTaggedFields");
            Value::Object(named.map(|(name, value)| (name.clone(), named_fields_only(value))).collect())
        }
        Value::Array(elements) => elements.iter().map(named_fields_only).collect(),
        other => other.clone(),
    }
}

#[test]
fn a_produce_view_shows_what_the_struct_holds() {
    let mut compared = 0;
    for (version, json, body, line) in lines_of("corpus/requests", ProduceRequest::NAME) {
        let view = ProduceView::parse(body, version).unwrap();
        let seen = ProduceRequest {
            transactional_id: view.transactional_id().map(Into::into),
            acks: view.acks(),
            timeout_ms: view.timeout_ms(),
            topic_data: view
                .topics()
                .map(|topic| ProduceTopic {
                    name: topic.name.into(),
                    topic_id: topic.topic_id,
                    partition_data: topic.partitions.collect(),
                    unknown_tags: Vec::new(),
                })
                .collect(),
            unknown_tags: Vec::new(),
        };
        assert_eq!(named_fields_only(&seen.to_json(version)), named_fields_only(&json), "{}", label(&line));
        compared += 1;
    }
    assert_eq!(compared, 109);
}

#[test]
fn a_fetch_view_shows_what_the_struct_holds() {
    let mut compared = 0;
    for (version, json, body, line) in lines_of("corpus/requests", FetchRequest::NAME) {
        let view = FetchView::parse(body, version).unwrap();
        let settings = view.settings();
        let mut seen = FetchRequest {
            cluster_id: view.cluster_id().map(Into::into),
            max_wait_ms: settings.max_wait_ms,
            min_bytes: settings.min_bytes,
            max_bytes: settings.max_bytes,
            isolation_level: settings.isolation_level,
            session_id: settings.session_id,
            session_epoch: settings.session_epoch,
            topics: view
                .topics()
                .map(|topic| FetchTopic {
                    topic: topic.topic.into(),
                    topic_id: topic.topic_id,
                    partitions: topic.partitions.collect(),
                    unknown_tags: Vec::new(),
                })
                .collect(),
            forgotten_topics_data: view
                .forgotten()
                .map(|topic| ForgottenTopic {
                    topic: topic.topic.into(),
                    topic_id: topic.topic_id,
                    partitions: topic.partitions.collect(),
                    unknown_tags: Vec::new(),
                })
                .collect(),
            rack_id: view.rack_id().into(),
            ..FetchRequest::default()
        };
        if version <= 14 {
            seen.replica_id = settings.replica_id;
        } else {
            let (replica_id, replica_epoch) = (settings.replica_id, settings.replica_epoch);
            seen.replica_state = ReplicaState { replica_id, replica_epoch, unknown_tags: Vec::new() };
        }
        assert_eq!(named_fields_only(&seen.to_json(version)), named_fields_only(&json), "{}", label(&line));
        compared += 1;
    }
    assert_eq!(compared, 150);
}

// From v15 on the replica's id moves into a tagged field. Whoever reads the settings needn't know.
#[test]
fn a_follower_is_recognised_in_every_version() {
    for version in FetchRequest::versions() {
        let mut request = FetchRequest::default();
        if version <= 14 {
            request.replica_id = BrokerId(7);
        } else {
            request.replica_state.replica_id = BrokerId(7);
        }
        let mut into = Encoder::new();
        request.encode(&mut into, version).unwrap();
        let view = FetchView::parse(into.finish().into_bytes(), version).unwrap();
        assert_eq!(view.settings().replica_id, BrokerId(7), "v{version}");
    }
}

#[test]
fn the_produce_writer_writes_what_the_struct_writes() {
    let mut compared = 0;
    for (version, json, _, line) in lines_of("corpus/responses", ProduceResponse::NAME) {
        let response = ProduceResponse::from_json(&named_fields_only(&json)).unwrap();
        let (mut expected, mut written) = (Encoder::new(), Encoder::new());
        response.encode(&mut expected, version).unwrap();
        let topics = response.responses.iter().map(|topic| ProduceTopicAnswer {
            name: &topic.name,
            topic_id: topic.topic_id,
            partitions: topic.partition_responses.iter().cloned(),
        });
        let throttle = response.throttle_time_ms;
        produce::encode_response(&mut written, version, topics, throttle, &response.node_endpoints).unwrap();
        assert_eq!(written.finish(), expected.finish(), "{}", label(&line));
        compared += 1;
    }
    assert_eq!(compared, 103);
}

#[test]
fn the_fetch_writer_writes_what_the_struct_writes() {
    let mut compared = 0;
    for (version, json, _, line) in lines_of("corpus/responses", FetchResponse::NAME) {
        let response = FetchResponse::from_json(&named_fields_only(&json)).unwrap();
        let (mut expected, mut written) = (Encoder::new(), Encoder::new());
        response.encode(&mut expected, version).unwrap();
        let answer = FetchAnswer {
            throttle_time_ms: response.throttle_time_ms,
            error_code: response.error_code,
            session_id: response.session_id,
            node_endpoints: &response.node_endpoints,
        };
        let topics = response.responses.iter().map(|topic| FetchTopicAnswer {
            topic: &topic.topic,
            topic_id: topic.topic_id,
            partitions: topic.partitions.iter().cloned(),
        });
        fetch::encode_response(&mut written, version, answer, topics).unwrap();
        assert_eq!(written.finish(), expected.finish(), "{}", label(&line));
        compared += 1;
    }
    assert_eq!(compared, 149);
}

// The bytes of a log reach the socket as they lie in memory.
#[test]
fn records_are_shared_from_the_log_to_the_socket_and_from_the_socket_to_the_log() {
    let records = Bytes::from(vec![0x5a; 4096]);
    let version = 12;
    let partition = fetch::FetchPartitionResponse { records: Some(records.clone()), ..Default::default() };
    let topic =
        FetchTopicAnswer { topic: "river", topic_id: Default::default(), partitions: std::iter::once(partition) };
    let mut into = Encoder::new();
    fetch::encode_response(&mut into, version, FetchAnswer::default(), std::iter::once(topic)).unwrap();
    let encoded = into.finish();
    let is_shared = |piece: &Piece| matches!(piece, Piece::Here(bytes) if bytes.as_ptr() == records.as_ptr());
    assert!(encoded.pieces().iter().any(is_shared));

    let body = encoded.into_bytes();
    let read = FetchResponse::decode(&mut thalweg_wire::codec::Decoder::new(&body), version).unwrap();
    let shared = read.responses[0].partitions[0].records.clone().unwrap();
    assert_eq!(shared, records);
    assert!(body.as_ptr_range().contains(&shared.as_ptr()));
}

// Batches that lie apart in memory go out as if they lay together.
#[test]
fn the_writer_of_batches_writes_what_the_struct_writes() {
    let batch = |base: i64| {
        let mut batch = Builder::new().record(Timestamp::from_millis(base), None, Some(&[7; 700])).build().unwrap();
        batch.place(Offset(base), LeaderEpoch(3));
        batch
    };
    let batches = vec![batch(10), batch(11)];
    for version in FetchResponse::versions() {
        let fetched = fetch::FetchedPartition {
            index: PartitionIndex(4),
            high_watermark: Offset(12),
            last_stable_offset: Offset(11),
            log_start_offset: Offset(if version >= 5 { 2 } else { -1 }),
            aborted_transactions: Some(Vec::new()),
            elsewhere: 0,
            written: Bytes::new(),
            batches: batches.clone(),
        };
        let whole = fetch::FetchPartitionResponse {
            partition_index: fetched.index,
            high_watermark: fetched.high_watermark,
            last_stable_offset: fetched.last_stable_offset,
            log_start_offset: fetched.log_start_offset,
            aborted_transactions: Some(Vec::new()),
            records: Some(batches.iter().flat_map(|batch| batch.to_bytes()).collect()),
            ..Default::default()
        };
        fn written<P: fetch::FetchPartitionAnswer>(version: i16, partition: P) -> Bytes {
            let topic =
                FetchTopicAnswer { topic: "", topic_id: Default::default(), partitions: std::iter::once(partition) };
            let mut into = Encoder::new();
            fetch::encode_response(&mut into, version, FetchAnswer::default(), std::iter::once(topic)).unwrap();
            into.finish().into_bytes()
        }
        assert_eq!(written(version, fetched), written(version, whole), "v{version}");
    }
}

#[test]
fn a_request_and_its_response_know_each_other() {
    fn keys<R: Request>() -> (i16, i16) {
        (R::API_KEY, <R::Response as thalweg_messages::Response>::API_KEY)
    }
    assert_eq!((keys::<ProduceRequest>(), keys::<FetchRequest>()), ((0, 0), (1, 1)));
}
