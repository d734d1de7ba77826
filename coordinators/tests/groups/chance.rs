//! Whatever clients do, and whenever: who waits is answered once, a generation has one assignment, what was accepted
//! stays, and the log is all that another node needs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use thalweg_coordinators::Context;
use thalweg_coordinators::groups::{
    Answer, Command, CommitDialect, CommitPartition, CommitTopic, Coordinator, Heartbeat, JoinAnswer, JoinDialect,
    JoinGroup, LeaveGroup, Leaver, Now, OffsetCommit, OffsetDelete, OffsetFetch, Policy, Refusal, Request, State,
    SyncGroup, Ticket, TopicName, TopicPartitions, records,
};
use thalweg_messages::group_log::GroupRecord;
use thalweg_wire::{LeaderEpoch, Moment, Offset, PartitionIndex, Timestamp, Uuid};

const CLIENTS: usize = 6;
const MEMBERS_MAX: usize = 4;

/// What is stored of a group without members takes less, in bytes.
const EMPTY_GENERATION: usize = 1_200;

/// What a client does; numbers pick one of what there is.
#[derive(Clone, Debug)]
enum Deed {
    Join {
        protocols: u8,
        dialect: JoinDialect,
    },
    /// As somebody who never joined, or whose id was forgotten.
    JoinAnew {
        dialect: JoinDialect,
    },
    Sync {
        generation_off: i32,
    },
    Heartbeat {
        generation_off: i32,
    },
    Leave,
    LeaveAll,
    Commit {
        generation_off: i32,
        partition: i32,
        offset: i64,
    },
    CommitAsNobody {
        partition: i32,
        offset: i64,
    },
    DeleteOffsets {
        partition: i32,
    },
    DeleteGroup,
    TopicDeleted,
    /// Its connection is gone, with all that it waits for.
    Vanish,
    Wait {
        millis: u64,
    },
    Restart,
    /// Others take memory, or give it back.
    Room {
        bytes: usize,
    },
}

fn deed() -> impl Strategy<Value = Deed> {
    let dialect =
        prop_oneof![Just(JoinDialect::Plain), Just(JoinDialect::MemberIdFirst), Just(JoinDialect::SkipsAssignment)];
    let off = prop_oneof![9 => Just(0), 1 => -1..2i32];
    prop_oneof![
        20 => (0..3u8, dialect.clone()).prop_map(|(protocols, dialect)| Deed::Join { protocols, dialect }),
        3 => dialect.prop_map(|dialect| Deed::JoinAnew { dialect }),
        20 => off.clone().prop_map(|generation_off| Deed::Sync { generation_off }),
        8 => off.clone().prop_map(|generation_off| Deed::Heartbeat { generation_off }),
        2 => Just(Deed::Leave),
        1 => Just(Deed::LeaveAll),
        6 => (off, 0..3i32, -1..9i64).prop_map(|(generation_off, partition, offset)| Deed::Commit {
            generation_off,
            partition,
            offset
        }),
        2 => (0..3i32, -1..9i64).prop_map(|(partition, offset)| Deed::CommitAsNobody { partition, offset }),
        1 => (0..3i32).prop_map(|partition| Deed::DeleteOffsets { partition }),
        1 => Just(Deed::DeleteGroup),
        1 => Just(Deed::TopicDeleted),
        2 => Just(Deed::Vanish),
        8 => prop_oneof![4 => 0..9_000u64, 1 => 0..100_000u64].prop_map(|millis| Deed::Wait { millis }),
        1 => Just(Deed::Restart),
        2 => prop_oneof![0..10_000usize, Just(usize::MAX)].prop_map(|bytes| Deed::Room { bytes }),
    ]
}

/// What a client knows of itself. Clients 0 and 1, and 4 and 5, run in one instance's place each.
#[derive(Clone, Default, Debug)]
struct Client {
    member_id: String,
    generation: i32,
    /// Whom to give parts to, if it leads.
    followers: Vec<String>,
}

struct World {
    coordinator: Coordinator,
    policy: Policy,
    log: Vec<GroupRecord>,
    room: usize,
    clock: Duration,
    drawn: u128,
    tickets: u64,
    clients: Vec<Client>,
    /// Who waits for which ticket, nobody if the connection is gone, and what was asked.
    waiting: BTreeMap<Ticket, (Option<usize>, Request)>,
    /// What commits were accepted.
    offsets: BTreeMap<(String, i32), i64>,
    /// Leader and protocol of each generation of each group.
    generations: BTreeMap<(String, i32), (String, String)>,
    newest: BTreeMap<String, i32>,
    parts: BTreeMap<(String, i32, String), Bytes>,
}

/// Even clients are in one group, odd ones in the other; but the last one is with the even ones.
fn group_of(client: usize) -> String {
    if client.is_multiple_of(2) || client == CLIENTS - 1 { "even".to_owned() } else { "odd".to_owned() }
}

fn instance_of(client: usize) -> Option<String> {
    [None, Some("i"), None, None, Some("j"), Some("j")][client].map(str::to_owned)
}

impl World {
    fn new(delay_secs: u64) -> World {
        let policy = Policy {
            members_max: MEMBERS_MAX,
            pending_max: 3,
            initial_rebalance_delay: Duration::from_secs(delay_secs),
            offsets_retention: Duration::from_secs(3000),
            offsets_max: 5,
            forgotten_bytes_max: 110,
            ..Policy::default()
        };
        let mut world = World {
            coordinator: Coordinator::new(policy.clone()),
            policy,
            log: Vec::new(),
            room: usize::MAX,
            clock: Duration::ZERO,
            drawn: 0,
            tickets: 0,
            clients: vec![Client::default(); CLIENTS],
            waiting: BTreeMap::new(),
            offsets: BTreeMap::new(),
            generations: BTreeMap::new(),
            newest: BTreeMap::new(),
            parts: BTreeMap::new(),
        };
        world.coordinator.loaded(world.now());
        world
    }

    fn now(&self) -> Now {
        let timestamp = Timestamp::from_millis(self.clock.as_millis() as i64);
        Now { moment: Moment::ZERO + self.clock, timestamp }
    }

    fn run(&mut self, client: usize, deed: &Deed) {
        let group = group_of(client);
        let known = self.clients[client].clone();
        let instance_id = instance_of(client);
        match *deed {
            Deed::Join { protocols, dialect } => self.join(client, known.member_id, protocols, dialect),
            Deed::JoinAnew { dialect } => self.join(client, String::new(), 0, dialect),
            Deed::Sync { generation_off } => {
                let part = |id: &String| {
                    let part = format!("{} at {:?}", id, self.clock);
                    (id.clone(), Bytes::from(part.repeat(1 + self.tickets as usize % 30)))
                };
                self.ask(
                    client,
                    Request::Sync(SyncGroup {
                        group,
                        generation: known.generation + generation_off,
                        member_id: known.member_id,
                        instance_id,
                        protocol_type: None,
                        protocol_name: None,
                        assignments: known.followers.iter().map(part).collect(),
                    }),
                );
            }
            Deed::Heartbeat { generation_off } => {
                let (generation, member_id) = (known.generation + generation_off, known.member_id);
                self.ask(client, Request::Heartbeat(Heartbeat { group, generation, member_id, instance_id }));
            }
            Deed::Leave => {
                let members = vec![Leaver { member_id: known.member_id, instance_id }];
                self.ask(client, Request::Leave(LeaveGroup { group, members }));
            }
            Deed::LeaveAll => {
                let leaver = |client: &Client| Leaver { member_id: client.member_id.clone(), instance_id: None };
                let members = self.clients.iter().map(leaver).collect();
                self.ask(client, Request::Leave(LeaveGroup { group, members }));
            }
            Deed::Commit { generation_off, partition, offset } => {
                self.commit(client, known.member_id, known.generation + generation_off, (partition, offset));
            }
            Deed::CommitAsNobody { partition, offset } => self.commit(client, String::new(), -1, (partition, offset)),
            Deed::DeleteOffsets { partition } => {
                let topics = vec![TopicPartitions { topic: topic(), partitions: vec![PartitionIndex(partition)] }];
                self.ask(client, Request::DeleteOffsets(OffsetDelete { group, topics }));
            }
            Deed::DeleteGroup => self.ask(client, Request::DeleteGroup { group }),
            Deed::TopicDeleted => self.decide(Command::TopicsDeleted(vec![topic()])),
            Deed::Vanish => {
                let its_own = self.waiting.values_mut().filter(|(waiter, _)| *waiter == Some(client));
                its_own.for_each(|(waiter, _)| *waiter = None);
            }
            Deed::Wait { millis } => self.wait(Duration::from_millis(millis)),
            Deed::Restart => self.restart(),
            Deed::Room { bytes } => self.room = bytes,
        }
        self.check();
    }

    fn join(&mut self, client: usize, member_id: String, protocols: u8, dialect: JoinDialect) {
        self.drawn += 1;
        // One says more each time, and one names topics.
        let much = Bytes::from("s".repeat(self.drawn as usize % 5 * 700));
        let named = Bytes::from_static(&[0, 0, 0, 0, 0, 2, 0, 1, b'a', 0, 1, b'b', 0xff, 0xff, 0xff, 0xff]);
        let all = [("range", named), ("rr", "x".into()), ("sticky", much)].map(|(name, said)| (name.to_owned(), said));
        self.ask(
            client,
            Request::Join(JoinGroup {
                group: group_of(client),
                member_id,
                instance_id: instance_of(client),
                client_id: format!("c{client}"),
                client_host: "/h".to_owned(),
                session_timeout: Duration::from_secs(6 + client as u64),
                rebalance_timeout: Duration::from_secs(20 + client as u64),
                protocol_type: "consumer".to_owned(),
                protocols: all.into_iter().cycle().skip(protocols.into()).take(2).collect(),
                drawn: Uuid(self.drawn.to_be_bytes()),
                dialect,
            }),
        );
    }

    fn commit(&mut self, client: usize, member_id: String, generation: i32, (partition, offset): (i32, i64)) {
        let partition = CommitPartition {
            partition: PartitionIndex(partition),
            offset: Offset(offset),
            leader_epoch: LeaderEpoch(-1),
            metadata: Some("x".repeat(offset.unsigned_abs() as usize * 100)),
        };
        self.ask(
            client,
            Request::Commit(OffsetCommit {
                group: group_of(client),
                generation,
                instance_id: instance_of(client).filter(|_| !member_id.is_empty()),
                member_id,
                retention: None,
                dialect: CommitDialect::GroupIsMissing,
                topics: vec![CommitTopic { topic: topic(), partitions: vec![partition] }],
            }),
        );
    }

    fn ask(&mut self, client: usize, request: Request) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.waiting.insert(ticket, (Some(client), request.clone()));
        self.decide(Command::Ask(ticket, request));
    }

    /// Decides, hears the answers, writes the records.
    fn decide(&mut self, command: Command) {
        let before = self.coordinator.bytes();
        // When time is up, a group may become empty that was to have no members: its end is stored, and was counted with it.
        let may_grow = match &command {
            Command::Ask(_, request) => self.room.saturating_add(of_members(request, before)),
            _ => EMPTY_GENERATION,
        };
        self.coordinator.set_room(self.room);
        let (volume, mut written) = (self.coordinator.volume(&command), 0);
        let decision = self.coordinator.decide(self.now(), command);
        let owed = self.coordinator.bytes() + self.coordinator.bytes_owed();
        for (ticket, answer) in decision.reply {
            let (client, request) = self.waiting.remove(&ticket).expect("an answer to somebody who waits, once");
            if let Some(client) = client {
                self.heard(client, request, answer);
            }
        }
        for record in decision.records {
            let (key, value) = records::encode(&record).unwrap();
            written += 20 + key.len() + value.as_ref().map_or(0, Bytes::len);
            let at = Context { offset: Offset(self.log.len() as i64) };
            self.coordinator.apply(at, &GroupRecord::decode(&key, value.as_ref()).unwrap());
            self.written(&record);
            self.log.push(record);
        }
        assert!(written <= volume, "{written} bytes for the log, where {volume} were to be reserved");
        let bytes = self.coordinator.bytes();
        assert_eq!(bytes, self.coordinator.recounted_bytes(), "what is counted is what there is");
        assert!(bytes <= owed, "{bytes} bytes, where {owed} were claimed");
        assert!(bytes <= before.saturating_add(may_grow), "{bytes} bytes, where {before} were to grow by {may_grow}");
        if let Some(rest) = self.coordinator.rest() {
            self.decide(rest);
        }
    }

    fn heard(&mut self, client: usize, request: Request, answer: Answer) {
        let group = group_of(client);
        match (answer, request) {
            (Answer::Join(JoinAnswer { member_id, outcome: Ok(joined) }), _) => {
                let newest = self.newest.entry(group.clone()).or_default();
                assert!(joined.generation >= *newest, "generation {} after {newest}", joined.generation);
                *newest = joined.generation;
                let ids: Vec<String> = joined.members.into_iter().map(|member| member.member_id).collect();
                let unique: BTreeSet<&String> = ids.iter().collect();
                assert!(unique.len() == ids.len() && ids.len() <= MEMBERS_MAX);
                assert!(ids.is_empty() || ids.contains(&member_id), "a leader is one of them");
                if !joined.skip_assignment && joined.leader == member_id {
                    let told = (joined.leader, joined.protocol_name);
                    let first = self.generations.entry((group, joined.generation)).or_insert_with(|| told.clone());
                    assert_eq!(*first, told, "a generation has one leader that assigns");
                }
                self.clients[client] = Client { member_id, generation: joined.generation, followers: ids };
            }
            (Answer::Join(JoinAnswer { member_id, outcome: Err(Refusal::MemberIdRequired) }), _) => {
                self.clients[client].member_id = member_id;
            }
            // As clients do; what is said by those who don't know yet is said by the other process of an instance.
            (
                Answer::Join(JoinAnswer { outcome: Err(Refusal::UnknownMember | Refusal::FencedInstance), .. })
                | Answer::Sync(Err(Refusal::UnknownMember))
                | Answer::Heartbeat(Err(Refusal::UnknownMember)),
                _,
            ) => self.clients[client].member_id.clear(),
            (Answer::Sync(Ok(synced)), Request::Sync(asked)) => {
                let whose = (group, asked.generation, asked.member_id);
                let part = self.parts.entry(whose).or_insert_with(|| synced.assignment.clone());
                assert_eq!(*part, synced.assignment, "a generation has one assignment");
            }
            (Answer::Commit(outcomes), Request::Commit(asked)) if outcomes[0].partitions[0].1.is_ok() => {
                let committed = &asked.topics[0].partitions[0];
                self.offsets.insert((group, committed.partition.0), committed.offset.0);
            }
            _ => {}
        }
    }

    fn written(&mut self, record: &GroupRecord) {
        match record {
            GroupRecord::OffsetCommit(key, None) => {
                self.offsets.remove(&(key.group.clone(), key.partition.0));
            }
            GroupRecord::GroupMetadata(key, Some(value)) => {
                let newest = self.newest.entry(key.group.clone()).or_default();
                assert!(value.generation >= *newest);
                *newest = value.generation;
            }
            // The next group of that name begins anew.
            GroupRecord::GroupMetadata(key, None) => self.begin_anew(&key.group),
            _ => {}
        }
    }

    fn begin_anew(&mut self, group: &str) {
        self.newest.remove(group);
        self.generations.retain(|(of, _), _| of != group);
        self.parts.retain(|(of, _, _), _| of != group);
    }

    fn wait(&mut self, span: Duration) {
        let end = self.clock + span;
        while let Some(due) = self.coordinator.deadline().filter(|due| *due <= Moment::ZERO + end) {
            self.clock = self.clock.max(due - Moment::ZERO);
            self.decide(Command::Tick);
            self.check();
        }
        self.clock = end;
    }

    fn restart(&mut self) {
        let other = self.reloaded();
        self.coordinator = other;
        let now = self.now();
        self.coordinator.loaded(now);
        self.waiting.clear();
        // Generations that were not stored are forgotten, and their numbers come again. Nobody had a part in them.
        let stored: BTreeMap<String, i32> = self.coordinator.image().filter_map(generation).collect();
        let is_stored = |group: &String, generation: i32| stored.get(group).is_some_and(|&known| generation <= known);
        assert!(self.parts.keys().all(|(group, generation, _)| is_stored(group, *generation)));
        self.generations.retain(|(group, generation), _| is_stored(group, *generation));
        self.newest = stored;
    }

    /// Another coordinator that has read the log.
    fn reloaded(&self) -> Coordinator {
        let mut other = Coordinator::new(self.policy.clone());
        for (offset, record) in (0..).zip(&self.log) {
            other.apply(Context { offset: Offset(offset) }, record);
        }
        assert_eq!(other.stored(), self.coordinator.stored());
        assert!(other.image().eq(self.coordinator.image()));
        let mut third = Coordinator::new(self.policy.clone());
        self.coordinator.image().for_each(|record| third.apply(Context { offset: Offset(0) }, &record));
        assert_eq!(third.stored(), self.coordinator.stored());
        other
    }

    fn check(&mut self) {
        for group in ["even", "odd"] {
            let ask = Request::Fetch(OffsetFetch { group: group.to_owned(), topics: None });
            let Answer::Fetch(topics) = self.answer(ask) else { panic!("another answer") };
            let found = topics.into_iter().flat_map(|topic| topic.partitions);
            let found: Vec<(i32, i64)> = found.map(|(index, found)| (index.0, found.unwrap().offset.0)).collect();
            let model = self.offsets.iter().filter(|((of, _), _)| of == group);
            assert!(found.into_iter().eq(model.map(|((_, index), offset)| (*index, *offset))), "{:?}", self.offsets);
        }
        assert!(self.offsets.len() <= 5);
    }

    fn answer(&mut self, request: Request) -> Answer {
        self.tickets += 1;
        let decision = self.coordinator.decide(self.now(), Command::Ask(Ticket(self.tickets), request));
        assert!(decision.records.is_empty());
        let [(_, answer)] = decision.reply.try_into().unwrap();
        answer
    }

    /// Everybody falls silent.
    fn end(&mut self) {
        self.wait(Duration::from_secs(600));
        assert_eq!(self.waiting, BTreeMap::new(), "nobody waits for ever");
        for group in ["even", "odd"] {
            let answer = self.answer(Request::Describe { group: group.to_owned() });
            let Answer::Describe(described) = answer else { panic!("another answer") };
            assert!(described.is_err() || described.is_ok_and(|group| group.state == State::Empty), "{group}");
        }
        self.reloaded();
        self.wait(Duration::from_secs(5000));
        assert_eq!((self.coordinator.stored().group_count(), self.coordinator.stored().offset_count()), (0, 0));
        assert_eq!(self.coordinator.bytes(), 0, "what is gone takes no memory");
    }
}

fn generation(record: GroupRecord) -> Option<(String, i32)> {
    match record {
        GroupRecord::GroupMetadata(key, Some(value)) => Some((key.group, value.generation)),
        _ => None,
    }
}

fn topic() -> TopicName {
    TopicName { name: "river".to_owned(), id: Uuid([1; 16]) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_do(
        delay in prop_oneof![2 => Just(0u64), 1 => Just(3)],
        deeds in prop::collection::vec((0..CLIENTS, deed()), 0..160),
    ) {
        let mut world = World::new(delay);
        for (client, deed) in &deeds {
            world.run(*client, deed);
        }
        world.end();
    }
}

/// By how much members may grow that are there, without being asked for room: what they say, or share out, as often as it
/// is kept; and what is stored of a generation was counted before as it lives.
fn of_members(request: &Request, before: usize) -> usize {
    const MEMBER: usize = 5_000;
    match request {
        Request::Join(join) if !join.member_id.is_empty() || join.instance_id.is_some() => {
            let said = join.protocols.iter().map(|(name, words)| name.len() + words.len()).sum::<usize>();
            let texts = join.client_id.len() + join.client_host.len() + join.protocol_type.len();
            // Two bytes may be a topic's name, which weighs a hundred.
            before + MEMBER + 53 * said + 2 * (texts + join.instance_id.as_ref().map_or(0, String::len))
        }
        Request::Sync(sync) => before + 3 * sync.assignments.iter().map(|(_, part)| part.len()).sum::<usize>(),
        _ => 0,
    }
}
