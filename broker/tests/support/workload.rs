//! Clients that write and read from a seed, and the ledger of what they were promised.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use thalweg_broker::settings::{Given, Layers, Origin, Settings, data_directory};
use thalweg_broker::{Broker, StartError};
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_world::World;
use thalweg_world::simulated::{Rng, SimulatedWorld};

use super::{Client, batch, fetch_request, fetched_values, produce_request};

/// Where simulated brokers listen.
pub const ADDRESS: &str = "127.0.0.1:9092";

/// The topics that clients write to; made by the first who asks.
const TOPICS: [&str; 3] = ["upper", "middle", "lower"];
const PARTITIONS: i32 = 3;

type Partition = (String, i32);

/// What clients were told, and what they tried.
#[derive(Default, Debug)]
pub struct Ledger {
    /// Acknowledged records, by offset.
    pub acknowledged: BTreeMap<Partition, BTreeMap<i64, Bytes>>,
    /// Every value that was ever sent, acknowledged or not.
    pub sent: BTreeSet<Bytes>,
    /// What was read: an offset never shows two values.
    pub seen: BTreeMap<(Partition, i64), Bytes>,
    /// The highest end that anybody was told: it never goes back.
    pub ends: BTreeMap<Partition, i64>,
    /// Everything that clients received, in order: for comparing two runs.
    pub transcript: Vec<String>,
}

pub type SharedLedger = Arc<Mutex<Ledger>>;

/// Settings of a simulated broker with a journal of so many bytes.
pub fn settings(journal_bytes: u64) -> Settings {
    let (journal_bytes, partitions) = (journal_bytes.to_string(), PARTITIONS.to_string());
    settings_with(&[
        ("journal.bytes", &journal_bytes),
        // A few records on their way are enough to go past the journal.
        ("journal.bypass.bytes", "400"),
        ("num.partitions", &partitions),
    ])
}

/// Settings of a simulated broker, with these names set.
pub fn settings_with(named: &[(&str, &str)]) -> Settings {
    let given = |name: &str, value: &str| Given { name: name.to_owned(), value: value.to_owned(), origin: Origin::Set };
    let mut flags = data_directory("/data", &Origin::Set);
    flags.push(given("listeners", &format!("PLAINTEXT://{ADDRESS}")));
    flags.extend(named.iter().map(|(name, value)| given(name, value)));
    Settings::new(&Layers { flags, ..Layers::default() }, None).expect("good settings").0
}

/// Starts a broker in a simulated world.
pub async fn start(sim: &SimulatedWorld) -> Result<Broker, StartError> {
    start_with(sim, 8 << 20).await
}

/// The same with a journal of so many bytes: a small one is written over and over.
pub async fn start_with(sim: &SimulatedWorld, journal_bytes: u64) -> Result<Broker, StartError> {
    Broker::start(sim.world.clone(), settings(journal_bytes)).await
}

/// Makes a topic of one partition.
pub async fn create(client: &mut Client, name: &str, configs: &[(&str, &str)]) -> io::Result<()> {
    match client.create_topic_with(name, 1, configs).await? {
        0 => Ok(()),
        code => Err(io::Error::other(format!("error {code}"))),
    }
}

/// Runs a boot of the simulated machine to its end: tasks end with it, as processes do.
pub fn boot<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(run)
}

/// One client: so many steps, or until its connection breaks.
pub async fn client(world: World, ledger: SharedLedger, seed: u64, name: String, steps: u32) -> io::Result<()> {
    let mut rng = Rng::stream(seed, &name);
    let mut connection = Client::connect(&world, ADDRESS).await?;
    let mut written = 0;
    for step in 0..steps {
        let topic = *rng.pick(&TOPICS).expect("some topics");
        let partition = rng.below(PARTITIONS as u64) as i32;
        match rng.below(10) {
            0 => know(&mut connection, &ledger, &name).await?,
            1..=5 => {
                let burst = 1 + rng.below(3);
                let mut values = Vec::new();
                for _ in 0..burst {
                    let records = 1 + rng.below(4);
                    let padding = "x".repeat(rng.below(300) as usize);
                    values.push(
                        (0..records)
                            .map(|_| {
                                written += 1;
                                Bytes::from(format!("{name}-{written}-{padding}"))
                            })
                            .collect::<Vec<_>>(),
                    );
                }
                produce(&mut connection, &ledger, &name, topic, partition, &values).await?;
            }
            6..=8 => read(&mut connection, &ledger, &name, topic, partition, &mut rng).await?,
            _ => ends(&mut connection, &ledger, topic, partition, step).await?,
        }
    }
    Ok(())
}

/// Metadata of all topics: creates them.
async fn know(connection: &mut Client, ledger: &SharedLedger, name: &str) -> io::Result<()> {
    let topics =
        TOPICS.map(|topic| MetadataRequestTopic { name: Some(topic.to_owned()), ..Default::default() }).to_vec();
    let request = MetadataRequest { topics: Some(topics), allow_auto_topic_creation: true, ..Default::default() };
    let response = connection.call(9, &request).await?;
    for topic in response.topics {
        let line =
            format!("{name}: {:?} has {} partitions, error {}", topic.name, topic.partitions.len(), topic.error_code);
        ledger.lock().unwrap().transcript.push(line);
    }
    Ok(())
}

/// Sends several batches without waiting in between, then takes the answers.
async fn produce(
    connection: &mut Client,
    ledger: &SharedLedger,
    name: &str,
    topic: &str,
    partition: i32,
    batches: &[Vec<Bytes>],
) -> io::Result<()> {
    for values in batches {
        ledger.lock().unwrap().sent.extend(values.iter().cloned());
        let values: Vec<&[u8]> = values.iter().map(|value| &value[..]).collect();
        connection.send(12, &produce_request(topic, partition, &batch(&values), -1)).await?;
    }
    for values in batches {
        let (_, response) = connection.receive::<thalweg_messages::produce::ProduceRequest>(12).await?;
        let answer = &response.responses[0].partition_responses[0];
        let mut ledger = ledger.lock().unwrap();
        ledger.transcript.push(format!("{name}: {topic}-{partition} {} at {}", answer.error_code, answer.base_offset));
        if answer.error_code != 0 {
            continue;
        }
        let log = ledger.acknowledged.entry((topic.to_owned(), partition)).or_default();
        for (place, value) in values.iter().enumerate() {
            let offset = answer.base_offset.0 + place as i64;
            let before = log.insert(offset, value.clone());
            assert!(before.is_none(), "offset {offset} of {topic}-{partition} was given twice");
        }
    }
    Ok(())
}

async fn read(
    connection: &mut Client,
    ledger: &SharedLedger,
    name: &str,
    topic: &str,
    partition: i32,
    rng: &mut Rng,
) -> io::Result<()> {
    let from = rng.below(20) as i64;
    let wait = rng.below(40) as i32;
    let floor = ledger.lock().unwrap().known_end(topic, partition);
    let response = connection.call(12, &fetch_request(topic, partition, from, 1, wait)).await?;
    let answer = &response.responses[0].partitions[0];
    let mut ledger = ledger.lock().unwrap();
    ledger.transcript.push(format!("{name}: {topic}-{partition} from {from}: {:?}", answer.high_watermark));
    if answer.error_code == 0 {
        let key = (topic.to_owned(), partition);
        let first = answer.records.as_ref().and_then(|records| records.first_chunk().copied()).map(i64::from_be_bytes);
        for (place, value) in fetched_values(&response).into_iter().enumerate() {
            let offset = first.expect("records begin with an offset") + place as i64;
            assert!(
                offset < answer.high_watermark.0,
                "record {offset} of {topic}-{partition} was shown unacknowledged"
            );
            let seen = ledger.seen.insert((key.clone(), offset), value.clone());
            assert!(seen.is_none_or(|seen| seen == value), "offset {offset} of {topic}-{partition} changed");
        }
        ledger.end(key, floor, answer.high_watermark.0);
    }
    Ok(())
}

async fn ends(
    connection: &mut Client,
    ledger: &SharedLedger,
    topic: &str,
    partition: i32,
    step: u32,
) -> io::Result<()> {
    if step == 0 {
        return Ok(());
    }
    let floor = ledger.lock().unwrap().known_end(topic, partition);
    if floor > 0 {
        let end = connection.offset_of_time(topic, partition, -1).await?;
        ledger.lock().unwrap().end((topic.to_owned(), partition), floor, end);
    }
    Ok(())
}

impl Ledger {
    /// The highest end that anybody has heard of by now.
    fn known_end(&self, topic: &str, partition: i32) -> i64 {
        self.ends.get(&(topic.to_owned(), partition)).copied().unwrap_or(0)
    }

    /// Somebody was told an end, having asked when `floor` was known: answers of two connections may overtake each
    /// other, but none may be older than what was known when it was asked for.
    fn end(&mut self, partition: Partition, floor: i64, end: i64) {
        assert!(end >= floor, "the high watermark of {partition:?} went back from {floor} to {end}");
        let known = self.ends.entry(partition).or_insert(0);
        *known = end.max(*known);
    }
}

/// Reads everything back and compares it with what was promised. Clients have ended.
pub async fn check(world: &World, ledger: &SharedLedger) -> io::Result<u64> {
    let mut connection = Client::connect(world, ADDRESS).await?;
    let mut records = 0;
    let (acknowledged, ends) = {
        let ledger = ledger.lock().unwrap();
        (ledger.acknowledged.clone(), ledger.ends.clone())
    };
    let mut partitions: BTreeSet<Partition> = acknowledged.keys().cloned().collect();
    partitions.extend(ends.keys().cloned());
    for (topic, partition) in partitions {
        let key = (topic.clone(), partition);
        let found = connection.read_all(&topic, partition, 0).await?;
        let mut ledger = ledger.lock().unwrap();
        for (expected, (offset, value)) in found.iter().enumerate() {
            assert_eq!(*offset, expected as i64, "a hole in the offsets of {key:?}");
            assert!(ledger.sent.contains(value), "{key:?} has a record that nobody sent: {value:?}");
            let seen = ledger.seen.insert((key.clone(), *offset), value.clone());
            assert!(seen.is_none_or(|seen| seen == *value), "offset {offset} of {key:?} changed");
        }
        for (offset, value) in acknowledged.get(&key).into_iter().flatten() {
            let there = usize::try_from(*offset).ok().and_then(|place| found.get(place));
            assert_eq!(there.map(|(_, value)| value), Some(value), "acknowledged record {offset} of {key:?} is lost");
        }
        let floor = ledger.known_end(&topic, partition);
        ledger.end(key, floor, found.len() as i64);
        records += found.len() as u64;
    }
    Ok(records)
}
