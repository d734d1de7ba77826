//! A session answers as if each poll looked at everything: random polls of a broker, beside a model that does.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use support::workload::{ADDRESS, boot, start};
use support::{Client, batch, fetch_request, seeds};
use thalweg_messages::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic, ForgottenTopic};
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_wire::batch::Batches;
use thalweg_wire::{BrokerId, LeaderEpoch, Offset, PartitionIndex, TopicId, Uuid};
use thalweg_world::simulated::{Rng, SimulatedWorld};

const TOPICS: [&str; 3] = ["a", "b", "mortal"];
const PARTITIONS: usize = 7;
const STEPS: u32 = 40;
const VALUE: &[u8] = b"each batch has the same size";

/// A topic by number, and a partition of it; also one that it does not have.
type Place = (usize, usize);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Interest {
    offset: i64,
    epoch: i32,
    max_bytes: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Log {
    start: i64,
    end: i64,
}

/// An entry of the session, and the marks that the client was told.
#[derive(Clone, Debug)]
struct Entry {
    place: Place,
    id: TopicId,
    interest: Interest,
    told: Option<Log>,
}

/// What a poll says of all partitions.
#[derive(Clone, Copy, Debug)]
struct Poll {
    max_bytes: i32,
    min_bytes: i32,
    max_wait_ms: i32,
    isolation: i8,
    replica: i32,
}

/// Of a partition: what an answer says, with the offsets of its records.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Said {
    Error(i16),
    Records(Log, std::ops::Range<i64>),
}

/// What there is to read, and what a session of it has.
#[derive(Default)]
struct Model {
    by_id: bool,
    topics: [Option<(TopicId, [Log; PARTITIONS])>; 3],
    batch_bytes: i64,
    session: Vec<Entry>,
}

/// What a look at everything gives.
struct Look {
    said: Vec<Said>,
    bytes: i64,
    has_news: bool,
    has_nothing_to_wait_for: bool,
}

impl Model {
    fn want(&mut self, place: Place, id: TopicId, interest: Interest) {
        match self.session.iter_mut().find(|entry| (entry.place, entry.id) == (place, id)) {
            Some(entry) => entry.interest = interest,
            None => self.session.push(Entry { place, id, interest, told: None }),
        }
    }

    /// The log of an entry, or what is said instead: without a look at it, or behind one.
    fn log(&self, entry: &Entry, poll: Poll) -> Result<Log, i16> {
        let (topic, partition) = entry.place;
        let known = self.topics[topic].as_ref().filter(|(id, _)| !self.by_id || *id == entry.id);
        match (poll, known) {
            (Poll { replica: 0.., .. }, Some(_)) => Err(6),
            (Poll { replica: ..0, isolation: 2.., .. }, _) => Err(-1),
            (_, Some((_, logs))) => logs.get(partition).copied().ok_or(3),
            (_, None) => Err(if self.by_id { 100 } else { 3 }),
        }
    }

    fn look(&self, poll: Poll) -> Look {
        let mut look = Look { said: Vec::new(), bytes: 0, has_news: false, has_nothing_to_wait_for: true };
        for entry in &self.session {
            let said = match self.log(entry, poll) {
                Err(code) => Said::Error(code),
                Ok(log) => {
                    look.has_nothing_to_wait_for = false;
                    let Interest { offset, epoch, max_bytes } = entry.interest;
                    let room = i64::from(max_bytes).min((i64::from(poll.max_bytes) - look.bytes).max(0));
                    if epoch > 0 {
                        look.has_news = true;
                        Said::Error(75)
                    } else if !(log.start..=log.end).contains(&offset) {
                        look.has_news = true;
                        Said::Error(1)
                    } else {
                        let least = i64::from(look.bytes == 0);
                        let records = (room / self.batch_bytes).max(least).min(log.end - offset);
                        look.bytes += records * self.batch_bytes;
                        Said::Records(log, if records == 0 { 0..0 } else { offset..offset + records })
                    }
                }
            };
            look.said.push(said);
        }
        look
    }

    /// Whether a poll surely waits: whatever is there, counted without the limit of the whole answer, is too little.
    fn waits(&self, poll: Poll) -> bool {
        let look = self.look(poll);
        let bytes = self.session.iter().filter_map(|entry| {
            let there_are = (self.log(entry, poll).ok()?.end - entry.interest.offset).max(0) * self.batch_bytes;
            Some(there_are.min(i64::from(entry.interest.max_bytes) + self.batch_bytes))
        });
        let has_enough = bytes.sum::<i64>() >= i64::from(poll.min_bytes);
        !(look.has_news || has_enough || poll.max_wait_ms == 0 || look.has_nothing_to_wait_for)
    }

    /// What is news of it, and in which order the session is served next time.
    fn answer(&mut self, poll: Poll) -> Vec<(Place, Said)> {
        let mut answer = Vec::new();
        let (mut first, mut last) = (Vec::new(), Vec::new());
        let said = self.look(poll).said;
        for (mut entry, said) in std::mem::take(&mut self.session).into_iter().zip(said) {
            let (told, gives) = match &said {
                Said::Error(_) => (None, false),
                Said::Records(log, records) => (Some(*log), !records.is_empty()),
            };
            if told.is_none() || told != entry.told || gives {
                answer.push((entry.place, said));
            }
            entry.told = told;
            if gives { last.push(entry) } else { first.push(entry) }
        }
        first.append(&mut last);
        self.session = first;
        answer
    }

    /// All of it, as the answer to a full fetch: the order stays.
    fn opened(&mut self, poll: Poll) -> Vec<(Place, Said)> {
        let said = self.look(poll).said;
        for (entry, said) in self.session.iter_mut().zip(&said) {
            entry.told = if let Said::Records(log, _) = said { Some(*log) } else { None };
        }
        self.session.iter().map(|entry| entry.place).zip(said).collect()
    }
}

struct Story {
    sim: SimulatedWorld,
    rng: Rng,
    model: Model,
    reader: Client,
    writer: Client,
    version: i16,
    session: (i32, i32),
    seed: u64,
}

impl Story {
    async fn begin(sim: &SimulatedWorld, seed: u64) -> Story {
        let mut rng = Rng::stream(seed, "polls");
        let by_id = rng.coin();
        let mut story = Story {
            sim: sim.clone(),
            rng,
            model: Model { by_id, batch_bytes: batch(&[VALUE]).byte_length() as i64, ..Model::default() },
            reader: Client::connect(&sim.world, ADDRESS).await.unwrap(),
            writer: Client::connect(&sim.world, ADDRESS).await.unwrap(),
            version: if by_id { 13 } else { 12 },
            session: (0, 0),
            seed,
        };
        for topic in 0..TOPICS.len() {
            story.create(topic).await;
        }
        story
    }

    async fn create(&mut self, topic: usize) {
        assert_eq!(self.writer.create_topic(TOPICS[topic], PARTITIONS as i32).await.unwrap(), 0);
        let named = MetadataRequestTopic { name: Some(TOPICS[topic].to_owned()), ..Default::default() };
        let request = MetadataRequest { topics: Some(vec![named]), ..Default::default() };
        let id = self.writer.call(12, &request).await.unwrap().topics[0].topic_id;
        self.model.topics[topic] = Some((id, [Log::default(); PARTITIONS]));
    }

    /// Something happens beside the session.
    async fn happen(&mut self, may_end_topics: bool) {
        let topic = self.rng.below(TOPICS.len() as u64) as usize;
        let partition = self.rng.below(PARTITIONS as u64) as usize;
        let delete = self.rng.below(4) == 0;
        if may_end_topics && self.rng.below(8) == 0 {
            if self.model.topics[2].take().is_none() {
                self.create(2).await;
            } else {
                assert_eq!(self.writer.delete_topic(TOPICS[2]).await.unwrap(), 0);
            }
            return;
        }
        let Some((_, logs)) = &mut self.model.topics[topic] else { return };
        let log = &mut logs[partition];
        if delete {
            let below = log.start + self.rng.below((log.end - log.start + 1) as u64) as i64;
            log.start = below;
            let answer = self.writer.delete_records(TOPICS[topic], partition as i32, below).await.unwrap();
            assert_eq!(answer.0, 0);
        } else {
            log.end += 1;
            self.writer.produce(TOPICS[topic], partition as i32, &batch(&[VALUE])).await.unwrap();
        }
    }

    fn interest(&mut self, place: Place) -> Interest {
        let log = self.model.topics[place.0].as_ref().and_then(|(_, logs)| logs.get(place.1)).copied();
        let Log { start, end } = log.unwrap_or_default();
        let offset = match self.rng.below(8) {
            0 => start - 1,
            1 => end + 1,
            2..=4 => end,
            _ => start + self.rng.below((end - start + 1) as u64) as i64,
        };
        let batches = self.rng.below(4) as i32;
        let epoch = if self.rng.below(20) == 0 { 9 } else { -1 };
        Interest { offset, epoch, max_bytes: batches * self.model.batch_bytes as i32 }
    }

    fn poll(&mut self) -> Poll {
        let batch_bytes = self.model.batch_bytes as i32;
        Poll {
            max_bytes: batch_bytes * *self.rng.pick(&[0, 1, 2, 3, 100]).unwrap(),
            min_bytes: *self.rng.pick(&[0, 1, 1, 2 * batch_bytes]).unwrap(),
            max_wait_ms: *self.rng.pick(&[0, 0, 1000]).unwrap(),
            isolation: if self.rng.below(30) == 0 && !self.model.by_id { 2 } else { self.rng.below(2) as i8 },
            replica: if self.rng.below(30) == 0 { 5 } else { -1 },
        }
    }

    /// Partitions of one topic after the other, each with what is wanted of it.
    fn changes(&mut self, most: u64) -> Vec<(Place, Interest)> {
        let mut places: Vec<Place> = (0..self.rng.below(most + 1))
            .map(|_| (self.rng.below(3) as usize, self.rng.below(PARTITIONS as u64 + 1) as usize))
            .collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| (place, self.interest(place))).collect()
    }

    fn id(&self, topic: usize) -> TopicId {
        match &self.model.topics[topic] {
            Some((id, _)) if self.model.by_id => *id,
            None if self.model.by_id => Uuid([4; 16]),
            _ => TopicId::ZERO,
        }
    }

    fn request(&self, poll: Poll, changes: &[(Place, Interest)], forgotten: &[(Place, TopicId)]) -> FetchRequest {
        let name = |topic: usize| if self.model.by_id { String::new() } else { TOPICS[topic].to_owned() };
        let topics = changes.iter().map(|((topic, partition), interest)| FetchTopic {
            topic: name(*topic),
            topic_id: self.id(*topic),
            partitions: vec![FetchPartition {
                partition: PartitionIndex(*partition as i32),
                current_leader_epoch: LeaderEpoch(interest.epoch),
                fetch_offset: Offset(interest.offset),
                partition_max_bytes: interest.max_bytes,
                ..fetch_request("", 0, 0, 0, 0).topics[0].partitions[0].clone()
            }],
            ..FetchTopic::default()
        });
        let forgotten = forgotten.iter().map(|((topic, partition), id)| ForgottenTopic {
            topic: name(*topic),
            topic_id: *id,
            partitions: vec![PartitionIndex(*partition as i32)],
            ..ForgottenTopic::default()
        });
        FetchRequest {
            session_id: self.session.0,
            session_epoch: self.session.1,
            max_bytes: poll.max_bytes,
            min_bytes: poll.min_bytes,
            max_wait_ms: poll.max_wait_ms,
            isolation_level: poll.isolation,
            replica_id: BrokerId(poll.replica),
            topics: topics.collect(),
            forgotten_topics_data: forgotten.collect(),
            ..FetchRequest::default()
        }
    }

    async fn open(&mut self) {
        let poll = Poll { max_wait_ms: 0, isolation: 0, replica: -1, ..self.poll() };
        let mut changes = self.changes(20);
        changes.push(((0, PARTITIONS + 1), Interest { offset: 0, epoch: -1, max_bytes: 0 }));
        changes.sort_unstable_by_key(|(place, _)| *place);
        self.model.session = Vec::new();
        for (place, interest) in &changes {
            self.model.want(*place, self.id(place.0), *interest);
        }
        let request = FetchRequest { session_epoch: 0, ..self.request(poll, &changes, &[]) };
        let answer = self.reader.call(self.version, &request).await.unwrap();
        assert_eq!(self.said(&answer), self.model.opened(poll), "seed {}, opening", self.seed);
        assert_ne!(answer.session_id, 0);
        self.session = (answer.session_id, 1);
    }

    async fn incremental(&mut self, step: u32) {
        let poll = self.poll();
        let mut changes = if self.rng.coin() { Vec::new() } else { self.changes(6) };
        // Most clients move on behind what they were given.
        for entry in &self.model.session {
            let is_read = matches!(self.model.log(entry, poll), Ok(log) if log.end > entry.interest.offset);
            if is_read && self.rng.coin() && changes.iter().all(|(place, _)| *place != entry.place) {
                let offset = entry.interest.offset + 1;
                changes.push((entry.place, Interest { offset, ..entry.interest }));
            }
        }
        changes.sort_unstable_by_key(|(place, _)| *place);
        for (place, interest) in &changes {
            self.model.want(*place, self.id(place.0), *interest);
        }
        let mut forgotten = Vec::new();
        while self.rng.below(3) == 0 {
            let Some(entry) = self.rng.pick(&self.model.session).cloned() else { break };
            self.model.session.retain(|other| (other.place, other.id) != (entry.place, entry.id));
            forgotten.push((entry.place, entry.id));
        }
        let request = self.request(poll, &changes, &forgotten);
        self.reader.send(self.version, &request).await.unwrap();
        if self.model.waits(poll) && self.rng.coin() {
            self.sim.world.clock.sleep(std::time::Duration::from_millis(self.rng.below(10))).await;
            self.happen(false).await;
        }
        let (_, answer) = self.reader.receive::<FetchRequest>(self.version).await.unwrap();
        let expected = self.model.answer(poll);
        let context = format!("seed {}, step {step}: {poll:?}, {changes:?}, without {forgotten:?}", self.seed);
        assert_eq!(answer.error_code, if poll.isolation > 1 { -1 } else { 0 }, "{context}");
        assert_eq!(self.said(&answer), expected, "{context}");
        self.session.1 += 1;
    }

    /// What an answer says, in its order.
    fn said(&self, answer: &FetchResponse) -> Vec<(Place, Said)> {
        let mut all = Vec::new();
        for pair in answer.responses.windows(2) {
            assert!((&pair[0].topic, pair[0].topic_id) != (&pair[1].topic, pair[1].topic_id), "one topic, twice");
        }
        for topic in &answer.responses {
            let number = if self.model.by_id {
                let known = |(id, _): &(TopicId, _)| *id == topic.topic_id;
                // Any other is the one that was deleted.
                self.model.topics.iter().position(|topic| topic.as_ref().is_some_and(known)).unwrap_or(2)
            } else {
                TOPICS.iter().position(|name| *name == topic.topic).unwrap()
            };
            for partition in &topic.partitions {
                let place = (number, partition.partition_index.0 as usize);
                let log = Log { start: partition.log_start_offset.0, end: partition.high_watermark.0 };
                let said = if partition.error_code == 0 {
                    let batches: Vec<_> =
                        Batches::new(partition.records.clone().unwrap()).collect::<Result<_, _>>().unwrap();
                    let offsets = batches.first().map_or(0, |batch| batch.header().base_offset().0);
                    Said::Records(log, offsets..offsets + batches.len() as i64)
                } else {
                    Said::Error(partition.error_code)
                };
                all.push((place, said));
            }
        }
        all
    }
}

#[test]
fn a_session_answers_as_if_every_poll_looked_at_everything() {
    for seed in 0..seeds(200) {
        boot(async {
            let sim = SimulatedWorld::new(seed);
            let broker = start(&sim).await.unwrap();
            let mut story = Story::begin(&sim, seed).await;
            for step in 0..STEPS {
                if story.model.session.is_empty() || step == STEPS / 2 {
                    story.open().await;
                }
                for _ in 0..story.rng.below(4) {
                    story.happen(true).await;
                }
                story.incremental(step).await;
            }
            broker.stop().await.unwrap();
        });
    }
}
