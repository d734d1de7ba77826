//! Plays the transcripts in `testscripts`: a line that begins with `>` is a command, the lines behind it are what came
//! of it, up to the next empty line. Nothing else in a transcript is looked at.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_coordinators::cluster::{
    AlterConfigs, Alteration, Assignment, BrokerStart, Command, CreatePartitions, CreateTopics, DeleteReply, Effect,
    Image, Intent, LastStop, MorePartitions, NamedTopic, NewTopic, Operation, Others, PartitionsReply, Policy, Record,
    Reply, Resource, SettingRules, TopicReply, records,
};
use thalweg_coordinators::{Context, Decision, Machine};
use thalweg_messages::metadata_log::{
    ConfigRecord, FeatureLevelRecord, MetadataRecord, PartitionChangeRecord, RemoveTopicRecord,
};
use thalweg_wire::{BrokerId, Moment, Offset, PartitionIndex, TopicId, Uuid};

#[test]
fn create_topics() {
    play(include_str!("../testscripts/create_topics"));
}

#[test]
fn create_topics_on_three_brokers() {
    play(include_str!("../testscripts/create_topics_on_three_brokers"));
}

#[test]
fn brokers_and_epochs() {
    play(include_str!("../testscripts/brokers_and_epochs"));
}

#[test]
fn producer_ids() {
    play(include_str!("../testscripts/producer_ids"));
}

#[test]
fn deletion() {
    play(include_str!("../testscripts/deletion"));
}

#[test]
fn alter_configs() {
    play(include_str!("../testscripts/alter_configs"));
}

#[test]
fn delete_topics() {
    play(include_str!("../testscripts/delete_topics"));
}

#[test]
fn create_partitions() {
    play(include_str!("../testscripts/create_partitions"));
}

fn play(script: &str) {
    let mut stage = Stage::new();
    let mut played = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        played += line;
        played.push('\n');
        let Some(command) = line.strip_prefix("> ") else { continue };
        while lines.peek().is_some_and(|line| !line.is_empty() && !line.starts_with("> ")) {
            lines.next();
        }
        for line in stage.run(command) {
            played += &line;
            played.push('\n');
        }
    }
    assert!(played == script, "the transcript went like this:\n{played}");
}

/// Knows two settings of topics, and three of brokers.
struct FewRules;

impl SettingRules for FewRules {
    fn check_topic(
        &self,
        cluster: &Image,
        before: Option<&BTreeMap<String, String>>,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        for (name, value) in settings {
            match name.as_str() {
                "retention.ms" if value.parse::<i64>().is_err() => {
                    return Err(format!("Invalid value {value} for configuration {name}: Not a number of type LONG"));
                }
                "retention.ms" | "cleanup.policy" => {}
                "flush.mode" if before.is_some_and(|before| before.get(name) != Some(value)) => {
                    return Err("flush.mode stays".to_owned());
                }
                "flush.mode" => {}
                _ => return Err(format!("Unknown topic config name: {name}")),
            }
        }
        let all = Resource { kind: Resource::BROKER, name: String::new() };
        let forbidden = cluster.settings(&all).and_then(|all| all.get("log.retention.ms"));
        match settings.get("retention.ms") {
            Some(value) if Some(value) == forbidden => Err(format!("retention.ms is {value} as it is")),
            _ => Ok(()),
        }
    }

    fn check_broker(&self, _: &Image, name: &str, settings: &BTreeMap<String, String>) -> Result<(), String> {
        for setting in settings.keys() {
            match (setting.as_str(), name) {
                ("log.retention.ms" | "log.cleanup.policy", _) => {}
                (_, "1") if setting == "rack" => {}
                _ => return Err(format!("Cannot update these configs dynamically: [{setting}]")),
            }
        }
        Ok(())
    }

    fn list_default(&self, of: &Resource, name: &str) -> Option<String> {
        match (of.kind, name) {
            (Resource::TOPIC, "cleanup.policy") | (Resource::BROKER, "log.cleanup.policy") => Some("delete".to_owned()),
            _ => None,
        }
    }
}

struct Stage {
    image: Image,
    policy: Policy,
    ids: u128,
}

impl Stage {
    fn new() -> Stage {
        let policy = Policy { partitions: 1, replication_factor: 1, rules: Arc::new(FewRules) };
        Stage { image: Image::new(), policy, ids: 0 }
    }

    fn run(&mut self, command: &str) -> Vec<String> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        match verb {
            "register" => self.register(rest),
            "create" => self.create(rest, Effect::Create),
            "validate" => self.create(rest, Effect::ValidateOnly),
            "alter" => self.alter(rest, Others::Keep, Intent::Change),
            "replace" => self.alter(rest, Others::Reset, Intent::Change),
            "try" => self.alter(rest, Others::Keep, Intent::ValidateOnly),
            "remove" => {
                let topic_id = self.image.topic(rest).unwrap().id();
                self.write(&[RemoveTopicRecord { topic_id, ..Default::default() }.into()])
            }
            "delete" => self.delete(rest),
            "grow" => self.grow(rest, Effect::Create),
            "grow?" => self.grow(rest, Effect::ValidateOnly),
            "elect" => self.elect(rest),
            "set" => {
                let [resource_type, resource_name, name, value] = words(rest);
                let value = (value != "default").then(|| value.to_owned());
                let resource_type = resource_type.parse().unwrap();
                let (resource_name, name) = (resource_name.to_owned(), name.to_owned());
                let record = ConfigRecord { resource_type, resource_name, name, value, ..Default::default() };
                self.write(&[record.into()])
            }
            "feature" => {
                let [name, level] = words(rest);
                let (name, feature_level) = (name.to_owned(), level.parse().unwrap());
                self.write(&[FeatureLevelRecord { name, feature_level, ..Default::default() }.into()])
            }
            "unknown" => {
                // Frame version 1, type 9999, version 0.
                let frame = [&[1, 0x8f, 0x4e, 0], rest.as_bytes()].concat();
                self.write(&[Record::Unknown(frame.into())])
            }
            "producer-ids" => {
                let decision = self.decide(Command::AllocateProducerIds(BrokerId(rest.parse().unwrap())));
                let Reply::ProducerIds(ids) = decision.reply else { panic!("another reply") };
                let mut lines = vec![format!("{} up to {}", ids.start, ids.end)];
                lines.extend(self.write(&decision.records));
                lines
            }
            "restart" => self.restart(),
            "topic" => self.show(rest),
            "broker" => {
                let of = Resource { kind: Resource::BROKER, name: name(rest) };
                vec![format!("settings {:?}", self.image.settings(&of).cloned().unwrap_or_default())]
            }
            "standing" => vec![format!("{:?}", self.image.standing(id(rest)))],
            _ => panic!("unknown command {verb}"),
        }
    }

    fn register(&mut self, rest: &str) -> Vec<String> {
        let [broker, incarnation, directories] = words(rest);
        let start = BrokerStart {
            broker: BrokerId(broker.parse().unwrap()),
            incarnation: id(incarnation),
            directories: directories.split(',').map(id).collect(),
            last_stop: LastStop::Unclean,
        };
        let decision = self.decide(Command::RegisterBroker(start));
        let Reply::Registered(epoch) = decision.reply else { panic!("another reply") };
        let mut lines = vec![format!("broker epoch {epoch}")];
        lines.extend(self.write(&decision.records));
        lines
    }

    /// `NAME [PARTITIONS] [xFACTOR] [=ASSIGNMENT] [KEY:VALUE ...]`, topics separated by `|`; `n*` makes n topics.
    fn create(&mut self, rest: &str, effect: Effect) -> Vec<String> {
        let topics = rest.split('|').map(|topic| self.new_topic(topic)).collect();
        let decision = self.decide(Command::CreateTopics(CreateTopics { topics, effect }));
        let Reply::Topics(replies) = decision.reply else { panic!("another reply") };
        let mut lines: Vec<String> = replies.iter().map(answer).collect();
        lines.extend(self.write(&decision.records));
        lines
    }

    /// `KIND NAME [SETTING=VALUE] [SETTING+=VALUE] [SETTING-=VALUE] [SETTING=default] ...`, resources separated by `|`.
    fn alter(&mut self, rest: &str, others: Others, intent: Intent) -> Vec<String> {
        let resources = rest.split('|').map(|text| alteration(text, others)).collect();
        let decision = self.decide(Command::AlterConfigs(AlterConfigs { resources, intent }));
        let Reply::Configs(replies) = decision.reply else { panic!("another reply") };
        let answers = replies.iter().map(|reply| match reply {
            Ok(()) => "ok".to_owned(),
            Err(error) => format!("{} {error}", error.code().code()),
        });
        let mut lines: Vec<String> = answers.collect();
        lines.extend(self.write(&decision.records));
        lines
    }

    fn new_topic(&mut self, text: &str) -> NewTopic {
        self.ids += 1;
        let id = Uuid(self.ids.to_be_bytes());
        let mut topic = NewTopic {
            name: String::new(),
            id,
            partitions: -1,
            replication_factor: -1,
            assignments: Vec::new(),
            settings: Vec::new(),
        };
        for (place, word) in text.split_whitespace().enumerate() {
            if place == 0 {
                topic.name = name(word);
            } else if let Some(factor) = word.strip_prefix('x') {
                topic.replication_factor = factor.parse().unwrap();
            } else if let Some(assignments) = word.strip_prefix('=') {
                topic.assignments = assignments.split(';').map(assignment).collect();
            } else if let Some((key, value)) = word.split_once(':') {
                let value = (value != "null").then(|| value.to_owned());
                topic.settings.push((key.to_owned(), value));
            } else {
                topic.partitions = word.parse().unwrap();
            }
        }
        topic
    }

    /// `NAME`, `#ID` or `NAME#ID`, separated by `|`; `#` is neither.
    fn delete(&mut self, rest: &str) -> Vec<String> {
        let named = |topic: &str| {
            let (name, number) = topic.trim().split_once('#').unwrap_or((topic.trim(), ""));
            let name = (!name.is_empty()).then(|| self::name(name));
            NamedTopic { name, id: if number.is_empty() { Uuid::ZERO } else { id(number) } }
        };
        let topics = rest.split('|').filter(|topic| !topic.is_empty()).map(named).collect();
        let decision = self.decide(Command::DeleteTopics(topics));
        let Reply::Deleted(replies) = decision.reply else { panic!("another reply") };
        let answer = |DeleteReply { name, id, outcome }: &DeleteReply| {
            let outcome = match outcome {
                Ok(()) => "gone".to_owned(),
                Err(error) => format!("{} {error}", error.code().code()),
            };
            format!("{}#{}: {outcome}", name.as_deref().unwrap_or_default(), short(*id))
        };
        let mut lines: Vec<String> = replies.iter().map(answer).collect();
        lines.extend(self.write(&decision.records));
        lines
    }

    /// `NAME COUNT [=BROKER,BROKER;...]`, topics separated by `|`; a lone `=` assigns nothing.
    fn grow(&mut self, rest: &str, effect: Effect) -> Vec<String> {
        let more = |topic: &str| {
            let mut words = topic.split_whitespace();
            let (name, count) = (name(words.next().unwrap()), words.next().unwrap().parse().unwrap());
            let assignments = words.next().map(|word| match word.strip_prefix('=').unwrap() {
                "" => Vec::new(),
                lists => lists.split(';').map(brokers).collect(),
            });
            MorePartitions { name, count, assignments }
        };
        let topics = rest.split('|').map(more).collect();
        let decision = self.decide(Command::CreatePartitions(CreatePartitions { topics, effect }));
        let Reply::Partitions(replies) = decision.reply else { panic!("another reply") };
        let answer = |PartitionsReply { name, outcome }: &PartitionsReply| match outcome {
            Ok(()) => format!("{name}: done"),
            Err(error) => format!("{name}: {} {error}", error.code().code()).trim_end().to_owned(),
        };
        let mut lines: Vec<String> = replies.iter().map(answer).collect();
        lines.extend(self.write(&decision.records));
        lines
    }

    fn elect(&mut self, rest: &str) -> Vec<String> {
        let [topic, partition, leader, isr] = words(rest);
        let record = PartitionChangeRecord {
            topic_id: self.image.topic(topic).unwrap().id(),
            partition_id: PartitionIndex(partition.parse().unwrap()),
            leader: BrokerId(leader.parse().unwrap()),
            isr: Some(brokers(isr)),
            ..Default::default()
        };
        self.write(&[record.into()])
    }

    /// The image, written and read as a snapshot.
    fn restart(&mut self) -> Vec<String> {
        let snapshot = records::encode(self.image.image()).unwrap();
        let mut image = Image::new();
        let at = Context { offset: self.image.applied() };
        let mut count = 0;
        for record in records::decode(&snapshot) {
            image.apply(at, &record.unwrap());
            count += 1;
        }
        assert_eq!(image, self.image);
        self.image = image;
        vec![format!("{count} records")]
    }

    fn show(&self, name: &str) -> Vec<String> {
        let Some(topic) = self.image.topic(name) else { return vec!["no such topic".to_owned()] };
        assert_eq!(self.image.topic_by_id(topic.id()), Some(topic));
        let mut lines = vec![format!("id {} settings {:?}", short(topic.id()), topic.settings())];
        lines.extend(topic.partitions().iter().map(|partition| {
            let replica = |replica: &thalweg_coordinators::cluster::Replica| {
                format!("{}@{}", replica.broker, short(replica.directory))
            };
            let replicas: Vec<String> = partition.replicas().iter().map(replica).collect();
            let in_sync: Vec<i32> = partition.in_sync().iter().map(|broker| broker.0).collect();
            format!(
                "  {}: leader {} epoch {}/{} replicas {} in sync {in_sync:?}",
                partition.index(),
                partition.leader(),
                partition.leader_epoch(),
                partition.partition_epoch(),
                replicas.join(" ")
            )
        }));
        lines
    }

    fn decide(&mut self, command: Command) -> Decision<Image> {
        self.image.decide(&mut self.policy, Moment::ZERO, command)
    }

    /// Makes one entry of the records, and applies it from its bytes.
    fn write(&mut self, decided: &[Record]) -> Vec<String> {
        if decided.is_empty() {
            return Vec::new();
        }
        let entry = records::encode(decided).unwrap();
        let at = Context { offset: self.image.applied().plus(1) };
        let read: Vec<Record> = records::decode(&entry).collect::<Result<_, _>>().unwrap();
        assert_eq!(read, decided);
        for record in &read {
            self.image.apply(at, record);
        }
        assert_eq!(self.image.applied(), Offset(at.offset.0));
        vec![format!("entry {}: {}", at.offset, kinds(&read))]
    }
}

/// What is in an entry: kinds of records, and how many of each in a row.
fn kinds(records: &[Record]) -> String {
    let mut runs: Vec<(&str, usize)> = Vec::new();
    for record in records {
        let kind = match record {
            Record::Known(MetadataRecord::Topic(_)) => "topic",
            Record::Known(MetadataRecord::Partition(_)) => "partition",
            Record::Known(MetadataRecord::PartitionChange(_)) => "change",
            Record::Known(MetadataRecord::Config(_)) => "setting",
            Record::Known(MetadataRecord::RemoveTopic(_)) => "removal",
            Record::Known(MetadataRecord::BrokerRegistered(_)) => "broker",
            Record::Known(MetadataRecord::FeatureLevel(_)) => "feature",
            Record::Known(MetadataRecord::ProducerIds(_)) => "producer ids",
            Record::Known(_) => "other",
            Record::Unknown(_) => "unknown",
        };
        match runs.last_mut().filter(|(last, _)| *last == kind) {
            Some((_, count)) => *count += 1,
            None => runs.push((kind, 1)),
        }
    }
    let runs =
        runs.iter().map(|(kind, count)| if *count == 1 { (*kind).to_owned() } else { format!("{count} {kind}s") });
    runs.collect::<Vec<_>>().join(", ")
}

fn answer(reply: &TopicReply) -> String {
    let name = if reply.name.len() > 60 { format!("{}...", &reply.name[..10]) } else { reply.name.clone() };
    match &reply.outcome {
        Ok(created) => format!("{name}: {} of {}", created.partitions, created.replication_factor),
        Err(error) => {
            let message = error.to_string().replace(&reply.name, &name);
            format!("{name}: {} {message}", error.code().code())
        }
    }
}

fn alteration(text: &str, others: Others) -> Alteration {
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap().parse().unwrap();
    let of = Resource { kind, name: name(words.next().unwrap()) };
    let changes = words.map(|word| {
        let (left, value) = word.split_once('=').unwrap();
        let value = value.to_owned();
        match (left.strip_suffix('+'), left.strip_suffix('-')) {
            (Some(name), _) => (name.to_owned(), Operation::Append(value)),
            (_, Some(name)) => (name.to_owned(), Operation::Subtract(value)),
            _ if value == "default" => (left.to_owned(), Operation::Reset),
            _ => (left.to_owned(), Operation::Set(value)),
        }
    });
    Alteration { of, changes: changes.collect(), others }
}

fn words<const N: usize>(text: &str) -> [&str; N] {
    text.split_whitespace().collect::<Vec<_>>().try_into().unwrap()
}

/// A name as it stands, or one that a transcript can't hold: `''`, `a*250`, `a%20b`.
fn name(word: &str) -> String {
    if word == "''" {
        return String::new();
    }
    match word.split_once('*') {
        Some((letter, count)) => letter.repeat(count.parse().unwrap()),
        None => word.replace("%20", " "),
    }
}

fn brokers(text: &str) -> Vec<BrokerId> {
    text.split(',').filter(|id| !id.is_empty()).map(|id| BrokerId(id.parse().unwrap())).collect()
}

/// `PARTITION/BROKER,BROKER`
fn assignment(text: &str) -> Assignment {
    let (partition, rest) = text.split_once('/').unwrap();
    Assignment { partition: PartitionIndex(partition.parse().unwrap()), brokers: brokers(rest) }
}

fn id(number: &str) -> TopicId {
    Uuid(number.parse::<u128>().unwrap().to_be_bytes())
}

fn short(id: Uuid) -> u128 {
    u128::from_be_bytes(id.0)
}
