//! A node put together: recovered, listening, stopped.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use thalweg_log::directory::{self, DirectoryError, Identity, Recovered};
use thalweg_log::journal::{Event, Options};
use thalweg_log::log::Mark;
use thalweg_log::{Journal, Log, LogDirectory};
use thalweg_replica::{EpochStart, Leader, Reign};
use thalweg_wire::{ErrorCode, LeaderEpoch, PartitionIndex, TopicId, TopicPartition};
use thalweg_world::World;
use thalweg_world::disk::DurableMethod;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::budgets::RequestMemory;
use crate::cluster::{self, Cluster, ClusterError, Topic};
use crate::partition::Partition;
use crate::partitions::Partitions;
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
    /// Memory for requests.
    pub memory: RequestMemory,
    /// Places for connections.
    pub connections: Arc<Connections>,
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
        let (directory, opened, logs) = open_directory(&world, log_directory.clone(), identity, &settings, &cluster)
            .await
            .map_err(StartError::Directory)?;
        let durable_method = opened.durable_method();

        let partitions = Arc::new(Partitions::default());
        let (journal, journal_task) = {
            let partitions = partitions.clone();
            Journal::start(world.clone(), opened, Box::new(move |event| on_journal(&partitions, event)))
        };
        // A restart never resumes an epoch: each partition that this node led begins a new one before it serves.
        cluster.register(world.entropy.uuid(), directory.id()).await.map_err(StartError::Metadata)?;
        journal.metadata_applied(cluster.applied_index().unsigned_abs());
        let shared = Arc::new(Shared {
            memory: RequestMemory::default(),
            connections: Connections::new(settings.connections.clone()),
            partitions,
            journal,
            cluster,
            settings,
            world,
        });
        for (id, recovered) in logs {
            shared.revive(id, recovered);
        }

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
        Ok(Broker { shared, directory, listening, durable_method, stopping, servers, journal_task })
    }

    /// Where it listens: one address for each listener.
    pub fn listening(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// How records reach stable storage.
    pub fn durable_method(&self) -> DurableMethod {
        self.durable_method
    }

    /// Bytes of requests that are held now: frames half read, and those being served.
    pub fn request_bytes(&self) -> usize {
        self.shared.memory.in_use()
    }

    /// Resolves if the broker can't go on, with the reason: its metadata log failed.
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
        self.shared.journal.stop();
        self.journal_task.await.map_err(|error| StopError(format!("the journal ended badly: {error}")))?;
        self.shared.cluster.stop().await;
        drop(self.directory);
        if self.shared.partitions.is_offline() {
            return Err(StopError("a write of the log directory had failed".to_owned()));
        }
        Ok(())
    }
}

async fn open_directory(
    world: &World,
    path: PathBuf,
    identity: Identity,
    settings: &Settings,
    cluster: &Cluster,
) -> Result<(LogDirectory, thalweg_log::journal::Opened, BTreeMap<TopicPartition, Recovered>), DirectoryError> {
    let options = Options::sized(settings.directories.journal_bytes);
    let image = cluster.image();
    let opening = world.clone();
    world
        .offload(move || {
            let (directory, opened) = LogDirectory::open(&opening, &path, &identity, options)?;
            let logs = directory::recover(&path, &opened.replay, |log| cluster::knows(&image, log))?;
            Ok((directory, opened, logs))
        })
        .await
}

fn on_journal(partitions: &Partitions, event: Event<'_, Mark>) {
    match event {
        Event::Committed { marks, .. } => partitions.stored(marks),
        Event::Failed { reason } => {
            tracing::error!(
                reason,
                "the log directory is offline: no write can be trusted any more; restart to recover"
            );
            partitions.failed();
        }
    }
}

impl Shared {
    /// The partition that this broker leads, by its topic's name.
    pub fn leader_of_named(&self, topic: &str, partition: PartitionIndex) -> Result<Arc<Partition>, ErrorCode> {
        let topic = self.cluster.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        self.leader_of(&topic, partition)
    }

    /// The partition that this broker leads, by its topic's id.
    pub fn leader_of_id(&self, topic: TopicId, partition: PartitionIndex) -> Result<Arc<Partition>, ErrorCode> {
        let topic = self.cluster.topic_by_id(topic).ok_or(ErrorCode::UnknownTopicId)?;
        self.leader_of(&topic, partition)
    }

    /// The partition of a topic that this broker leads; it comes to life at the first touch.
    pub fn leader_of(&self, topic: &Topic, partition: PartitionIndex) -> Result<Arc<Partition>, ErrorCode> {
        let standing = topic.partition(partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        if standing.leader() != self.settings.node {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let id = TopicPartition { topic: topic.id(), partition };
        Ok(self.partitions.find_or_make(id, || self.partition(topic, standing.leader_epoch(), empty(id))))
    }

    /// Brings a partition to life that the journal has records of. One that metadata deleted stays dead.
    fn revive(&self, id: TopicPartition, recovered: Recovered) {
        let Some(topic) = self.cluster.topic_by_id(id.topic) else { return };
        let Some(standing) = topic.partition(id.partition) else { return };
        self.partitions.find_or_make(id, || self.partition(&topic, standing.leader_epoch(), recovered));
    }

    fn partition(&self, topic: &Topic, epoch: LeaderEpoch, recovered: Recovered) -> Partition {
        let Recovered { log, epochs } = recovered;
        let recovered = thalweg_replica::Recovered {
            log_start: log.start(),
            log_end: log.end(),
            // All that was found in the journal is stable, and there is no other replica.
            high_watermark: log.end(),
            epochs: epochs.into_iter().map(|(epoch, start)| EpochStart { epoch, start }).collect(),
        };
        let reign = Reign {
            broker: self.settings.node,
            epoch,
            replicas: 1,
            min_in_sync_replicas: topic.settings().min_insync_replicas,
        };
        Partition::new(self.journal.clone(), Leader::new(recovered, reign), log)
    }
}

fn empty(id: TopicPartition) -> Recovered {
    Recovered { log: Log::new(id), epochs: Vec::new() }
}
