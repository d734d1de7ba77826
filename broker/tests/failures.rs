//! A write of the journal fails: nobody waits for what will never come, and nobody is told that all is well.

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::workload::{self, ADDRESS, boot};
use support::{Client, batch, fetch_request, produce_request};
use thalweg_messages::fetch::FetchRequest;
use thalweg_messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use thalweg_messages::produce::ProduceRequest;
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, PartitionIndex};
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::simulated::disk::{Fault, Kind};
use tokio::time::timeout;

const AN_HOUR: Duration = Duration::from_secs(3600);
const FOR_EVER_MS: i32 = i32::MAX;
const OFFLINE: i16 = ErrorCode::KafkaStorageError.code();

/// Tests start thousands of brokers in one process.
#[test]
fn a_broker_that_is_gone_holds_nothing() {
    for killed in [false, true] {
        let sim = boot(async {
            let sim = SimulatedWorld::new(1);
            let broker = workload::start(&sim).await.expect("a start");
            let mut client = connect(&sim).await;
            client.create_topic("t", 1).await.expect("an answer");
            let produced = client.produce("t", 0, &batch(&[b"v"])).await.expect("an answer");
            assert_eq!(produced.error_code, 0);
            drop(client);
            if killed {
                drop(broker);
            } else {
                broker.stop().await.expect("a clean stop");
            }
            sim
        });
        assert_eq!(Arc::strong_count(&sim.world.disk), 1, "killed: {killed}");
    }
}

async fn connect(sim: &SimulatedWorld) -> Client {
    Client::connect(&sim.world, ADDRESS).await.expect("a connection")
}

#[test]
fn a_failed_write_is_told_to_all_who_wait_and_to_all_who_come() {
    boot(async {
        let sim = SimulatedWorld::new(3);
        let broker = workload::start(&sim).await.expect("a start");
        let mut writer = connect(&sim).await;
        assert_eq!(writer.create_topic("log", 4).await.expect("an answer"), 0);
        let acknowledged = writer.produce("log", 0, &batch(&[b"kept"])).await.expect("an answer");
        assert_eq!(acknowledged.error_code, 0);

        let mut reader = connect(&sim).await;
        reader.send(12, &fetch_request("log", 0, 1, 1, FOR_EVER_MS)).await.expect("open");
        reader.send(12, &fetch_request("log", 1, 0, 1, FOR_EVER_MS)).await.expect("open");
        sim.world.clock.sleep(Duration::from_secs(1)).await;
        sim.disk.fault_next(Kind::WriteDurable, "logs", Fault::Io);
        for (partition, acks) in [(0, -1), (0, 1), (1, -1), (1, 1), (0, -1)] {
            writer.send(12, &produce_request("log", partition, &batch(&[b"lost"]), acks)).await.expect("open");
        }
        for _ in 0..5 {
            let answer = timeout(AN_HOUR, writer.receive::<ProduceRequest>(12)).await.expect("no waiting");
            let (_, answer) = answer.expect("an answer");
            assert_eq!(answer.responses[0].partition_responses[0].error_code, OFFLINE);
        }
        for _ in 0..2 {
            let answer = timeout(AN_HOUR, reader.receive::<FetchRequest>(12)).await.expect("no waiting");
            assert_eq!(answer.expect("an answer").1.responses[0].partitions[0].error_code, OFFLINE);
        }

        // Whoever comes later, also to a partition that nobody had touched.
        let mut late = connect(&sim).await;
        for partition in 0..4 {
            let answer = late.produce("log", partition, &batch(&[b"lost"])).await.expect("an answer");
            assert_eq!(answer.error_code, OFFLINE, "produce to {partition}");
            let fetch = fetch_request("log", partition, 0, 1, FOR_EVER_MS);
            let answer = timeout(AN_HOUR, late.call(12, &fetch)).await.expect("no waiting").expect("an answer");
            assert_eq!(answer.responses[0].partitions[0].error_code, OFFLINE, "fetch of {partition}");
            let wanted = ListOffsetsPartition {
                partition_index: PartitionIndex(partition),
                current_leader_epoch: LeaderEpoch::NONE,
                timestamp: -1,
                ..Default::default()
            };
            let topic = ListOffsetsTopic { name: "log".to_owned(), partitions: vec![wanted], ..Default::default() };
            let request = ListOffsetsRequest { replica_id: BrokerId::NONE, topics: vec![topic], ..Default::default() };
            let answer = late.call(10, &request).await.expect("an answer");
            assert_eq!(answer.topics[0].partitions[0].error_code, OFFLINE, "the end of {partition}");
        }
        let stopped = timeout(AN_HOUR, broker.stop()).await.expect("a stop takes no hour");
        assert!(stopped.is_err(), "a stop after a failed write is not clean");

        let sim = sim.reboot();
        let broker = workload::start(&sim).await.expect("a start");
        let found = connect(&sim).await.read_all("log", 0, 0).await.expect("an answer");
        assert_eq!(found[0], (0, "kept".into()));
        broker.stop().await.expect("a clean stop");
    });
}

/// One that takes longer than the client has patience for is written all the same: the answer says neither yes nor no.
#[test]
fn a_slow_write_is_waited_for_and_not_for_ever() {
    boot(async {
        let sim = SimulatedWorld::new(3);
        let broker = workload::start(&sim).await.expect("a start");
        let mut writer = connect(&sim).await;
        assert_eq!(writer.create_topic("log", 1).await.expect("an answer"), 0);
        let mut request = produce_request("log", 0, &batch(&[b"slow"]), -1);
        request.timeout_ms = 1;
        let half_a_second = Duration::from_millis(500);
        for (takes, code) in [(half_a_second, ErrorCode::None), (AN_HOUR, ErrorCode::RequestTimedOut)] {
            let faults = thalweg_world::simulated::Faults { slow_write_takes: takes..=takes, ..Default::default() };
            sim.disk.set_faults(faults);
            sim.disk.fault_next(Kind::WriteDurable, "logs", Fault::Slow);
            let answer = writer.call(12, &request).await.expect("an answer");
            assert_eq!(answer.responses[0].partition_responses[0].error_code, code.code(), "{takes:?}");
        }
        sim.world.clock.sleep(2 * AN_HOUR).await;
        assert_eq!(connect(&sim).await.read_all("log", 0, 0).await.expect("an answer").len(), 2);
        broker.stop().await.expect("a clean stop");
    });
}
