//! Odd frames, and what a real Kafka 4.3.0 made of them: `fixtures/messages/negative/live-broker.tsv`, line by line.

mod support;

use std::path::Path;

use bytes::Bytes;
use support::Client;
use support::steps::PROBE;
use support::workload::{self, ADDRESS, boot};
use thalweg_broker::Broker;
use thalweg_world::World;
use thalweg_world::simulated::SimulatedWorld;

/// The fixture has the first 40 bytes of what was sent; where there were more, these are the rest.
const RESTS: [(&str, &str); 3] = [
    ("fetch v18 as a plain client, empty", "01010100"),
    ("two requests in one packet", "650001000000"),
    ("acks=0 produce to no topic, then metadata", "0004706f6b650001000000"),
];

struct Line {
    what: String,
    sent: Vec<u8>,
    /// The outcome: how many answers, and whether the connection stays.
    answers: usize,
    stays: bool,
    /// The first 48 bytes of what came back.
    answered: Vec<u8>,
}

fn lines() -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/messages/negative/live-broker.tsv");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().skip(1).map(line).collect()
}

fn line(line: &str) -> Line {
    let fields: Vec<&str> = line.split('\t').collect();
    let what = fields[0].to_owned();
    let mut sent = hex(fields[1]);
    if let Some((_, rest)) = RESTS.iter().find(|(other, _)| *other == what) {
        sent.extend(hex(rest));
    }
    if what == "metadata v12, 100 bytes more" {
        sent.resize(4 + 0x77, b'x');
    }
    let outcome = fields[2];
    let (answers, stays) = match outcome.split_once(" answer(s), then ") {
        Some((count, after)) => (count.parse().expect("a count"), after == "open"),
        None => (0, false),
    };
    assert!(stays || outcome == "closed", "{what}: {outcome}");
    Line { what, sent, answers, stays, answered: hex(fields.get(3).copied().unwrap_or_default()) }
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hex")).collect()
}

/// Sends the line, then an ApiVersions request: all answers up to the one to that, or to the end of the connection.
async fn send(world: &World, line: &Line) -> (Vec<Bytes>, bool) {
    let mut connection = Client::connect(world, ADDRESS).await.expect("a connection");
    connection.send_bytes(&line.sent).await.expect("the peer reads");
    let mut answers = Vec::new();
    for _ in 0..line.answers {
        match connection.receive_bytes().await {
            Ok(answer) => answers.push(answer),
            Err(_) => return (answers, false),
        }
    }
    // Whether more comes, and whether the connection stands: what is answered next is this.
    let probed = async {
        connection.send_bytes(&PROBE).await?;
        connection.receive_bytes().await
    };
    match probed.await {
        Ok(answer) if answer[..4] == PROBE[8..12] => (answers, true),
        Ok(answer) => panic!("{}: another answer: {answer:?}", line.what),
        Err(_) => (answers, false),
    }
}

#[test]
fn odd_frames_meet_the_same_end_as_at_a_real_broker() {
    let lines = lines();
    assert_eq!(lines.len(), 43);
    boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = Broker::start(sim.world.clone(), workload::settings_with(&[])).await.expect("a start");
        let mut same_bytes = 0;
        for line in &lines {
            let (answers, stays) = send(&sim.world, line).await;
            assert_eq!((answers.len(), stays), (line.answers, line.stays), "{}", line.what);
            let Some(first) = answers.first() else { continue };
            // Without the length: correlation id and error say enough where the answer names the broker's own.
            assert_eq!(first[..4], line.answered[4..8], "{}: the correlation id", line.what);
            if line.answered.len() < 48 {
                assert_eq!(first[..], line.answered[4..], "{}", line.what);
                same_bytes += 1;
            }
        }
        assert_eq!(same_bytes, 7, "answers that the fixture has in full");
        assert_eq!(broker.request_bytes(), 0);
        broker.stop().await.expect("a clean stop");
    });
}
