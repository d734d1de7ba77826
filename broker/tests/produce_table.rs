//! The table of `kafka-surface` §2.1, row by row: what a real broker answers to a Produce request of version 3 for one
//! partition of a CreateTime topic. Where it says -1 to bad bytes, the answer here is INVALID_RECORD.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use bytes::Bytes;
use support::workload::{ADDRESS, boot, create, settings_with};
use support::{Client, produce_request_of};
use thalweg_broker::Broker;
use thalweg_messages::produce::{ProducePartitionResponse, ProduceRequest};
use thalweg_wire::batch::{Batch, Batches, Builder, Compression, TimestampType, compress};
use thalweg_wire::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};
use thalweg_world::simulated::{SimulatedWorld, WALL_AT_START};

const VERSION: i16 = 3;
const NOW: Timestamp = WALL_AT_START;

/// Two records of now.
fn valid() -> Batch {
    let filled = (0..2).fold(Builder::new(), |builder, _| builder.record(NOW, Some(b"k"), Some(b"v")));
    filled.build().unwrap()
}

/// The same from a producer.
fn of_producer(id: i64, sequence: i32) -> Batch {
    let builder = Builder::new().producer(ProducerId(id), ProducerEpoch(0), sequence);
    (0..2).fold(builder, |builder, _| builder.record(NOW, Some(b"k"), Some(b"v"))).build().unwrap()
}

fn at(timestamp: i64) -> Batch {
    Builder::new().record(Timestamp::from_millis(timestamp), None, Some(b"v")).build().unwrap()
}

/// A batch whose header somebody changed, with the checksum that then fits.
fn with(change: impl FnOnce(&mut thalweg_wire::batch::Header)) -> Bytes {
    let batch = valid();
    let mut header = batch.header().clone();
    change(&mut header);
    header.set_crc(header.crc_with(batch.records()));
    Batch::new(header, batch.records().clone()).to_bytes()
}

fn attribute(bits: i16) -> Bytes {
    with(|header| header.set_attributes(header.attributes() | bits))
}

/// A batch of that codec whose bytes are `records`, which announces two.
fn compressed(codec: i16, records: Vec<u8>) -> Bytes {
    let mut header = valid().header().clone();
    header.set_attributes(codec);
    let mut batch = Batch::new(header, records.into());
    let mut header = batch.header().clone();
    header.set_crc(header.crc_with(batch.records()));
    batch = Batch::new(header, batch.records().clone());
    batch.to_bytes()
}

async fn answer(client: &mut Client, request: &ProduceRequest) -> ProducePartitionResponse {
    client.call(VERSION, request).await.unwrap().responses[0].partition_responses[0].clone()
}

async fn read(client: &mut Client, offset: i64) -> Batch {
    let answer = client.call(12, &support::fetch_request("t", 0, offset, 0, 0)).await.unwrap();
    let records = answer.responses[0].partitions[0].records.clone().unwrap();
    Batches::new(records).next().unwrap().unwrap()
}

async fn table(sim: &SimulatedWorld) {
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    create(&mut client, "t", &[]).await.unwrap();
    create(&mut client, "compacted", &[("cleanup.policy", "compact")]).await.unwrap();
    create(&mut client, "__consumer_offsets", &[]).await.unwrap();
    let ok = valid().to_bytes();
    let junk = [&ok[..], &[1, 2, 3, 4, 5]].concat();
    let two = [&ok[..], &ok[..]].concat();
    let mut wrong_crc = ok.to_vec();
    wrong_crc[17] ^= 1;
    let large = Builder::new().record(NOW, None, Some(&vec![0; 1_100_000])).build().unwrap();
    let zstd = compress(valid().records(), Compression::Zstd(3));
    let in_two_hours = at(NOW.millis() + 7_200_000).to_bytes();
    let rows: Vec<(&str, i16, Bytes)> = vec![
        ("valid", 0, ok.clone()),
        ("timestamp -1", 0, at(-1).to_bytes()),
        ("a wrong maximum timestamp", 0, with(|header| header.set_max_timestamp(Timestamp::from_millis(7)))),
        ("partition leader epoch 55", 0, with(|header| header.set_leader_epoch(LeaderEpoch(55)))),
        ("attribute bit 6", 0, attribute(1 << 6)),
        ("attribute bit 7", 0, attribute(1 << 7)),
        ("attribute bit 8", 0, attribute(1 << 8)),
        ("the LogAppendTime bit, set by the client", 0, attribute(1 << 3)),
        ("an unknown producer that begins at 9", 0, of_producer(70, 9).to_bytes()),
        ("five bytes of junk behind the batch", 0, junk.into()),
        ("base offset 7", 87, with(|header| header.set_base_offset(Offset(7)))),
        ("magic 1", 87, with(|header| header.set_magic(1))),
        ("two batches", 87, two.into()),
        ("empty records", 87, Bytes::new()),
        ("a producer without a sequence", 87, of_producer(71, -1).to_bytes()),
        ("codec 5", 87, compressed(5, vec![1; 20])),
        ("gzip garbage", 87, compressed(1, vec![1; 20])),
        ("a wrong checksum", 2, wrong_crc.into()),
        ("a last offset delta that isn't the count less one", 87, with(|header| header.set_last_offset_delta(2))),
        ("count 0", 87, with(|header| header.set_count(0))),
        ("a count that isn't that of the records", 87, {
            with(|header| {
                header.set_count(3);
                header.set_last_offset_delta(2);
            })
        }),
        ("the control bit", 87, attribute(1 << 5)),
        ("a record of two hours ahead", 32, in_two_hours),
        ("a gap in the sequence of the same producer", 45, of_producer(70, 13).to_bytes()),
        ("zstd in version 3", 76, compressed(4, zstd)),
        ("1.1 MB", 10, large.to_bytes()),
    ];
    for (what, code, records) in rows {
        let got = answer(&mut client, &produce_request_of("t", 0, Some(records), -1)).await;
        assert_eq!(got.error_code, code, "{what}: {:?}", got.error_message);
    }
    for (topic, partition, acks, code) in
        [("t", 0, 2, 21), ("t", 1, -1, 3), ("no-such-topic", 0, -1, 3), ("__consumer_offsets", 0, -1, 17)]
    {
        let got = answer(&mut client, &produce_request_of(topic, partition, Some(ok.clone()), acks)).await;
        assert_eq!(got.error_code, code, "{topic}-{partition} with acks {acks}");
    }
    let keyless = produce_request_of("compacted", 0, Some(at(NOW.millis()).to_bytes()), -1);
    assert_eq!(answer(&mut client, &keyless).await.error_code, 87, "no key in a compacted topic");

    // What the bit says is corrected on the disk, and so is the maximum timestamp; reserved bits stay.
    let corrected = read(&mut client, 3).await;
    assert_eq!((corrected.base_offset(), corrected.header().max_timestamp()), (Offset(3), NOW));
    let bits = read(&mut client, 7).await.header().attributes();
    assert_eq!(bits, 1 << 6);
    let append_time = read(&mut client, 13).await;
    assert_eq!(append_time.header().timestamp_type(), TimestampType::CreateTime);

    let first = answer(&mut client, &produce_request_of("t", 0, Some(of_producer(72, 0).to_bytes()), -1)).await;
    let again = answer(&mut client, &produce_request_of("t", 0, Some(of_producer(72, 0).to_bytes()), -1)).await;
    assert_eq!((first.error_code, first.log_append_time_ms), (0, -1));
    assert_eq!((again.error_code, again.base_offset), (0, first.base_offset));
    assert_eq!(again.log_append_time_ms, NOW.millis(), "a duplicate is answered with the time of its batch");

    client.send(VERSION, &produce_request_of("t", 0, Some(ok.clone()), 0)).await.unwrap();
    assert!(client.metadata().await.is_ok(), "acks=0 is not answered");
    client.send(VERSION, &produce_request_of("t", 0, Some(Bytes::new()), 0)).await.unwrap();
    assert!(client.metadata().await.is_err(), "what is wrong with acks=0 closes the connection");
}

#[test]
fn each_row_is_answered_as_by_a_real_broker() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let settings = settings_with(&[("auto.create.topics.enable", "false"), ("journal.bytes", "67108864")]);
        let broker = Broker::start(sim.world.clone(), settings).await.unwrap();
        table(&sim).await;
        broker.stop().await.unwrap();
    });
}
