//! What administrators ask a broker of itself: bytes of partitions, producers, the quorum, and what one node can't do.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use bytes::Bytes;
use support::workload::{self, ADDRESS, boot, create};
use support::{Client, batch, produce_request};
use thalweg_broker::Broker;
use thalweg_messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use thalweg_messages::alter_replica_log_dirs::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};
use thalweg_messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
};
use thalweg_messages::describe_producers::{DescribeProducersRequest, DescribeProducersResponse, TopicRequest};
use thalweg_messages::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumRequestPartitionData, DescribeQuorumRequestTopicData,
};
use thalweg_messages::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use thalweg_messages::get_telemetry_subscriptions::GetTelemetrySubscriptionsRequest;
use thalweg_messages::produce::ProduceRequest;
use thalweg_messages::push_telemetry::PushTelemetryRequest;
use thalweg_messages::unregister_broker::UnregisterBrokerRequest;
use thalweg_wire::batch::Builder;
use thalweg_wire::{BrokerId, ErrorCode, PartitionIndex, ProducerEpoch, ProducerId, Timestamp, Uuid};
use thalweg_world::simulated::SimulatedWorld;

async fn broker(sim: &SimulatedWorld) -> (Broker, Client) {
    let broker = Broker::start(sim.world.clone(), workload::settings_with(&[])).await.unwrap();
    let client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    (broker, client)
}

/// Partitions with their bytes, of the only directory.
async fn log_dirs(client: &mut Client, topics: Option<&[&str]>) -> (DescribeLogDirsResult, Vec<(String, i32, i64)>) {
    let named = |name: &&str| DescribableLogDirTopic {
        topic: (*name).to_owned(),
        partitions: vec![PartitionIndex(0), PartitionIndex(1)],
        ..DescribableLogDirTopic::default()
    };
    let topics = topics.map(|topics| topics.iter().map(named).collect());
    let request = DescribeLogDirsRequest { topics, ..DescribeLogDirsRequest::default() };
    let response: DescribeLogDirsResponse = client.call(5, &request).await.unwrap();
    let [result] = response.results.try_into().unwrap();
    let partitions = result.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| {
            assert_eq!((partition.offset_lag, partition.is_future_key), (0, false));
            (topic.name.clone(), partition.partition_index.0, partition.partition_size)
        })
    });
    let partitions = partitions.collect();
    (result, partitions)
}

// The bytes are the same wherever the records are: in memory behind the journal, in files, in files nobody has opened yet.
#[test]
fn a_partition_has_the_bytes_of_its_records_before_and_after_a_stop() {
    let batch = batch(&[b"one", b"two"]);
    let bytes = batch.to_bytes().len() as i64;
    let expected = |times| vec![("disk".to_owned(), 0, times * bytes)];
    let mut sim = boot(async {
        let sim = SimulatedWorld::new(1);
        let (broker, mut client) = broker(&sim).await;
        create(&mut client, "disk", &[]).await.unwrap();
        create(&mut client, "memory", &[("storage.mode", "memory"), ("retention.bytes", "100000")]).await.unwrap();
        assert_eq!(log_dirs(&mut client, None).await.1, expected(0));
        for topic in ["disk", "memory"] {
            client.call(9, &produce_request(topic, 0, &batch, -1)).await.unwrap();
        }
        assert_eq!(log_dirs(&mut client, None).await.1, expected(1));
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    for times in 1..=2 {
        sim = boot(async {
            let sim = sim.reboot();
            let (broker, mut client) = broker(&sim).await;
            let (result, partitions) = log_dirs(&mut client, Some(&["disk", "memory", "nope"])).await;
            assert_eq!(partitions, expected(times));
            assert_eq!((result.error_code, result.is_cordoned), (0, false));
            assert!(result.usable_bytes > 0 && result.total_bytes >= result.usable_bytes, "{result:?}");
            client.call(9, &produce_request("disk", 0, &batch, -1)).await.unwrap();
            assert_eq!(log_dirs(&mut client, None).await.1, expected(times + 1));
            drop(client);
            broker.stop().await.unwrap();
            sim
        });
    }
}

#[test]
fn a_replica_that_is_where_it_should_go_has_arrived() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let (_broker, mut client) = broker(&sim).await;
        create(&mut client, "t", &[]).await.unwrap();
        let own = log_dirs(&mut client, None).await.0.log_dir;
        for (path, topic, expected) in [
            (own.as_str(), "t", ErrorCode::None),
            (own.as_str(), "nope", ErrorCode::UnknownTopicOrPartition),
            ("/elsewhere", "t", ErrorCode::LogDirNotFound),
        ] {
            let (name, partitions) = (topic.to_owned(), vec![PartitionIndex(0)]);
            let topics = vec![AlterReplicaLogDirTopic { name, partitions, ..AlterReplicaLogDirTopic::default() }];
            let dirs = vec![AlterReplicaLogDir { path: path.to_owned(), topics, ..AlterReplicaLogDir::default() }];
            let request = AlterReplicaLogDirsRequest { dirs, ..AlterReplicaLogDirsRequest::default() };
            let response = client.call(2, &request).await.unwrap();
            assert_eq!(response.results[0].partitions[0].error_code, expected.code(), "{path} {topic}");
        }
    });
}

async fn producers(client: &mut Client, topic: &str, partitions: Vec<i32>) -> DescribeProducersResponse {
    let partition_indexes = partitions.into_iter().map(PartitionIndex).collect();
    let topics = vec![TopicRequest { name: topic.to_owned(), partition_indexes, ..TopicRequest::default() }];
    client.call(0, &DescribeProducersRequest { topics, ..Default::default() }).await.unwrap()
}

#[test]
fn a_producer_is_told_of_after_a_restart_too() {
    let batch = Builder::new().producer(ProducerId(77), ProducerEpoch(2), 5);
    let batch = batch.record(Timestamp::from_millis(1_700_000_000_000), None, Some(b"value")).build().unwrap();
    let look = async |client: &mut Client| {
        let response = producers(client, "t", vec![0]).await;
        let [producer] = &response.topics[0].partitions[0].active_producers[..] else { panic!("{response:?}") };
        let told = (producer.producer_id, producer.producer_epoch, producer.last_sequence, producer.last_timestamp);
        assert_eq!(told, (ProducerId(77), 2, 5, 1_700_000_000_000));
    };
    let sim = boot(async {
        let sim = SimulatedWorld::new(1);
        let (broker, mut client) = broker(&sim).await;
        create(&mut client, "t", &[]).await.unwrap();
        let request: ProduceRequest = produce_request("t", 0, &batch, -1);
        assert_eq!(client.call(9, &request).await.unwrap().responses[0].partition_responses[0].error_code, 0);
        look(&mut client).await;
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    boot(async {
        let sim = sim.reboot();
        let (_broker, mut client) = broker(&sim).await;
        look(&mut client).await;
    });
}

#[test]
fn the_quorum_is_this_node_and_its_log_grows_with_each_change() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let (_broker, mut client) = broker(&sim).await;
        let mut ends = Vec::new();
        for topic in ["a", "b"] {
            create(&mut client, topic, &[]).await.unwrap();
            let partitions = vec![DescribeQuorumRequestPartitionData::default()];
            let topic_name = "__cluster_metadata".to_owned();
            let topics = vec![DescribeQuorumRequestTopicData { topic_name, partitions, ..Default::default() }];
            let request = DescribeQuorumRequest { topics, ..DescribeQuorumRequest::default() };
            let response = client.call(2, &request).await.unwrap();
            let partition = &response.topics[0].partitions[0];
            let [voter] = &partition.current_voters[..] else { panic!("{response:?}") };
            assert_eq!((partition.leader_id, voter.replica_id), (BrokerId(1), BrokerId(1)));
            assert_eq!(partition.high_watermark, voter.log_end_offset);
            assert_ne!(voter.replica_directory_id, Uuid::ZERO);
            assert!(partition.leader_epoch.0 > 0);
            ends.push(voter.log_end_offset);
        }
        assert_eq!(ends[1].0, ends[0].0 + 1, "a topic is one entry");
    });
}

#[test]
fn a_broker_that_runs_is_not_taken_off_the_list() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let (_broker, mut client) = broker(&sim).await;
        let request = UnregisterBrokerRequest { broker_id: BrokerId(1), ..Default::default() };
        let response = client.call(0, &request).await.unwrap();
        assert_eq!(response.error_code, ErrorCode::InvalidRequest.code());
        assert_eq!(client.metadata().await.unwrap().brokers.len(), 1);
    });
}

#[test]
fn nobody_is_asked_for_metrics_and_those_that_come_are_dropped() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let (_broker, mut client) = broker(&sim).await;
        let told = client.call(0, &GetTelemetrySubscriptionsRequest::default()).await.unwrap();
        assert_eq!((told.error_code, told.requested_metrics.len()), (0, 0));
        assert_ne!(told.client_instance_id, Uuid::ZERO);
        let known = GetTelemetrySubscriptionsRequest { client_instance_id: Uuid([7; 16]), ..Default::default() };
        assert_eq!(client.call(0, &known).await.unwrap().client_instance_id, Uuid([7; 16]));

        let pushed = PushTelemetryRequest {
            client_instance_id: told.client_instance_id,
            subscription_id: told.subscription_id,
            // No zstd at all: nobody looks.
            compression_type: 4,
            metrics: Bytes::from_static(&[0xff; 100]),
            ..PushTelemetryRequest::default()
        };
        let large = Bytes::from(vec![0; (1 << 20) + 1]);
        for (request, code) in [
            (pushed.clone(), ErrorCode::None),
            (PushTelemetryRequest { client_instance_id: Uuid::ZERO, ..pushed.clone() }, ErrorCode::InvalidRequest),
            (PushTelemetryRequest { subscription_id: 5, ..pushed.clone() }, ErrorCode::UnknownSubscriptionId),
            (PushTelemetryRequest { compression_type: 5, ..pushed.clone() }, ErrorCode::UnsupportedCompressionType),
            (PushTelemetryRequest { metrics: large, ..pushed.clone() }, ErrorCode::TelemetryTooLarge),
        ] {
            assert_eq!(client.call(0, &request).await.unwrap().error_code, code.code());
        }
    });
}

// What is written out is on its way from memory to files, and never in both, nor in neither.
#[test]
fn a_partition_that_is_written_to_never_has_more_bytes_than_were_sent_nor_fewer_than_were_acknowledged() {
    boot(async {
        let sim = SimulatedWorld::new(3);
        let (_broker, mut writer) = broker(&sim).await;
        create(&mut writer, "t", &[]).await.unwrap();
        let mut reader = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let batch = batch(&[&[7; 50_000]]);
        let bytes = batch.to_bytes().len() as i64;
        let (mut sent, mut seen) = (0, 0);
        for _ in 0..60 {
            let before = sent;
            let request = produce_request("t", 0, &batch, -1);
            let write = async {
                for _ in 0..5 {
                    writer.call(9, &request).await.unwrap();
                }
            };
            let look = async {
                for _ in 0..20 {
                    let (_, partitions) = log_dirs(&mut reader, None).await;
                    assert!((before * bytes..=(before + 5) * bytes).contains(&partitions[0].2), "{partitions:?}");
                    seen += 1;
                }
            };
            tokio::join!(write, look);
            sent += 5;
        }
        assert_eq!((log_dirs(&mut reader, None).await.1[0].2, seen), (sent * bytes, 1_200));
    });
}

// A name of 32 KB, repeated for each of ten thousand partitions, would be an answer of 200 MB.
#[test]
fn an_answer_repeats_no_long_name_for_each_of_its_partitions() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let (_broker, mut client) = broker(&sim).await;
        let name = "n".repeat(32_000);
        let partitions = || (0..9_000).map(PartitionIndex);
        let longest = |messages: Vec<Option<String>>| {
            assert_eq!(messages.len(), 9_000);
            messages.into_iter().map(|message| message.unwrap_or_default().len()).max().unwrap()
        };

        let topics =
            vec![TopicPartitions { topic: name.clone(), partitions: partitions().collect(), ..Default::default() }];
        let elect = ElectLeadersRequest { topic_partitions: Some(topics), ..ElectLeadersRequest::default() };
        let results = client.call(2, &elect).await.unwrap().replica_election_results.remove(0).partition_result;
        assert!(longest(results.into_iter().map(|result| result.error_message).collect()) < 300);

        let wanted =
            partitions().map(|partition_index| ReassignablePartition { partition_index, ..Default::default() });
        let topics = vec![ReassignableTopic { name: name.clone(), partitions: wanted.collect(), ..Default::default() }];
        let alter = AlterPartitionReassignmentsRequest { topics, ..AlterPartitionReassignmentsRequest::default() };
        let results = client.call(1, &alter).await.unwrap().responses.remove(0).partitions;
        assert!(longest(results.into_iter().map(|result| result.error_message).collect()) < 300);

        let results = producers(&mut client, &name, (0..9_000).collect()).await.topics.remove(0).partitions;
        assert!(longest(results.into_iter().map(|result| result.error_message).collect()) < 300);
        // As long as a name can be.
        let name = "n".repeat(i16::MAX as usize);
        assert_eq!(producers(&mut client, &name, vec![0]).await.topics[0].name, name);
    });
}

// Four bytes each in the request, a hundred in the answer.
#[test]
fn who_names_far_more_partitions_than_there_are_is_closed() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let (_broker, mut client) = broker(&sim).await;
        create(&mut client, "t", &[]).await.unwrap();
        let elect = |partitions: i32| ElectLeadersRequest {
            topic_partitions: Some(vec![TopicPartitions {
                topic: "t".to_owned(),
                partitions: (0..partitions).map(PartitionIndex).collect(),
                ..TopicPartitions::default()
            }]),
            ..ElectLeadersRequest::default()
        };
        let answered = client.call(2, &elect(10_001)).await.unwrap();
        assert_eq!(answered.replica_election_results[0].partition_result.len(), 10_001);
        assert!(client.call(2, &elect(10_002)).await.is_err());
    });
}
