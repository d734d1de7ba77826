//! Partitions that have files and are not alive: nobody touched them since the start, and the journal doesn't name them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thalweg_log::Log;
use thalweg_log::directory::{DirectoryError, LastStop, Recovered};
use thalweg_log::files::{Files, Found};
use thalweg_log::log_starts::LogStarts;
use thalweg_log::segment::descriptors::DESCRIPTORS_DEFAULT;
use thalweg_log::segment::names::{FolderKind, PartitionName, parse_folder_name};
use thalweg_log::segment::text_checkpoint::{self, CheckpointError, LOG_START, Offsets, RECOVERY_POINT, REPLICATION};
use thalweg_log::segment::{Descriptors, Trust};
use thalweg_wire::{Offset, PartitionIndex, TopicPartition};
use thalweg_world::World;
use thalweg_world::disk::{Disk, EntryKind};

use crate::cluster::Topic;
use crate::partition::Durability;

/// The folders of a log directory that no live partition has opened. Cheap to clone.
#[derive(Clone)]
pub struct Dormant {
    shared: Arc<Shared>,
}

struct Shared {
    directory: PathBuf,
    descriptors: Arc<Descriptors>,
    last_stop: LastStop,
    /// What the last clean stop noted of each partition.
    points: Points,
    log_starts: Arc<LogStarts>,
    names: Mutex<BTreeSet<PartitionName>>,
    turn: tokio::sync::Mutex<()>,
}

/// What stands in Kafka's checkpoint files: an offset for each partition.
#[derive(Clone, Default, Debug)]
pub struct Points {
    recovery: Offsets,
    high_watermarks: Offsets,
}

impl Dormant {
    /// Lists a directory. Blocks.
    pub fn find(world: &World, directory: &Path, last_stop: LastStop) -> Result<Dormant, DirectoryError> {
        let disk = &*world.disk;
        let io = |error| DirectoryError::Io(directory.to_owned(), error);
        let mut names = BTreeSet::new();
        for entry in disk.list(directory).map_err(io)? {
            let name = entry.name.to_str().filter(|_| entry.kind == EntryKind::Directory);
            if let Some(name) = name.filter(|name| parse_folder_name(name) == Some(FolderKind::Live)) {
                names.extend(name.parse::<PartitionName>());
            }
        }
        // A point that can't be read is as good as none: the records themselves say more.
        let read = |name| text_checkpoint::read(disk, directory, name).unwrap_or_default();
        let points = Points { recovery: read(RECOVERY_POINT), high_watermarks: read(REPLICATION) };
        // Not so with log starts: to begin earlier would bring back what was deleted.
        let log_starts = LogStarts::read(world.disk.clone(), directory.to_owned()).map_err(|error| match error {
            CheckpointError::Io(error) => io(error),
            CheckpointError::Malformed(malformed) => {
                DirectoryError::Suspect(directory.join(LOG_START), format!("line {} is no entry", malformed.line))
            }
        })?;
        let shared = Shared {
            directory: directory.to_owned(),
            descriptors: Arc::new(Descriptors::new(world.disk.clone(), DESCRIPTORS_DEFAULT)),
            last_stop,
            points,
            log_starts: Arc::new(log_starts),
            names: Mutex::new(names),
            turn: tokio::sync::Mutex::default(),
        };
        Ok(Dormant { shared: Arc::new(shared) })
    }

    /// Where the logs of the directory begin.
    pub fn log_starts(&self) -> &Arc<LogStarts> {
        &self.shared.log_starts
    }

    /// Whether a partition has a folder that nobody has opened yet.
    pub fn has_files(&self, topic: &Topic, partition: PartitionIndex) -> bool {
        self.names().contains(&name_of(topic, partition))
    }

    /// The right to open one.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.shared.turn.lock().await
    }

    /// A partition without a folder.
    pub fn empty(&self, id: TopicPartition, topic: &Topic) -> Recovered {
        if let Durability::Memory(_) = topic.settings().durability() {
            return Recovered::in_memory(id);
        }
        let name = name_of(topic, id.partition);
        let rules = topic.settings().segment_rules();
        let files = Files::absent(&self.shared.descriptors, &self.shared.directory, name, id.topic, rules);
        let log = Log::in_files(id, Arc::new(files), Offset::ZERO, Offset::ZERO);
        Recovered { log, epochs: Vec::new() }
    }

    /// Opens the folder of a partition that the journal doesn't name. Blocks.
    pub fn open_dormant(&self, id: TopicPartition, topic: &Topic) -> Result<Recovered, DirectoryError> {
        let trust = match self.shared.last_stop {
            LastStop::Clean => Trust::Clean,
            LastStop::Fresh | LastStop::Unclean => self.trust_unclean(id, topic),
        };
        self.open(id, topic, trust)
    }

    /// Opens the folder of a partition, if it has one. Blocks.
    pub fn open(&self, id: TopicPartition, topic: &Topic, trust: Trust) -> Result<Recovered, DirectoryError> {
        let name = name_of(topic, id.partition);
        let rules = topic.settings().segment_rules();
        let start = self.shared.log_starts.of(&name);
        let found = Files::open(&self.shared.descriptors, &self.shared.directory, name.clone(), id.topic, rules, trust);
        let Found { files, end, start: first, epochs, opened } = found.map_err(DirectoryError::Files)?;
        if let Some(cut) = &opened.cut {
            tracing::warn!(partition = %name, end = %cut.end, bytes = cut.bytes, "a torn tail was cut");
        }
        Ok(Recovered { log: Log::in_files(id, Arc::new(files), first.max(start), end), epochs })
    }

    /// A partition whose folder was opened is alive. Not before it can be found: whoever looked in between would find
    /// neither it nor its files, and make an empty one.
    pub fn woke(&self, topic: &Topic, partition: PartitionIndex) {
        self.names().remove(&name_of(topic, partition));
    }

    /// Carries over what is known of partitions that stayed dormant. What an unclean stop left of an async one is mended
    /// before a clean stop calls it whole. Blocks.
    pub fn finish(
        &self,
        topic: impl Fn(&str) -> Option<Arc<Topic>>,
        points: &mut Points,
    ) -> Result<(), DirectoryError> {
        for name in self.names().clone() {
            let topic = topic(&name.topic).filter(|topic| topic.settings().durability() == Durability::PageCache);
            if let Some(topic) = topic.filter(|_| self.shared.last_stop == LastStop::Unclean) {
                let id = TopicPartition { topic: topic.id(), partition: name.partition };
                let Recovered { log, .. } = self.open_dormant(id, &topic)?;
                if let Some(files) = log.files() {
                    files.close().map_err(DirectoryError::Files)?;
                }
                points.note(&name, log.end());
                continue;
            }
            let known = &self.shared.points;
            let carry = |from: &Offsets, into: &mut Offsets| {
                if let Some(offset) = from.get(&name) {
                    into.insert(name.clone(), *offset);
                }
            };
            carry(&known.recovery, &mut points.recovery);
            carry(&known.high_watermarks, &mut points.high_watermarks);
        }
        Ok(())
    }

    /// What to believe after an unclean stop. The records of an async log are checked from where they were durable; a log
    /// of the journal was durable as far as it goes.
    fn trust_unclean(&self, id: TopicPartition, topic: &Topic) -> Trust {
        match topic.settings().durability() {
            Durability::PageCache => {
                let known = self.shared.points.recovery.get(&name_of(topic, id.partition));
                Trust::PageCache { recovery_point: known.copied().unwrap_or(Offset::ZERO) }
            }
            Durability::Journal | Durability::Memory(_) => Trust::Unclean { recovery_point: None },
        }
    }

    fn names(&self) -> MutexGuard<'_, BTreeSet<PartitionName>> {
        self.shared.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Points {
    /// Notes where a partition stands at a clean stop: all of it is durable.
    pub fn note(&mut self, name: &PartitionName, end: Offset) {
        self.recovery.insert(name.clone(), end);
        self.high_watermarks.insert(name.clone(), end);
    }

    /// Writes Kafka's checkpoint files, durably. Blocks.
    pub fn write(&self, disk: &dyn Disk, directory: &Path) -> io::Result<()> {
        text_checkpoint::write(disk, directory, RECOVERY_POINT, &self.recovery)?;
        text_checkpoint::write(disk, directory, REPLICATION, &self.high_watermarks)
    }
}

fn name_of(topic: &Topic, partition: PartitionIndex) -> PartitionName {
    PartitionName { topic: topic.name().to_owned(), partition }
}
