//! Fetch sessions over the wire (KIP-227): what is said once is remembered, and only news is answered.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::io;
use std::time::Duration;

use support::configs::{TOPIC, alter};
use support::workload::{ADDRESS, boot, start};
use support::{Client, batch, fetch_request, fetched_values, of_partition};
use thalweg_messages::fetch::{FetchRequest, FetchResponse, ForgottenTopic};
use thalweg_wire::{Offset, PartitionIndex};
use thalweg_world::simulated::SimulatedWorld;

const VERSION: i16 = 12;

/// A fetch of all three partitions from their beginning.
fn full(max_wait_ms: i32) -> FetchRequest {
    let mut request = fetch_request("t", 0, 0, 1, max_wait_ms);
    let first = request.topics[0].partitions[0].clone();
    request.topics[0].partitions = (0..3).map(|index| of_partition(&first, index)).collect();
    (request.session_id, request.session_epoch) = (0, 0);
    request
}

/// One that names nothing.
fn next(session_id: i32, session_epoch: i32, max_wait_ms: i32) -> FetchRequest {
    FetchRequest { session_id, session_epoch, topics: Vec::new(), ..full(max_wait_ms) }
}

/// The partitions that an answer names.
fn named(response: &FetchResponse) -> Vec<i32> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|partition| partition.partition_index.0).collect()
}

async fn connect(sim: &SimulatedWorld) -> io::Result<Client> {
    let mut client = Client::connect(&sim.world, ADDRESS).await?;
    client.create_topic("t", 3).await?;
    Ok(client)
}

#[test]
fn an_answer_in_a_session_names_what_is_news() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        let opened = client.call(VERSION, &full(0)).await.unwrap();
        assert_eq!((opened.error_code, named(&opened)), (0, vec![0, 1, 2]));
        let id = opened.session_id;
        assert_ne!(id, 0);

        let quiet = client.call(VERSION, &next(id, 1, 0)).await.unwrap();
        assert_eq!((quiet.error_code, quiet.session_id, named(&quiet)), (0, id, vec![]));

        client.produce("t", 1, &batch(&[b"news"])).await.unwrap();
        let news = client.call(VERSION, &next(id, 2, 0)).await.unwrap();
        assert_eq!((named(&news), fetched_values(&news)), (vec![1], vec!["news".into()]));

        // The client moves on in that partition, and wants no more of the first.
        let mut moved = next(id, 3, 0);
        moved.topics = full(0).topics;
        moved.topics[0].partitions = vec![of_partition(&moved.topics[0].partitions[0], 1)];
        moved.topics[0].partitions[0].fetch_offset = Offset(1);
        moved.forgotten_topics_data =
            vec![ForgottenTopic { topic: "t".to_owned(), partitions: vec![PartitionIndex(0)], ..Default::default() }];
        assert_eq!(named(&client.call(VERSION, &moved).await.unwrap()), Vec::<i32>::new());
        for partition in [0, 2] {
            client.produce("t", partition, &batch(&[b"more"])).await.unwrap();
        }
        let news = client.call(VERSION, &next(id, 4, 0)).await.unwrap();
        assert_eq!(named(&news), [2], "0 was forgotten");

        // A full fetch with the id ends the session and opens another.
        let again = client.call(VERSION, &FetchRequest { session_id: id, ..full(0) }).await.unwrap();
        assert_ne!(again.session_id, id);
        assert_eq!(client.call(VERSION, &next(id, 5, 0)).await.unwrap().error_code, 70, "FETCH_SESSION_ID_NOT_FOUND");
        broker.stop().await.unwrap();
    });
}

/// As a real Kafka does: what has no news does not part those that have.
#[test]
fn an_answer_names_a_topic_once_for_partitions_that_follow_each_other_in_it() {
    boot(async {
        let sim = SimulatedWorld::new(4);
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        client.create_topic("u", 1).await.unwrap();
        let of = |topic: &str, index| {
            let mut wanted = fetch_request(topic, 0, 0, 0, 0).topics.remove(0);
            wanted.partitions[0].partition = PartitionIndex(index);
            wanted
        };
        let opened = client.call(VERSION, &FetchRequest { topics: vec![of("t", 0), of("u", 0)], ..full(0) }).await;
        let id = opened.unwrap().session_id;
        client.call(VERSION, &FetchRequest { topics: vec![of("t", 1)], ..next(id, 1, 0) }).await.unwrap();
        for partition in [1, 0] {
            client.produce("t", partition, &batch(&[b"news"])).await.unwrap();
        }
        let news = client.call(VERSION, &next(id, 2, 0)).await.unwrap();
        assert_eq!((news.responses.len(), named(&news)), (1, vec![0, 1]));
        broker.stop().await.unwrap();
    });
}

#[test]
fn a_fetch_that_waits_in_a_session_is_woken_by_any_of_its_partitions() {
    boot(async {
        let sim = SimulatedWorld::new(2);
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        let id = client.call(VERSION, &full(0)).await.unwrap().session_id;
        client.send(VERSION, &next(id, 1, 1_000_000)).await.unwrap();
        let mut other = Client::connect(&sim.world, ADDRESS).await.unwrap();
        other.produce("t", 2, &batch(&[b"woken"])).await.unwrap();
        let (_, news) = client.receive::<FetchRequest>(VERSION).await.unwrap();
        assert_eq!((named(&news), fetched_values(&news)), (vec![2], vec!["woken".into()]));
        broker.stop().await.unwrap();
    });
}

/// As a real Kafka answers.
#[test]
fn who_is_out_of_step_is_told_so_and_sessionless_fetches_have_no_id() {
    boot(async {
        let sim = SimulatedWorld::new(3);
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        let sessionless = client.call(VERSION, &FetchRequest { session_epoch: -1, ..full(0) }).await.unwrap();
        assert_eq!((sessionless.session_id, named(&sessionless)), (0, vec![0, 1, 2]));
        let id = client.call(VERSION, &full(0)).await.unwrap().session_id;
        for (epoch, code) in [(2, 71), (1, 0), (1, 71)] {
            let answer = client.call(VERSION, &next(id, epoch, 0)).await.unwrap();
            assert_eq!(answer.error_code, code, "epoch {epoch}");
        }
        let by_id = client.call(13, &next(id, 2, 0)).await.unwrap();
        assert_eq!(by_id.error_code, 106, "FETCH_SESSION_TOPIC_ID_ERROR");
        // The last request of a session brings all its partitions, and ends it.
        let last = client.call(VERSION, &FetchRequest { session_id: id, session_epoch: -1, ..full(0) }).await.unwrap();
        assert_eq!((last.session_id, named(&last)), (0, vec![0, 1, 2]));
        assert_eq!(client.call(VERSION, &next(id, 2, 0)).await.unwrap().error_code, 70);
        broker.stop().await.unwrap();
    });
}

/// Partition 1 of the answer: error, log start, high watermark, records.
fn of_one(response: &FetchResponse) -> (i16, i64, i64, Vec<bytes::Bytes>) {
    assert_eq!(named(response), [1]);
    let partition = &response.responses[0].partitions[0];
    let values = if partition.error_code == 0 { fetched_values(response) } else { Vec::new() };
    (partition.error_code, partition.log_start_offset.0, partition.high_watermark.0, values)
}

/// Asks for partition 1 from an offset on, as part of a session.
fn from(offset: i64, request: FetchRequest) -> FetchRequest {
    let mut topics = full(0).topics;
    topics[0].partitions = vec![of_partition(&topics[0].partitions[0], 1)];
    topics[0].partitions[0].fetch_offset = Offset(offset);
    FetchRequest { topics, ..request }
}

async fn delete_records(client: &mut Client, below: i64) {
    assert_eq!(client.delete_records("t", 1, below).await.unwrap().0, 0);
}

/// A session of all three partitions, in which the reader has read three records of partition 1; its id and next epoch.
async fn read_to_the_end(client: &mut Client) -> (i32, i32) {
    for value in [b"a", b"b", b"c"] {
        client.produce("t", 1, &batch(&[value])).await.unwrap();
    }
    let id = client.call(VERSION, &full(0)).await.unwrap().session_id;
    for (epoch, request) in [(1, from(3, next(id, 1, 0))), (2, next(id, 2, 0))] {
        assert_eq!(named(&client.call(VERSION, &request).await.unwrap()), [0; 0], "epoch {epoch}");
    }
    (id, 3)
}

/// It wakes nobody, and it is no record, and still the next answer has it; also one that waited meanwhile.
#[test]
fn a_log_start_that_moved_is_told() {
    boot(async {
        let sim = SimulatedWorld::new(5);
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        let (id, epoch) = read_to_the_end(&mut client).await;
        delete_records(&mut client, 1).await;
        let told = client.call(VERSION, &next(id, epoch, 0)).await.unwrap();
        assert_eq!(of_one(&told), (0, 1, 3, vec![]));
        let mut other = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let before = sim.world.clock.now();
        client.send(VERSION, &next(id, epoch + 1, 60_000)).await.unwrap();
        delete_records(&mut other, 2).await;
        let (_, told) = client.receive::<FetchRequest>(VERSION).await.unwrap();
        assert_eq!(of_one(&told), (0, 2, 3, vec![]));
        assert!(sim.world.clock.now().since(before) >= Duration::from_secs(60), "it was not woken");
        assert_eq!(named(&client.call(VERSION, &next(id, epoch + 2, 0)).await.unwrap()), [0; 0]);
        broker.stop().await.unwrap();
    });
}

/// The limit of a topic in memory is lowered, and nothing is produced.
#[test]
fn a_log_start_that_a_setting_moved_is_told() {
    boot(async {
        let sim = SimulatedWorld::new(9);
        let broker = start(&sim).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let in_memory = [("storage.mode", "memory"), ("retention.bytes", "100000")];
        assert_eq!(client.create_topic_with("t", 3, &in_memory).await.unwrap(), 0);
        let (id, epoch) = read_to_the_end(&mut client).await;
        assert_eq!(alter(&mut client, TOPIC, "t", &["retention.bytes=1"]).await, "ok");
        let told = client.call(VERSION, &next(id, epoch, 0)).await.unwrap();
        assert_eq!(of_one(&told), (0, 2, 3, vec![]));
        broker.stop().await.unwrap();
    });
}

#[test]
fn what_did_not_fit_is_given_by_the_next_answer_and_again_to_who_does_not_move_on() {
    boot(async {
        let sim = SimulatedWorld::new(6);
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        let (id, epoch) = read_to_the_end(&mut client).await;
        for partition in [1, 2] {
            client.produce("t", partition, &batch(&[b"news"])).await.unwrap();
        }
        // One batch is given always, and no second one fits. Then the other partition is served first.
        let small = |epoch| FetchRequest { max_bytes: 1, ..next(id, epoch, 0) };
        let records = |response: &FetchResponse| -> Vec<i32> {
            let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
            let given =
                partitions.filter(|partition| partition.records.as_ref().is_some_and(|records| !records.is_empty()));
            given.map(|partition| partition.partition_index.0).collect()
        };
        for (epoch, given) in (epoch..).zip([1, 2, 1, 2, 1]) {
            let answer = client.call(VERSION, &small(epoch)).await.unwrap();
            assert_eq!(records(&answer), [given], "epoch {epoch}");
        }
        let both = client.call(VERSION, &next(id, epoch + 5, 0)).await.unwrap();
        assert_eq!(records(&both), [2, 1]);
        broker.stop().await.unwrap();
    });
}

#[test]
fn a_topic_that_is_deleted_and_made_again_under_its_name_is_read_on() {
    boot(async {
        let sim = SimulatedWorld::new(7);
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        let mut other = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let (id, epoch) = read_to_the_end(&mut client).await;
        let before = sim.world.clock.now();
        client.send(VERSION, &next(id, epoch, 60_000)).await.unwrap();
        sim.world.clock.sleep(Duration::from_millis(100)).await;
        assert_eq!(other.delete_topic("t").await.unwrap(), 0);
        let (_, told) = client.receive::<FetchRequest>(VERSION).await.unwrap();
        assert!(sim.world.clock.now().since(before) < Duration::from_secs(60), "who waits is told");
        assert!(told.responses[0].partitions.iter().any(|partition| partition.error_code == 3));
        for epoch in [epoch + 1, epoch + 2] {
            let gone = client.call(VERSION, &next(id, epoch, 0)).await.unwrap();
            assert_eq!(named(&gone), [0, 1, 2], "said each time");
            assert!(gone.responses[0].partitions.iter().all(|partition| partition.error_code == 3));
        }
        assert_eq!(other.create_topic("t", 3).await.unwrap(), 0);
        let again = client.call(VERSION, &from(0, next(id, epoch + 3, 0))).await.unwrap();
        assert_eq!(named(&again), [0, 1, 2]);
        assert_eq!(named(&client.call(VERSION, &next(id, epoch + 4, 0)).await.unwrap()), [0; 0]);
        other.produce("t", 1, &batch(&[b"of the second"])).await.unwrap();
        let news = client.call(VERSION, &next(id, epoch + 5, 0)).await.unwrap();
        assert_eq!(of_one(&news), (0, 0, 1, vec!["of the second".into()]));
        broker.stop().await.unwrap();
    });
}

/// The second request takes up the move that the first one waits for, and its answer comes behind that of the first.
#[test]
fn two_requests_of_one_session_at_a_time_both_hear_of_a_move() {
    boot(async {
        let sim = SimulatedWorld::new(8);
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        let mut other = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let (id, epoch) = read_to_the_end(&mut client).await;
        for epoch in [epoch, epoch + 1] {
            client.send(VERSION, &next(id, epoch, 1_000_000)).await.unwrap();
        }
        sim.world.clock.sleep(Duration::from_millis(100)).await;
        other.produce("t", 1, &batch(&[b"news"])).await.unwrap();
        for _ in 0..2 {
            let (_, news) = client.receive::<FetchRequest>(VERSION).await.unwrap();
            assert_eq!(of_one(&news), (0, 0, 4, vec!["news".into()]));
        }
        broker.stop().await.unwrap();
    });
}
