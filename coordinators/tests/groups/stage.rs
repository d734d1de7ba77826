//! Where transcripts are played: a coordinator, its log, a clock, and words for all of them.
//!
//! ```text
//! join GROUP WHO [@INSTANCE] [vN] [session=N] [rebalance=N] [type=T] [PROTOCOL:WORDS ...]
//! sync GROUP WHO GENERATION [@INSTANCE] [type=T] [name=P] [WHO=PART ...]
//! beat GROUP WHO GENERATION [@INSTANCE]
//! leave GROUP WHO[@INSTANCE] ...
//! commit GROUP WHO GENERATION [@INSTANCE] [vN] [keep=N] TOPIC/PARTITION=OFFSET[:WORDS] ...
//! fetch GROUP *|TOPIC/PARTITION ... [within=BYTES]     offsets-delete GROUP TOPIC/PARTITION ...
//! describe GROUP [within=BYTES]     list [STATE|type=T ...] [within=BYTES]     delete GROUP     topics-deleted TOPIC ...
//! after SECONDS      restart      policy NAME=NUMBER     room BYTES|unbounded
//! ```
//!
//! A new member's WHO is its client's name, a known one's `name#N`, where N stands for the id that was drawn; `-` is
//! nobody. `TOPIC~N` is the Nth life of a topic. Each request has a ticket, by which its answer is known.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use thalweg_coordinators::Context;
use thalweg_coordinators::groups::{
    Answer, Command, CommitDialect, CommitPartition, CommitTopic, Coordinator, Decision, Filter, Heartbeat, JoinAnswer,
    JoinDialect, JoinGroup, LeaveGroup, Leaver, Now, OffsetCommit, OffsetDelete, OffsetFetch, Policy, Refusal, Request,
    SyncGroup, Ticket, TopicName, TopicOutcome, TopicPartitions, records,
};
use thalweg_messages::group_log::GroupRecord;
use thalweg_wire::{LeaderEpoch, Moment, Offset, PartitionIndex, Timestamp, Uuid};

pub(crate) struct Stage {
    coordinator: Coordinator,
    policy: Policy,
    log: Vec<GroupRecord>,
    clock: Duration,
    tickets: u64,
    waiting: BTreeSet<Ticket>,
    drawn: u128,
}

/// The zero of the stage's clock, in ms since 1970.
const EPOCH_MILLIS: i64 = 1_000_000;

impl Stage {
    pub(crate) fn new() -> Stage {
        let policy = Policy { expiry_interval: Duration::from_secs(600), ..Policy::default() };
        let mut coordinator = Coordinator::new(policy.clone());
        coordinator.loaded(now(Duration::ZERO));
        Stage {
            coordinator,
            policy,
            log: Vec::new(),
            clock: Duration::ZERO,
            tickets: 0,
            waiting: BTreeSet::new(),
            drawn: 0,
        }
    }

    pub(crate) fn run(&mut self, command: &str) -> Vec<String> {
        let mut words = command.split_whitespace();
        let verb = words.next().unwrap();
        let words: Vec<&str> = words.collect();
        let request = match verb {
            "join" => self.join(&words),
            "sync" => sync(&words),
            "beat" => Request::Heartbeat(Heartbeat {
                group: name(words[0]),
                member_id: full(words[1]),
                generation: words[2].parse().unwrap(),
                instance_id: instance(&words),
            }),
            "leave" => Request::Leave(LeaveGroup {
                group: name(words[0]),
                members: words[1..].iter().map(|word| leaver(word)).collect(),
            }),
            "commit" => commit(&words),
            "fetch" => Request::Fetch(OffsetFetch {
                group: name(words[0]),
                topics: (words[1] != "*").then(|| partitions(&words[1..])),
            }),
            "offsets-delete" => {
                let topics = partitions(&words[1..]);
                Request::DeleteOffsets(OffsetDelete { group: name(words[0]), topics })
            }
            "describe" => Request::Describe { group: name(words[0]) },
            "list" => Request::List(filter(&words)),
            "delete" => Request::DeleteGroup { group: name(words[0]) },
            "topics-deleted" => {
                let topics = words.iter().map(|word| topic(word)).collect();
                return self.decide(Command::TopicsDeleted(topics));
            }
            "after" => return self.after(seconds(words[0])),
            "restart" => return self.restart(),
            "room" => {
                self.coordinator.set_room(words[0].parse().unwrap_or(usize::MAX));
                return Vec::new();
            }
            "policy" => {
                self.set_policy(words[0]);
                return Vec::new();
            }
            _ => panic!("unknown command {verb}"),
        };
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let command = match option(&words, "within=") {
            Some(bytes) => Command::AskWithin(ticket, request, bytes.parse().unwrap()),
            None => Command::Ask(ticket, request),
        };
        self.waiting.insert(ticket);
        let mut lines = self.decide(command);
        if self.waiting.contains(&ticket) {
            lines.insert(0, format!("{}: waits", ticket.0));
        }
        lines
    }

    fn join(&mut self, words: &[&str]) -> Request {
        let is_new = !words[1].contains('#');
        self.drawn += u128::from(is_new);
        let who = words[1].split('#').next().unwrap();
        let session_timeout = option(words, "session=").map_or(Duration::from_secs(10), seconds);
        let version: i16 = words.iter().find_map(|word| word.strip_prefix('v')?.parse().ok()).unwrap_or(9);
        let mut protocols: Vec<(String, Bytes)> =
            words[2..].iter().filter_map(|word| word.split_once(':')).map(|(name, said)| pair(name, said)).collect();
        if protocols.is_empty() {
            protocols.push(pair("range", who));
        }
        Request::Join(JoinGroup {
            group: name(words[0]),
            member_id: if is_new { String::new() } else { full(words[1]) },
            instance_id: instance(words),
            client_id: who.to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            session_timeout,
            rebalance_timeout: option(words, "rebalance=").map_or(Duration::from_secs(60), seconds),
            protocol_type: option(words, "type=").unwrap_or("consumer").to_owned(),
            protocols: protocols.into_iter().filter(|(name, _)| name != "none").collect(),
            drawn: Uuid(self.drawn.to_be_bytes()),
            dialect: match version {
                ..4 => JoinDialect::Plain,
                4..9 => JoinDialect::MemberIdFirst,
                9.. => JoinDialect::SkipsAssignment,
            },
        })
    }

    /// Time passes, and the coordinator is told whenever it wants to be.
    fn after(&mut self, span: Duration) -> Vec<String> {
        let end = self.clock + span;
        let mut lines = Vec::new();
        while let Some(due) = self.coordinator.deadline().filter(|due| *due <= now(end).moment) {
            self.clock = self.clock.max(due - Moment::ZERO);
            let told = self.decide(Command::Tick);
            if !told.is_empty() {
                lines.push(format!("at {}s", self.clock.as_secs_f64()));
                lines.extend(told);
            }
        }
        self.clock = end;
        lines
    }

    /// The coordinator of the same log on another node.
    fn restart(&mut self) -> Vec<String> {
        let waiting = std::mem::take(&mut self.waiting).len();
        let mut coordinator = Coordinator::new(self.policy.clone());
        for (offset, record) in (0..).zip(&self.log) {
            coordinator.apply(Context { offset: Offset(offset) }, record);
        }
        assert_eq!(coordinator.stored(), self.coordinator.stored());
        coordinator.loaded(now(self.clock));
        self.coordinator = coordinator;
        vec![format!("{} records, {waiting} were waiting", self.log.len())]
    }

    fn set_policy(&mut self, word: &str) {
        let (name, number) = word.split_once('=').unwrap();
        let number: usize = number.parse().unwrap();
        match name {
            "delay" => self.policy.initial_rebalance_delay = Duration::from_secs(number as u64),
            "retention" => self.policy.offsets_retention = Duration::from_secs(number as u64),
            "members" => self.policy.members_max = number,
            "pending" => self.policy.pending_max = number,
            "groups" => self.policy.groups_max = number,
            "offsets" => self.policy.offsets_max = number,
            "metadata" => self.policy.metadata_length_max = number,
            "generation" => self.policy.generation_bytes_max = number,
            "forgotten" => self.policy.forgotten_bytes_max = number,
            "commit" => self.policy.commit_bytes_max = number,
            _ => panic!("no such policy: {name}"),
        }
        self.coordinator.set_policy(self.policy.clone());
    }

    /// Decides, appends what was decided, and applies it as it was read back.
    fn decide(&mut self, command: Command) -> Vec<String> {
        let Decision { records, reply } = self.coordinator.decide(now(self.clock), command);
        reply.iter().for_each(|(ticket, _)| assert!(self.waiting.remove(ticket), "answered once"));
        let mut lines: Vec<String> =
            reply.iter().map(|(ticket, answer)| format!("{}: {}", ticket.0, short(&told(answer)))).collect();
        for record in records {
            let (key, value) = records::encode(&record).unwrap();
            let read = GroupRecord::decode(&key, value.as_ref()).unwrap();
            assert_eq!(read, record);
            self.coordinator.apply(Context { offset: Offset(self.log.len() as i64) }, &read);
            lines.push(format!("log: {}", short(&written(&read))));
            self.log.push(read);
        }
        if let Some(rest) = self.coordinator.rest() {
            lines.push("and then".to_owned());
            lines.extend(self.decide(rest));
        }
        lines
    }
}

fn now(clock: Duration) -> Now {
    let timestamp = Timestamp::from_millis(EPOCH_MILLIS + clock.as_millis() as i64);
    Now { moment: Moment::ZERO + clock, timestamp }
}

fn sync(words: &[&str]) -> Request {
    let parts = words[3..].iter().filter_map(|word| word.split_once('=')).filter(|(name, _)| name.contains('#'));
    Request::Sync(SyncGroup {
        group: name(words[0]),
        member_id: full(words[1]),
        generation: words[2].parse().unwrap(),
        instance_id: instance(words),
        protocol_type: option(words, "type=").map(str::to_owned),
        protocol_name: option(words, "name=").map(str::to_owned),
        assignments: parts.map(|(who, part)| (full(who), Bytes::from(part.to_owned()))).collect(),
    })
}

fn commit(words: &[&str]) -> Request {
    let places = words[3..].iter().filter(|word| word.contains('/'));
    let topics = places.map(|word| {
        let (place, what) = word.split_once('=').unwrap();
        let (topic_name, partition) = place.split_once('/').unwrap();
        let (offset, metadata) = match what.split_once(':') {
            Some((offset, metadata)) => (offset, Some(metadata.to_owned())),
            None => (what, None),
        };
        let partition = CommitPartition {
            partition: PartitionIndex(partition.parse().unwrap()),
            offset: Offset(offset.parse().unwrap()),
            leader_epoch: LeaderEpoch(-1),
            metadata,
        };
        CommitTopic { topic: topic(topic_name), partitions: vec![partition] }
    });
    Request::Commit(OffsetCommit {
        group: name(words[0]),
        member_id: full(words[1]),
        generation: words[2].parse().unwrap(),
        instance_id: instance(words),
        retention: option(words, "keep=").map(seconds),
        dialect: if words.contains(&"v8") { CommitDialect::GenerationIsWrong } else { CommitDialect::GroupIsMissing },
        topics: topics.collect(),
    })
}

fn partitions(words: &[&str]) -> Vec<TopicPartitions> {
    let one = |word: &&str| {
        let (name, index) = word.split_once('/').unwrap();
        TopicPartitions { topic: topic(name), partitions: vec![PartitionIndex(index.parse().unwrap())] }
    };
    words.iter().filter(|word| word.contains('/')).map(one).collect()
}

fn filter(words: &[&str]) -> Filter {
    let words = words.iter().filter(|word| !word.starts_with("within="));
    let (types, states): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with("type="));
    Filter {
        states: states.into_iter().map(str::to_owned).collect(),
        types: types.into_iter().map(|word| word["type=".len()..].to_owned()).collect(),
    }
}

fn leaver(word: &str) -> Leaver {
    let (who, instance) = match word.split_once('@') {
        Some((who, instance)) => (who, Some(instance.to_owned())),
        None => (word, None),
    };
    Leaver { member_id: if who.is_empty() { String::new() } else { full(who) }, instance_id: instance }
}

/// `river`, or `river~2`, the second of that name.
fn topic(word: &str) -> TopicName {
    let (name, life) = word.split_once('~').unwrap_or((word, "0"));
    TopicName { name: name.to_owned(), id: Uuid(life.parse::<u128>().unwrap().to_be_bytes()) }
}

fn pair(name: &str, said: &str) -> (String, Bytes) {
    let said = match said.strip_prefix("reads/") {
        Some(topic) => subscription(topic),
        None => Bytes::from(said.to_owned()),
    };
    (name.to_owned(), said)
}

/// A subscription to one topic, as a consumer would write it.
fn subscription(topic: &str) -> Bytes {
    use thalweg_messages::consumer_protocol::{ConsumerProtocolSubscription, encode};
    encode(&ConsumerProtocolSubscription { topics: vec![topic.to_owned()], ..Default::default() }, 1).unwrap()
}

fn name(word: &str) -> String {
    if word == "''" { String::new() } else { word.to_owned() }
}

fn option<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(key))
}

fn instance(words: &[&str]) -> Option<String> {
    option(words, "@").map(str::to_owned)
}

fn seconds(word: &str) -> Duration {
    Duration::from_secs_f64(word.parse().unwrap())
}

/// A member's id as the coordinator made it.
fn full(word: &str) -> String {
    match word.split_once('#') {
        _ if word == "-" => String::new(),
        Some((who, number)) => format!("{who}-00000000-0000-0000-0000-{:012x}", number.parse::<u64>().unwrap()),
        None => word.to_owned(),
    }
}

/// With members' ids as transcripts have them.
fn short(text: &str) -> String {
    const MARK: &str = "-00000000-0000-0000-0000-";
    let mut parts = text.split(MARK);
    let mut all = parts.next().unwrap().to_owned();
    for part in parts {
        all += &format!("#{}{}", u64::from_str_radix(&part[..12], 16).unwrap(), &part[12..]);
    }
    all
}

fn refused(refusal: Refusal) -> String {
    format!("{} {refusal:?}", refusal.code().code())
}

fn text(bytes: &Bytes) -> String {
    let printable = |byte: u8| if byte.is_ascii_graphic() { char::from(byte) } else { '.' };
    bytes.iter().map(|&byte| printable(byte)).collect()
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Join(JoinAnswer { member_id, outcome: Err(refusal) }) => {
            format!("{} '{member_id}'", refused(*refusal))
        }
        Answer::Join(JoinAnswer { member_id, outcome: Ok(joined) }) => {
            let members = joined.members.iter().map(|member| {
                let instance = member.instance_id.as_ref().map(|instance| format!("@{instance}")).unwrap_or_default();
                format!(" {}{instance}:{}", member.member_id, text(&member.metadata))
            });
            let members: String = members.collect();
            let skip = if joined.skip_assignment { ", to assign nothing" } else { "" };
            let leads = if joined.members.is_empty() { String::new() } else { format!(", leads{members}{skip}") };
            format!(
                "{member_id} is in generation {} ({} {}) of {}{leads}",
                joined.generation, joined.protocol_type, joined.protocol_name, joined.leader
            )
        }
        Answer::Sync(Ok(synced)) => format!("part '{}'", text(&synced.assignment)),
        Answer::Heartbeat(Ok(())) | Answer::DeleteGroup(Ok(())) => "ok".to_owned(),
        Answer::Leave(Ok(left)) => {
            let one = left.iter().map(|left| {
                let outcome = left.outcome.map_or_else(refused, |()| "left".to_owned());
                let instance = left.instance_id.as_ref().map(|instance| format!("@{instance}")).unwrap_or_default();
                format!("{}{instance} {outcome}", left.member_id)
            });
            one.collect::<Vec<_>>().join(", ")
        }
        Answer::Commit(topics) | Answer::DeleteOffsets(Ok(topics)) => outcomes(topics),
        Answer::Fetch(topics) => {
            let places = topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(|(index, committed)| {
                    let committed = committed.as_ref().map_or_else(
                        || "nothing".to_owned(),
                        |committed| format!("{} '{}'", committed.offset, committed.metadata),
                    );
                    format!("{}/{index} {committed}", life(&topic.topic))
                })
            });
            listing(places)
        }
        Answer::Describe(Ok(group)) => {
            let members = group.members.iter().map(|member| {
                let instance = member.instance_id.as_ref().map(|instance| format!("@{instance}")).unwrap_or_default();
                format!(" {}{instance}:{}={}", member.member_id, text(&member.metadata), text(&member.assignment))
            });
            let members: String = members.collect();
            format!("{} ({} {}){members}", group.state.name(), group.protocol_type, group.protocol_name)
        }
        Answer::List(groups) => {
            let groups = groups
                .iter()
                .map(|group| format!("'{}' {} ({})", group.group, group.state.name(), group.protocol_type));
            listing(groups)
        }
        Answer::TooLarge => "too large".to_owned(),
        Answer::Sync(Err(refusal))
        | Answer::Heartbeat(Err(refusal))
        | Answer::Leave(Err(refusal))
        | Answer::DeleteOffsets(Err(refusal))
        | Answer::Describe(Err(refusal))
        | Answer::DeleteGroup(Err(refusal)) => refused(*refusal),
    }
}

fn listing(words: impl Iterator<Item = String>) -> String {
    let words = words.collect::<Vec<_>>().join(", ");
    if words.is_empty() { "none".to_owned() } else { words }
}

fn life(topic: &TopicName) -> String {
    match u128::from_be_bytes(topic.id.0) {
        0 => topic.name.clone(),
        life => format!("{}~{life}", topic.name),
    }
}

fn outcomes(topics: &[TopicOutcome]) -> String {
    let places = topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|(index, outcome)| {
            format!("{}/{index} {}", topic.topic.name, outcome.map_or_else(refused, |()| "ok".to_owned()))
        })
    });
    places.collect::<Vec<_>>().join(", ")
}

fn written(record: &GroupRecord) -> String {
    match record {
        GroupRecord::GroupMetadata(key, None) => format!("{} gone", key.group),
        GroupRecord::GroupMetadata(key, Some(value)) => {
            let members =
                value.members.iter().map(|member| format!(" {}={}", member.member_id, text(&member.assignment)));
            let members: String = members.collect();
            let protocol = value.protocol.as_deref().unwrap_or("-");
            let leader = value.leader.as_deref().unwrap_or("nobody");
            let since = (value.current_state_timestamp - EPOCH_MILLIS) / 1000;
            let (group, kind) = (&key.group, &value.protocol_type);
            format!("{group} generation {} ({kind} {protocol}) of {leader} since {since}s{members}", value.generation)
        }
        GroupRecord::OffsetCommit(key, None) => format!("{} {}/{} gone", key.group, key.topic, key.partition),
        GroupRecord::OffsetCommit(key, Some(value)) => {
            format!("{} {}/{} = {}", key.group, key.topic, key.partition, value.offset)
        }
        _ => "of another protocol".to_owned(),
    }
}
