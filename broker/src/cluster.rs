//! The cluster's image, which handlers read, and the driver of the metadata log, through which it changes.
//!
//! A command is decided against a working image that already holds what is on its way; its records go to the log as one
//! entry; when that is durable they are applied to the image that everybody reads, and the one who asked is answered.
//! Commands that queued while the log was writing go out together.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, RwLock};

use bytes::Bytes;
use thalweg_coordinators::cluster::{
    self, BrokerEpoch, BrokerStart, Command, Image, LastStop, Policy, Record, Reply, Standing, records,
};
use thalweg_coordinators::{Context, Machine};
use thalweg_log::directory;
use thalweg_messages::metadata_log::MetadataRecord;
use thalweg_quorum::{Committed, LocalMetaLog, Membership, MetaLog, Position, Presence, ProposeError};
use thalweg_wire::batch::Rules;
use thalweg_wire::codec::EncodeError;
use thalweg_wire::{BrokerId, ErrorCode, Offset, PartitionIndex, TopicId, TopicPartition, Uuid};
use thalweg_world::{BoxFuture, World};
use tokio::sync::{mpsc, oneshot};

use crate::rulebook::{InForce, Rulebook};
use crate::settings::{Settings, TopicSettings};

/// Commands that wait for the driver; past it whoever asks waits: back-pressure.
const INBOX_MAX: usize = 1024;

/// Commands decided together.
const TOGETHER_MAX: usize = 256;

/// What the cluster is, and how to change it.
pub struct Cluster {
    log: Arc<LocalMetaLog>,
    view: Arc<View>,
    departures: Attended,
    commands: mpsc::Sender<Asked>,
}

/// What handlers read.
struct View {
    image: RwLock<Image>,
    /// The index of the newest entry in the image.
    applied: AtomicI64,
    understood: Mutex<Understood>,
    in_force: InForce,
    node: BrokerId,
}

/// Who looks after the data of deleted topics. Not in the view: they look at it, and neither would ever be freed.
type Attended = Arc<OnceLock<Arc<dyn Departures>>>;

/// What the image means to handlers.
struct Understood {
    /// What this broker's settings are, with what was changed since its start.
    settings: Arc<Settings>,
    /// Topics as handlers want them, made at the first touch. One whose topic changed since is made anew.
    topics: HashMap<TopicId, Arc<Topic>>,
}

/// Takes the data of deleted topics away.
pub trait Departures: Send + Sync {
    /// These topics are gone from the metadata, durably. No other change is made before the future is ready: from then on
    /// there may be namesakes.
    fn departed(&self, topics: Vec<Arc<cluster::Topic>>) -> BoxFuture<'static, ()>;
}

struct Asked {
    command: Command,
    answer: Answer,
}

type Answer = oneshot::Sender<Result<Reply, ClusterError>>;

/// A topic and what its configs mean.
pub struct Topic {
    image: Arc<cluster::Topic>,
    settings: TopicSettings,
    rules: Rules,
}

/// Looks topics up without the rest of the cluster.
#[derive(Clone)]
pub struct Topics(Arc<View>);

impl Topics {
    /// A topic by its id.
    pub fn by_id(&self, id: TopicId) -> Option<Arc<Topic>> {
        let image = self.0.image.read().expect(UNPOISONED).topic_by_id(id).cloned()?;
        Some(self.0.understand(image))
    }

    /// The cluster's image as it is now.
    pub fn image(&self) -> Image {
        self.0.image.read().expect(UNPOISONED).clone()
    }
}

/// Why the metadata can't be opened or changed.
#[derive(Clone, Debug)]
pub enum ClusterError {
    /// The metadata log can't be opened.
    Open(Arc<thalweg_quorum::OpenError>),
    /// The log directory can't be looked at.
    Look(Arc<io::Error>),
    /// The metadata has something that this version can't read.
    Unreadable(String),
    /// The change can't be made, and nothing came of it.
    Refused(ProposeError),
    /// No record can say what is asked for, and nothing came of it.
    Unwritable(EncodeError),
    /// The metadata log has failed or was stopped.
    Gone,
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClusterError::Open(error) => error.fmt(f),
            ClusterError::Look(error) => write!(f, "the log directory can't be read: {error}"),
            ClusterError::Unreadable(what) => {
                write!(
                    f,
                    "the metadata log has what this version can't read ({what}): start with the version that wrote it"
                )
            }
            ClusterError::Refused(error) => error.fmt(f),
            ClusterError::Unwritable(error) => write!(f, "no record of the metadata can hold this: {error}"),
            ClusterError::Gone => f.write_str("the metadata log takes no more changes; the broker has to be restarted"),
        }
    }
}

impl std::error::Error for ClusterError {}

impl ClusterError {
    /// What a client is told that asked for a change.
    pub fn code(&self) -> ErrorCode {
        match self {
            ClusterError::Refused(ProposeError::TooLarge { .. }) => ErrorCode::PolicyViolation,
            ClusterError::Refused(ProposeError::Busy) => ErrorCode::RequestTimedOut,
            ClusterError::Unwritable(_) => ErrorCode::InvalidRequest,
            _ => ErrorCode::KafkaStorageError,
        }
    }
}

impl Cluster {
    /// Opens the metadata log, brings the image up to its end and starts the driver.
    pub async fn open(world: &World, settings: &Settings, log_directory: &Path) -> Result<Cluster, ClusterError> {
        let logs =
            presence(world, log_directory.to_owned()).await.map_err(|error| ClusterError::Look(Arc::new(error)))?;
        let quorum = thalweg_quorum::Settings {
            folder: settings.directories.metadata.clone(),
            node: settings.node,
            cluster: None,
            logs,
            journal: thalweg_quorum::Settings::journal_default(),
        };
        let log = Arc::new(
            LocalMetaLog::open(world.clone(), quorum).await.map_err(|error| ClusterError::Open(Arc::new(error)))?,
        );
        let mut image = Image::new();
        let mut applied = Position::ZERO;
        // What a start finds is committed: a barrier says up to where, then it is read to there.
        let end = log.read_barrier().await.map_err(|_| ClusterError::Gone)?;
        while applied.index < end {
            for committed in log.committed().await.map_err(|_| ClusterError::Gone)? {
                applied = apply(&mut image, committed, &mut Vec::new())?;
            }
        }
        let in_force = InForce::new(settings.clone());
        let understood = Understood { settings: in_force.under(&image), topics: HashMap::new() };
        let view = Arc::new(View {
            image: RwLock::new(image.clone()),
            applied: AtomicI64::new(applied.index.0.cast_signed()),
            understood: Mutex::new(understood),
            in_force,
            node: settings.node,
        });
        let (commands, inbox) = mpsc::channel(INBOX_MAX);
        let policy = Policy {
            partitions: settings.creation.partitions,
            replication_factor: i16::try_from(settings.creation.replication_factor).unwrap_or(i16::MAX),
            rules: Arc::new(Rulebook(InForce::new(settings.clone()))),
        };
        let departures = Attended::default();
        let driver = Driver {
            departures: departures.clone(),
            world: world.clone(),
            log: log.clone(),
            view: view.clone(),
            working: image,
            policy,
            applied,
            inbox,
        };
        tokio::spawn(driver.run());
        Ok(Cluster { log, view, departures, commands })
    }

    /// `cluster.id`.
    pub fn cluster_id(&self) -> &str {
        &self.log.identity().cluster
    }

    /// Who agrees on the metadata, and who leads.
    pub fn membership(&self) -> Membership {
        self.log.membership()
    }

    /// The image as it is now. A copy costs little: copies share what is equal.
    pub fn image(&self) -> Image {
        self.view.image.read().expect(UNPOISONED).clone()
    }

    /// Looks at the image under its lock: be short.
    pub fn look<T>(&self, at: impl FnOnce(&Image) -> T) -> T {
        at(&self.view.image.read().expect(UNPOISONED))
    }

    /// The index of the newest entry in the image.
    pub fn applied_index(&self) -> i64 {
        self.view.applied.load(Ordering::Acquire)
    }

    /// This broker's settings as they are now: what it was started with, and what was changed since.
    pub fn settings(&self) -> Arc<Settings> {
        self.view.understood().settings.clone()
    }

    /// A way to look topics up, for who can't hold the cluster.
    pub fn topics(&self) -> Topics {
        Topics(self.view.clone())
    }

    /// A topic by its name.
    pub fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        let topic = self.look(|image| image.topic(name).cloned())?;
        Some(self.view.understand(topic))
    }

    /// A topic by its id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<Arc<Topic>> {
        let topic = self.look(|image| image.topic_by_id(id).cloned())?;
        Some(self.view.understand(topic))
    }

    /// Says who takes the data of deleted topics away. Once, before anybody can ask for a deletion.
    pub fn attend(&self, departures: Arc<dyn Departures>) {
        let first = self.departures.set(departures);
        assert!(first.is_ok(), "one looks after the data of deleted topics");
    }

    /// Registers this process with its log directory: every partition that the node led begins a new epoch.
    pub async fn register(&self, incarnation: Uuid, directory: Uuid) -> Result<BrokerEpoch, ClusterError> {
        let start = BrokerStart {
            broker: self.view.node,
            incarnation,
            directories: vec![directory],
            last_stop: LastStop::Unclean,
        };
        match self.ask(Command::RegisterBroker(start)).await? {
            Reply::Registered(epoch) => Ok(epoch),
            _ => Err(ClusterError::Gone),
        }
    }

    /// Has a command decided and made durable.
    pub async fn ask(&self, command: Command) -> Result<Reply, ClusterError> {
        let (answer, reply) = oneshot::channel();
        self.commands.send(Asked { command, answer }).await.map_err(|_| ClusterError::Gone)?;
        reply.await.map_err(|_| ClusterError::Gone)?
    }

    /// Resolves when the metadata can't be changed any more, with the reason: its log has failed, or the driver, which
    /// lives as long as this, is gone.
    pub async fn failed(&self) -> String {
        tokio::select! {
            biased;
            failure = self.log.failed() => failure.to_string(),
            () = self.commands.closed() => "what changes the metadata has ended by a mistake of ours".to_owned(),
        }
    }

    /// Writes what was accepted and ends.
    pub async fn stop(&self) {
        self.log.stop().await;
    }
}

impl View {
    fn understand(&self, image: Arc<cluster::Topic>) -> Arc<Topic> {
        let mut understood = self.understood();
        if let Some(known) = understood.topics.get(&image.id())
            && Arc::ptr_eq(&known.image, &image)
        {
            return known.clone();
        }
        let topic = Arc::new(Topic::new(&understood.settings, image));
        // One that was deleted meanwhile is known to those who hold it, and to nobody else.
        if self.image.read().expect(UNPOISONED).topic_by_id(topic.id()).is_some() {
            understood.topics.insert(topic.id(), topic.clone());
        }
        topic
    }

    fn forget(&self, deleted: &[Arc<cluster::Topic>]) {
        let mut understood = self.understood();
        deleted.iter().for_each(|topic| _ = understood.topics.remove(&topic.id()));
    }

    /// The image has changed: where brokers' settings did, every topic means something else. Not under the image's lock,
    /// which is taken under that of what it means.
    fn follow(&self) {
        let image = self.image.read().expect(UNPOISONED).clone();
        let settings = self.in_force.under(&image);
        let mut understood = self.understood();
        if !Arc::ptr_eq(&understood.settings, &settings) {
            *understood = Understood { settings, topics: HashMap::new() };
        }
    }

    fn understood(&self) -> MutexGuard<'_, Understood> {
        self.understood.lock().expect(UNPOISONED)
    }
}

impl Topic {
    fn new(defaults: &Settings, image: Arc<cluster::Topic>) -> Topic {
        // They were checked when they were set; a newer version may have set what this one doesn't know.
        let settings = TopicSettings::new(defaults, image.settings()).unwrap_or_else(|error| {
            tracing::warn!(topic = &**image.name(), %error, "the topic's configs can't be understood: the defaults hold");
            TopicSettings::new(defaults, &BTreeMap::<String, String>::new()).expect("the defaults were checked at the start")
        });
        let rules = settings.rules();
        Topic { image, settings, rules }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.image.name()
    }

    /// Its id.
    pub fn id(&self) -> TopicId {
        self.image.id()
    }

    /// The state of a partition.
    pub fn partition(&self, index: PartitionIndex) -> Option<&cluster::Partition> {
        self.image.partition(index)
    }

    /// How many partitions it has.
    pub fn partition_count(&self) -> i32 {
        i32::try_from(self.image.partitions().len()).unwrap_or(i32::MAX)
    }

    /// What its configs mean.
    pub fn settings(&self) -> &TopicSettings {
        &self.settings
    }

    /// What a batch for it must obey.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether it is one of the cluster's own.
    pub fn is_internal(&self) -> bool {
        self.image.is_internal()
    }
}

/// How the journal's entries of a log are to be taken.
pub fn knows(image: &Image, log: TopicPartition) -> directory::Known {
    match image.standing(log.topic) {
        Standing::Exists => directory::Known::Exists,
        Standing::Deleted => directory::Known::Deleted,
        Standing::Never => directory::Known::Never,
    }
}

/// Whether a log directory holds anything that the metadata has to explain: a quorum is never founded beside it.
async fn presence(world: &World, path: std::path::PathBuf) -> io::Result<Presence> {
    let disk = world.disk.clone();
    let listed = world.offload(move || disk.list(&path)).await;
    match listed {
        Ok(entries) => {
            let data = entries.iter().any(|entry| entry.name != Path::new(".lock"));
            Ok(if data { Presence::LogsHaveData } else { Presence::LogsEmpty })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Presence::LogsEmpty),
        Err(error) => Err(error),
    }
}

struct Driver {
    departures: Attended,
    world: World,
    log: Arc<LocalMetaLog>,
    view: Arc<View>,
    /// The image with everything that is on its way.
    working: Image,
    policy: Policy,
    /// The newest entry in the image that handlers read.
    applied: Position,
    inbox: mpsc::Receiver<Asked>,
}

impl Driver {
    async fn run(mut self) {
        let mut asked = Vec::new();
        while self.inbox.recv_many(&mut asked, TOGETHER_MAX).await > 0 {
            let mut asked = asked.drain(..);
            while asked.len() > 0 {
                self.answer(&mut asked).await;
            }
            self.snapshot_if_due().await;
        }
    }

    /// Answers commands up to a deletion: what comes behind it is decided, and so durable, only when the topics' folders
    /// are out of the way. Else a crash could leave a topic beside a folder of a deleted namesake.
    async fn answer(&mut self, asked: &mut impl Iterator<Item = Asked>) {
        let mut payloads = Vec::new();
        let mut answers = Vec::new();
        for Asked { command, answer } in asked {
            let deletes = matches!(command, Command::DeleteTopics(_));
            match self.decide(command) {
                Ok((payload, reply)) => {
                    payloads.extend(payload);
                    answers.push((answer, reply));
                }
                Err(error) => reply_to(answer, Err(error)),
            }
            if deletes {
                break;
            }
        }
        let outcome = if payloads.is_empty() { Ok(()) } else { self.commit(payloads).await };
        if let Err(error) = &outcome {
            // What was decided is void; after a failure the next start will know what of it is durable.
            tracing::error!(%error, "the metadata can't be changed");
            self.working = self.view.image.read().expect(UNPOISONED).clone();
        }
        for (answer, reply) in answers {
            reply_to(answer, outcome.clone().map(|()| reply));
        }
    }

    /// Decides on the working image, which takes the records over at once.
    fn decide(&mut self, command: Command) -> Result<(Option<Bytes>, Reply), ClusterError> {
        let decision = self.working.decide(&mut self.policy, self.world.clock.now(), command);
        if decision.records.is_empty() {
            return Ok((None, decision.reply));
        }
        let payload = records::encode(&decision.records).map_err(ClusterError::Unwritable)?;
        let (bytes, max) = (payload.len(), self.log.payload_bytes_max());
        if bytes > max {
            return Err(ClusterError::Refused(ProposeError::TooLarge { bytes, max }));
        }
        let at = Context { offset: self.working.applied().plus(1) };
        decision.records.iter().for_each(|record| Machine::apply(&mut self.working, at, record));
        Ok((Some(payload), decision.reply))
    }

    async fn commit(&mut self, payloads: Vec<Bytes>) -> Result<(), ClusterError> {
        let proposed = self.log.propose(payloads).await.map_err(ClusterError::Refused)?;
        while self.applied.index.next() < proposed.end {
            let mut deleted = Vec::new();
            let committed = self.log.committed().await.map_err(|_| ClusterError::Gone)?;
            {
                let mut image = self.view.image.write().expect(UNPOISONED);
                for committed in committed {
                    self.applied = apply(&mut image, committed, &mut deleted)?;
                }
                self.view.applied.store(self.applied.index.0.cast_signed(), Ordering::Release);
            }
            self.view.follow();
            if !deleted.is_empty() {
                self.view.forget(&deleted);
                if let Some(departures) = self.departures.get() {
                    departures.departed(deleted).await;
                }
            }
        }
        Ok(())
    }

    /// Lets the log forget what the image holds.
    async fn snapshot_if_due(&self) {
        if !self.log.snapshot_is_due() {
            return;
        }
        let image = self.view.image.read().expect(UNPOISONED).clone();
        let encoded = self.world.offload(move || records::encode(Machine::image(&image))).await;
        let written = match encoded {
            Ok(bytes) => self.log.snapshot(self.applied, bytes).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the metadata can't be written as a snapshot; the log goes on growing");
        }
    }
}

/// Whoever asked may have gone.
fn reply_to(answer: Answer, reply: Result<Reply, ClusterError>) {
    let _ = answer.send(reply);
}

/// Takes over what was committed; where the image then stands. Topics that were there before and aren't any more are
/// `deleted`.
fn apply(
    image: &mut Image,
    committed: Committed,
    deleted: &mut Vec<Arc<cluster::Topic>>,
) -> Result<Position, ClusterError> {
    let (at, payload) = match committed {
        Committed::Snapshot(snapshot) => {
            *image = Image::new();
            (snapshot.at, snapshot.image)
        }
        Committed::Entry(entry) => (entry.at, entry.payload),
    };
    let context = Context { offset: Offset(at.index.0.cast_signed()) };
    for record in records::decode(&payload) {
        let record = record.map_err(|malformed| ClusterError::Unreadable(malformed.to_string()))?;
        if let Record::Known(MetadataRecord::RemoveTopic(removed)) = &record {
            deleted.extend(image.topic_by_id(removed.topic_id).cloned());
        }
        Machine::apply(image, context, &record);
    }
    Ok(at)
}

const UNPOISONED: &str = "no code panics while it holds the cluster's image";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Given, Layers, Origin, data_directory};
    use std::time::Duration;
    use thalweg_coordinators::cluster::{
        AlterConfigs, Alteration, CreateTopics, Effect, Intent, NamedTopic, NewTopic, Operation, Others, Resource,
    };
    use thalweg_world::simulated::SimulatedWorld;

    async fn cluster(sim: &SimulatedWorld) -> Cluster {
        let mut flags = data_directory("/data", &Origin::Set);
        let (name, value) = ("listeners".to_owned(), "PLAINTEXT://127.0.0.1:9092".to_owned());
        flags.push(Given { name, value, origin: Origin::Set });
        let settings = Settings::new(&Layers { flags, ..Layers::default() }, None).unwrap().0;
        let directory = settings.directories.logs[0].clone();
        let cluster = Cluster::open(&sim.world, &settings, &directory).await.unwrap();
        cluster.register(sim.world.entropy.uuid(), sim.world.entropy.uuid()).await.unwrap();
        cluster
    }

    fn retention_of(broker: &str) -> Command {
        let of = Resource { kind: Resource::BROKER, name: broker.to_owned() };
        let changes = vec![("log.retention.ms".to_owned(), Operation::Set("60000".to_owned()))];
        let resources = vec![Alteration { of, changes, others: Others::Keep }];
        Command::AlterConfigs(AlterConfigs { resources, intent: Intent::Change })
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_no_record_can_hold_is_refused_and_the_next_is_made() {
        let sim = SimulatedWorld::new(1);
        let cluster = cluster(&sim).await;
        let refused = cluster.ask(retention_of(&"x".repeat(40_000))).await;
        assert!(matches!(refused, Err(ClusterError::Unwritable(_))), "{refused:?}");
        assert!(cluster.ask(retention_of("1")).await.is_ok());
        let own = Resource { kind: Resource::BROKER, name: "1".to_owned() };
        assert!(cluster.image().settings(&own).is_some());
    }

    struct Broken;

    impl Departures for Broken {
        fn departed(&self, _: Vec<Arc<cluster::Topic>>) -> BoxFuture<'static, ()> {
            Box::pin(async { panic!("a test breaks the driver") })
        }
    }

    /// Nothing could be changed any more, and whoever watches over the process has to hear of it.
    #[tokio::test(start_paused = true)]
    async fn the_metadata_has_failed_when_its_driver_is_gone() {
        let sim = SimulatedWorld::new(1);
        let cluster = cluster(&sim).await;
        cluster.attend(Arc::new(Broken));
        let topic = NewTopic {
            name: "t".to_owned(),
            id: sim.world.entropy.uuid(),
            partitions: 1,
            replication_factor: 1,
            assignments: Vec::new(),
            settings: Vec::new(),
        };
        let gone = NamedTopic { name: Some(topic.name.clone()), id: Uuid::ZERO };
        let made =
            cluster.ask(Command::CreateTopics(CreateTopics { topics: vec![topic], effect: Effect::Create })).await;
        assert!(made.is_ok());
        let failed = || tokio::time::timeout(Duration::from_secs(60), cluster.failed());
        assert!(failed().await.is_err(), "all is well");
        let deleted = cluster.ask(Command::DeleteTopics(vec![gone])).await;
        assert!(matches!(deleted, Err(ClusterError::Gone)), "{deleted:?}");
        assert!(failed().await.is_ok(), "nobody heard");
    }
}
