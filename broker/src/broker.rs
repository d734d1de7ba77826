//! A node put together: recovered, listening, stopped.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use thalweg_coordinators::cluster::BrokerEpoch;
use thalweg_log::directory::{self, DirectoryError, Identity, NO_RECORDS, Recovered};
use thalweg_log::journal::{Event, Opened, Options};
use thalweg_log::lane::{self, Lane};
use thalweg_log::log::Mark;
use thalweg_log::segment::Reached;
use thalweg_log::write_out::{self, Logs, Outcome, Thresholds, Urgency, WriteOut};
use thalweg_log::{Journal, LogDirectory};
use thalweg_replica::{EpochStart, Leader, Reign};
use thalweg_wire::{ErrorCode, LeaderEpoch, Offset, PartitionIndex, TopicPartition};
use thalweg_world::disk::DurableMethod;
use thalweg_world::{DiskFile, World};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::budgets::RequestMemory;
use crate::cluster::{self, Cluster, ClusterError, Topic};
use crate::deletion::Deletion;
use crate::dormant::{Dormant, Points};
use crate::fetch_session::FetchSessions;
use crate::groups::Groups;
use crate::metrics::{self, Measure, Metrics};
use crate::partition::Partition;
use crate::partitions::Partitions;
use crate::producer_ids::ProducerIds;
use crate::server::{self, Connections};
use crate::settings::Settings;

/// What handlers share.
pub struct Shared {
    /// The outside.
    pub world: World,
    /// What the broker was told.
    pub settings: Settings,
    /// What the cluster is, and how to change it.
    pub cluster: Cluster,
    /// The partitions that came to life.
    pub partitions: Arc<Partitions>,
    /// Where all of them become durable.
    pub journal: Journal<Mark>,
    /// Where large ones go past it.
    pub lane: Lane,
    /// What brings their records to files.
    pub write_out: WriteOut,
    /// The files of those that are not alive.
    pub dormant: Dormant,
    /// What clients that fetch have told once.
    pub fetch_sessions: FetchSessions,
    /// The coordinators of groups.
    pub groups: Groups,
    /// Ids for idempotent producers.
    pub producer_ids: ProducerIds,
    /// Memory for requests.
    pub memory: RequestMemory,
    /// Places for connections.
    pub connections: Arc<Connections>,
    /// What is counted.
    pub metrics: Metrics,
    /// Held while partitions are told of changed settings.
    pub following: Mutex<()>,
    /// Held while log directories are described: a look at every file is for one at a time.
    pub log_dirs: tokio::sync::Mutex<()>,
}

/// Where the clients of a listener are told to come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advertised {
    /// A name or an address.
    pub host: String,
    /// A port.
    pub port: u16,
}

/// A running broker. Dropping it without [`Broker::stop`] is a crash that lost no acknowledged record.
pub struct Broker {
    shared: Arc<Shared>,
    directory: LogDirectory,
    /// The directory's filesystem is synced by it. Open since the start, so that a sync reports every error since.
    anchor: Arc<dyn DiskFile>,
    epoch: BrokerEpoch,
    writer: JoinHandle<Outcome>,
    listening: Vec<SocketAddr>,
    durable_method: DurableMethod,
    stopping: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    journal_task: JoinHandle<()>,
}

/// Why a broker can't start; what it says is what to do about it.
#[derive(Debug)]
pub enum StartError {
    /// So far one log directory is served.
    ManyLogDirectories(Vec<PathBuf>),
    /// The metadata log can't be opened.
    Metadata(ClusterError),
    /// A log directory can't be opened.
    Directory(DirectoryError),
    /// An address can't be listened at.
    Listen(String, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::ManyLogDirectories(directories) => {
                write!(f, "log.dirs names {} directories, and so far one is served: name one", directories.len())
            }
            StartError::Metadata(error) => error.fmt(f),
            StartError::Directory(error) => error.fmt(f),
            StartError::Listen(address, error) => match error.kind() {
                io::ErrorKind::AddrInUse => {
                    write!(
                        f,
                        "{address} is in use: stop who listens there, or take another port with --listen HOST:PORT"
                    )
                }
                _ => write!(f, "can't listen at {address}: {error}"),
            },
        }
    }
}

impl std::error::Error for StartError {}

/// The stop was not clean. Nothing acknowledged is lost: the next start recovers.
#[derive(Debug)]
pub struct StopError(String);

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stop was not clean, the next start will recover: {}", self.0)
    }
}

impl std::error::Error for StopError {}

impl Broker {
    /// Recovers the data directory and listens. Answers once every listener accepts.
    pub async fn start(world: World, settings: Settings) -> Result<Broker, StartError> {
        let [log_directory] = settings.directories.logs.as_slice() else {
            return Err(StartError::ManyLogDirectories(settings.directories.logs.clone()));
        };
        let cluster = Cluster::open(&world, &settings, log_directory).await.map_err(StartError::Metadata)?;
        let identity = Identity { cluster: cluster.cluster_id().to_owned(), node: settings.node };
        let Found { directory, anchor, journal_bytes, opened, dormant, logs, aside } =
            open_directory(&world, log_directory.clone(), identity, &settings, &cluster)
                .await
                .map_err(StartError::Directory)?;
        let durable_method = opened.durable_method();

        let write_out = WriteOut::new(Thresholds::for_journal(journal_bytes));
        write_out.redone(opened.replay.bytes());
        let partitions = Arc::new(Partitions::new(write_out.clone()));
        let lane = {
            let logs: Weak<dyn lane::Logs> = Arc::downgrade(&partitions) as _;
            Lane::new(world.clone(), settings.directories.journal_bypass_bytes, logs, write_out.clone())
        };
        let (journal, journal_task) = {
            let partitions = partitions.clone();
            Journal::start(world.clone(), opened, Box::new(move |event| on_journal(&partitions, event)))
        };
        let deletion = Deletion::new(world.clone(), partitions.clone(), dormant.clone());
        deletion.remove_behind(aside);
        cluster.attend(Arc::new(deletion));
        // A restart never resumes an epoch: each partition that this node led begins a new one before it serves.
        let epoch = cluster.register(world.entropy.uuid(), directory.id()).await.map_err(StartError::Metadata)?;
        journal.metadata_applied(cluster.applied_index().unsigned_abs());
        let shared = Arc::new(Shared {
            memory: RequestMemory::default(),
            fetch_sessions: FetchSessions::new(
                settings.requests.fetch_sessions,
                world.entropy.clone(),
                partitions.clone(),
            ),
            groups: Groups::new(settings.groups.state_bytes),
            producer_ids: ProducerIds::new(settings.node),
            connections: Connections::new(cluster.settings().connections.clone()),
            metrics: Metrics::new(),
            following: Mutex::default(),
            log_dirs: tokio::sync::Mutex::default(),
            partitions,
            journal,
            lane,
            write_out,
            dormant,
            cluster,
            settings,
            world,
        });
        for (id, recovered) in logs {
            shared.revive(id, recovered).map_err(StartError::Directory)?;
        }
        let writer = {
            let checkpointed = shared.journal.clone();
            tokio::spawn(shared.write_out.clone().run(write_out::Driver {
                world: shared.world.clone(),
                directory: directory.path().to_owned(),
                anchor: anchor.clone(),
                starts: shared.dormant.log_starts().clone(),
                logs: shared.partitions.clone(),
                lane: shared.lane.clone(),
                checkpoint: Box::new(move |through| checkpointed.checkpoint(through)),
            }))
        };

        let (stopping, stop_wanted) = watch::channel(false);
        let mut listening = Vec::new();
        let mut servers = Vec::new();
        for listener in &shared.settings.listeners {
            let address = listener.bind_address();
            let failed = |error| StartError::Listen(address.clone(), error);
            let socket = shared.world.net.listen(&address).await.map_err(failed)?;
            let local = socket.local_address().map_err(failed)?;
            let port = if listener.advertised_port == 0 { local.port() } else { listener.advertised_port };
            let advertised = Arc::new(Advertised { host: listener.advertised_host.clone(), port });
            listening.push(local);
            servers.push(tokio::spawn(server::run(shared.clone(), socket, advertised, stop_wanted.clone())));
        }
        Ok(Broker {
            shared,
            directory,
            anchor,
            epoch,
            writer,
            listening,
            durable_method,
            stopping,
            servers,
            journal_task,
        })
    }

    /// Where it listens: one address for each listener.
    pub fn listening(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// How records reach stable storage.
    pub fn durable_method(&self) -> DurableMethod {
        self.durable_method
    }

    /// What its handlers share.
    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// What it has counted, and what it holds now.
    pub fn measures(&self) -> Vec<Measure> {
        metrics::measures(&self.shared)
    }

    /// Bytes of requests that are held now: frames half read, and those being served.
    pub fn request_bytes(&self) -> usize {
        self.shared.memory.in_use()
    }

    /// Bytes that the state of groups takes now.
    pub fn group_state_bytes(&self) -> usize {
        self.shared.groups.state_bytes()
    }

    /// Writes of records that went past the journal.
    pub fn writes_past_the_journal(&self) -> u64 {
        self.shared.lane.writes()
    }

    /// Large answers about groups that are gathered or sent now.
    pub fn large_answers(&self) -> usize {
        self.shared.memory.large_answers()
    }

    /// Resolves if the broker can't go on, with the reason: its metadata can't be changed any more.
    pub async fn failed(&self) -> String {
        self.shared.cluster.failed().await
    }

    /// Stops accepting, answers what was taken, and makes all of it durable.
    pub async fn stop(self) -> Result<(), StopError> {
        // Nobody may listen any more.
        let _ = self.stopping.send(true);
        for server in self.servers {
            server.await.map_err(|error| StopError(format!("a listener ended badly: {error}")))?;
        }
        self.shared.groups.stop().await;
        // First what is still on its way, which nobody waited for (acks=0, or a connection that broke): it is stable then.
        if !self.shared.lane.idle().await {
            tracing::error!("a write to files takes too long: what nobody waited for may be lost");
            self.shared.partitions.offline();
        }
        self.shared.journal.stop();
        self.journal_task.await.map_err(|error| StopError(format!("the journal ended badly: {error}")))?;
        // Everything to files; then the journal has nothing that they don't have.
        self.shared.write_out.drain();
        let drained =
            self.writer.await.map_err(|error| StopError(format!("the writer of files ended badly: {error}")))?;
        self.shared.cluster.stop().await;
        if self.shared.partitions.is_offline() {
            return Err(StopError("a write failed, and the disk can't be trusted to have what it took".to_owned()));
        }
        if drained == Outcome::Failed {
            return Err(StopError("not all records could be written to files; the journal has them".to_owned()));
        }
        let (shared, directory, anchor, epoch) = (self.shared, self.directory, self.anchor, self.epoch);
        let world = shared.world.clone();
        world.offload(move || finish(&shared, directory, &*anchor, epoch)).await.map_err(StopError)
    }
}

/// Leaves the log directory as Kafka leaves it. Blocks.
fn finish(shared: &Shared, directory: LogDirectory, anchor: &dyn DiskFile, epoch: BrokerEpoch) -> Result<(), String> {
    let disk = &*shared.world.disk;
    let mut points = Points::default();
    for partition in shared.partitions.alive() {
        let Some(files) = partition.files().filter(|files| files.exist()) else { continue };
        files.close().map_err(|error| error.to_string())?;
        let marks = partition.marks();
        points.note(files.name(), marks.high_watermark);
    }
    shared.dormant.finish(|name| shared.cluster.topic(name), &mut points).map_err(|error| error.to_string())?;
    disk.sync_filesystem(anchor).map_err(|error| error.to_string())?;
    shared.dormant.log_starts().write().map_err(|error| error.to_string())?;
    points.write(disk, directory.path()).map_err(|error| error.to_string())?;
    directory.finish(disk, epoch.0).map_err(|error| error.to_string())
}

/// A log directory as a start found it.
struct Found {
    directory: LogDirectory,
    anchor: Arc<dyn DiskFile>,
    journal_bytes: u64,
    opened: Opened,
    dormant: Dormant,
    logs: BTreeMap<TopicPartition, Recovered>,
    /// Folders of deleted topics, to be removed.
    aside: Vec<PathBuf>,
}

async fn open_directory(
    world: &World,
    path: PathBuf,
    identity: Identity,
    settings: &Settings,
    cluster: &Cluster,
) -> Result<Found, DirectoryError> {
    let image = cluster.image();
    let topics = cluster.topics();
    let opening = world.clone();
    let journal_bytes = settings.directories.journal_bytes;
    world
        .offload(move || {
            let journal_bytes = affordable(&opening, &path, journal_bytes);
            let options = Options::sized(journal_bytes);
            let (directory, opened, last_stop) = LogDirectory::open(&opening, &path, &identity, options)?;
            let anchor = directory.anchor(&*opening.disk).map_err(|error| DirectoryError::Io(path.clone(), error))?;
            let (dormant, leftovers) = Dormant::find(&opening, &path, last_stop, topics.clone())?;
            let open = |id: TopicPartition, trust| match topics.by_id(id.topic) {
                // The journal has nothing of its records but where they begin.
                Some(topic) if trust == NO_RECORDS => dormant.open_dormant(id, &topic),
                Some(topic) => dormant.open(id, &topic, trust),
                // Metadata knows it, or it would not be asked for.
                None => Ok(Recovered::in_memory(id)),
            };
            let reach = |id: TopicPartition, from, end| match topics.by_id(id.topic) {
                Some(topic) => dormant.reach(id, &topic, from, end),
                None => Ok(Reached::Nothing),
            };
            let known = |log| cluster::knows(&image, log);
            let logs = directory::recover(&path, &opened.replay, opening.clock.wall(), known, reach, open)?;
            // Not before the journal is believed: a suspect directory is left as it is.
            let aside = dormant.settle(leftovers)?;
            Ok(Found { directory, anchor, journal_bytes, opened, dormant, logs, aside })
        })
        .await
}

/// What was recovered, if its leader epochs can be those of leaders before this one. They stand outside of a batch's
/// checksum, so damage shows here first.
fn led_before(
    epoch: LeaderEpoch,
    recovered: Recovered,
    topic: &Topic,
    partition: PartitionIndex,
) -> Result<Recovered, DirectoryError> {
    let known = LeaderEpoch(0)..=epoch;
    match recovered.epochs.iter().find(|(line, start)| !known.contains(line) || *start < Offset::ZERO) {
        None => Ok(recovered),
        Some((line, start)) => Err(DirectoryError::Suspect(
            PathBuf::from(format!("{}-{partition}", topic.name())),
            format!("records from offset {start} on name leader epoch {line}, and the metadata knows up to {epoch}"),
        )),
    }
}

/// What a journal may grow to: as it was set, and at most an eighth of the disk, so that a small one has room for records.
fn affordable(world: &World, path: &Path, bytes: u64) -> u64 {
    // The directory may not be there yet.
    let spaces = path.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    let space = spaces.map(|path| world.disk.space(path)).find_map(Result::ok);
    space.map_or(bytes, |space| bytes.min((space.total / 8).max(JOURNAL_BYTES_ALWAYS)))
}

/// However small the disk: room for the largest batch that is taken by default.
const JOURNAL_BYTES_ALWAYS: u64 = 16 << 20;

fn on_journal(partitions: &Partitions, event: Event<'_, Mark>) {
    match event {
        Event::Committed { through, marks } => partitions.stored(through, marks),
        Event::Failed { reason } => Logs::failed(partitions, reason),
    }
}

impl Shared {
    /// The partition that this broker leads, by its topic's name.
    pub async fn leader_of_named(&self, topic: &str, partition: PartitionIndex) -> Result<Arc<Partition>, ErrorCode> {
        let topic = self.cluster.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        self.leader_of(&topic, partition).await
    }

    /// The partition of a topic that this broker leads; it comes to life at the first touch, out of its files if it has
    /// some.
    pub async fn leader_of(&self, topic: &Arc<Topic>, partition: PartitionIndex) -> Result<Arc<Partition>, ErrorCode> {
        let standing = topic.partition(partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        if standing.leader() != self.settings.node {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let id = TopicPartition { topic: topic.id(), partition };
        if let Some(alive) = self.partitions.find(id) {
            return Ok(alive);
        }
        let epoch = standing.leader_epoch();
        if !self.dormant.has_files(topic, partition) {
            let alive = self.come_to_life(self.partition(topic, epoch, self.dormant.empty(id, topic)))?;
            self.catch_up(&alive, topic);
            return Ok(alive);
        }
        // One at a time, so that nobody opens a folder that another has just opened.
        let _turn = self.dormant.turn().await;
        if let Some(alive) = self.partitions.find(id) {
            return Ok(alive);
        }
        if !self.exists(id) {
            return Err(ErrorCode::UnknownTopicOrPartition);
        }
        let (dormant, opened) = (self.dormant.clone(), topic.clone());
        let recovered = self.world.offload(move || dormant.open_dormant(id, &opened)).await;
        let recovered = recovered.and_then(|recovered| led_before(epoch, recovered, topic, partition));
        let recovered = recovered.map_err(|error| {
            tracing::error!(topic = topic.name(), %partition, %error, "the partition is offline");
            ErrorCode::KafkaStorageError
        })?;
        let alive = self.come_to_life(self.partition(topic, epoch, recovered))?;
        self.dormant.woke(topic, partition);
        self.catch_up(&alive, topic);
        Ok(alive)
    }

    fn come_to_life(&self, made: Partition) -> Result<Arc<Partition>, ErrorCode> {
        let id = made.id();
        let alive = self.partitions.find_or_add(made, || self.exists(id));
        alive.ok_or(ErrorCode::UnknownTopicOrPartition)
    }

    /// Whether its topic was not deleted meanwhile.
    fn exists(&self, id: TopicPartition) -> bool {
        self.cluster.look(|image| image.topic_by_id(id.topic).is_some())
    }

    /// Brings a partition to life that the journal has records of. One that metadata deleted stays dead.
    fn revive(&self, id: TopicPartition, recovered: Recovered) -> Result<(), DirectoryError> {
        let Some(topic) = self.cluster.topic_by_id(id.topic) else { return Ok(()) };
        let Some(standing) = topic.partition(id.partition) else { return Ok(()) };
        let epoch = standing.leader_epoch();
        let pending = recovered.log.memory_bytes();
        let recovered = led_before(epoch, recovered, &topic, id.partition)?;
        if self.come_to_life(self.partition(&topic, epoch, recovered)).is_err() {
            return Ok(());
        }
        self.dormant.woke(&topic, id.partition);
        if pending > 0 {
            self.write_out.arrived(pending);
            self.write_out.dirty([(id, Urgency::Later)]);
        }
        Ok(())
    }

    fn partition(&self, topic: &Topic, epoch: LeaderEpoch, recovered: Recovered) -> Partition {
        let Recovered { log, epochs } = recovered;
        let recovered = thalweg_replica::Recovered {
            log_start: log.start(),
            log_end: log.end(),
            // All that was found in the journal is stable, and there is no other replica.
            high_watermark: log.end(),
            producers: log.producers(),
            epochs: epochs.into_iter().map(|(epoch, start)| EpochStart { epoch, start }).collect(),
        };
        let reign = Reign {
            broker: self.settings.node,
            epoch,
            replicas: 1,
            min_in_sync_replicas: topic.settings().min_insync_replicas,
            producer_expiration: self.cluster.settings().producer_expiration,
        };
        let durability = topic.settings().durability();
        let (journal, lane, write_out) = (self.journal.clone(), self.lane.clone(), self.write_out.clone());
        let log_starts = self.dormant.log_starts().clone();
        Partition::new(durability, journal, lane, write_out, log_starts, Leader::new(recovered, reign), log)
    }
}
