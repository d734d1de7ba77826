//! Partitions that have files and are not alive: nobody touched them since the start, and the journal doesn't name them.
//!
//! What a crash left of deletions is found here too, by the metadata: see [`Dormant::settle`].

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thalweg_coordinators::cluster::{Image, Standing};
use thalweg_log::Log;
use thalweg_log::directory::{DirectoryError, LastStop, Recovered};
use thalweg_log::end::End;
use thalweg_log::files::{Files, Found};
use thalweg_log::log_starts::LogStarts;
use thalweg_log::removal::{self, Moved, put_aside};
use thalweg_log::segment::descriptors::DESCRIPTORS_DEFAULT;
use thalweg_log::segment::names::{
    FolderKind, PartitionName, deleted_folder_name, parse_folder_name, stray_folder_name,
};
use thalweg_log::segment::partition_metadata;
use thalweg_log::segment::text_checkpoint::{self, CheckpointError, LOG_START, Offsets, RECOVERY_POINT, REPLICATION};
use thalweg_log::segment::{self, Descriptors, Reached, SegmentError, Trust};
use thalweg_wire::{Offset, PartitionIndex, TopicPartition};
use thalweg_world::World;
use thalweg_world::disk::{Disk, EntryKind, is_full};

use crate::cluster::{Topic, Topics};
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
    points: Mutex<Points>,
    log_starts: Arc<LogStarts>,
    names: Mutex<BTreeSet<PartitionName>>,
    turn: tokio::sync::Mutex<()>,
    topics: Topics,
    world: World,
}

/// What a start found of topics that don't exist.
#[derive(Default, Debug)]
pub struct Leftovers {
    /// Folders of deleted topics under their own names.
    deleted: Vec<PartitionName>,
    /// Folders that don't say of which topic they are.
    nameless: Vec<PartitionName>,
    /// Folders that are out of the way already.
    aside: Vec<PathBuf>,
}

/// What stands in Kafka's checkpoint files: an offset for each partition.
#[derive(Clone, Default, Debug)]
pub struct Points {
    recovery: Offsets,
    high_watermarks: Offsets,
}

impl Dormant {
    /// Lists a directory. Blocks.
    pub fn find(
        world: &World,
        directory: &Path,
        last_stop: LastStop,
        topics: Topics,
    ) -> Result<(Dormant, Leftovers), DirectoryError> {
        let disk = &*world.disk;
        let io = |error| DirectoryError::Io(directory.to_owned(), error);
        let mut names = BTreeSet::new();
        let mut leftovers = Leftovers::default();
        let image = topics.image();
        for entry in disk.list(directory).map_err(io)? {
            let Some(name) = entry.name.to_str().filter(|_| entry.kind == EntryKind::Directory) else { continue };
            match (parse_folder_name(name), name.parse::<PartitionName>()) {
                (Some(FolderKind::Delete), _) => leftovers.aside.push(directory.join(&entry.name)),
                // A name is given again only when the folders of its last topic are out of the way.
                (Some(FolderKind::Live), Ok(name)) if is_explained(&image, &name) => _ = names.insert(name),
                (Some(FolderKind::Live), Ok(partition)) => {
                    let id = partition_metadata::read(disk, &directory.join(name)).map_err(io)?;
                    match id.map(|id| image.standing(id)) {
                        Some(Standing::Deleted) => leftovers.deleted.push(partition),
                        None if last_stop != LastStop::Clean && image.remembers_deletions() => {
                            leftovers.nameless.push(partition);
                        }
                        Some(Standing::Exists | Standing::Never) | None => {
                            tracing::warn!(folder = name, "a folder of no topic that the metadata knows is left alone");
                            names.insert(partition);
                        }
                    }
                }
                _ => {}
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
        // What a deletion could not take out because the disk was full. It is written again when it can be.
        log_starts.retain(|name| is_explained(&image, name));
        let shared = Shared {
            directory: directory.to_owned(),
            descriptors: Arc::new(Descriptors::new(world.disk.clone(), DESCRIPTORS_DEFAULT)),
            last_stop,
            points: Mutex::new(points),
            log_starts: Arc::new(log_starts),
            names: Mutex::new(names),
            turn: tokio::sync::Mutex::default(),
            topics,
            world: world.clone(),
        };
        Ok((Dormant { shared: Arc::new(shared) }, leftovers))
    }

    /// Finishes what a crash kept from being deleted, as the metadata says: folders of deleted topics go out of the way,
    /// and those that are to be removed are returned. A folder that doesn't say whose it is, and that no topic explains,
    /// is what a power cut leaves of one that was never durable; it is kept under the name that Kafka gives to strays.
    /// Blocks.
    pub fn settle(&self, leftovers: Leftovers) -> Result<Vec<PathBuf>, DirectoryError> {
        let Leftovers { deleted, nameless, mut aside } = leftovers;
        let io = |error| DirectoryError::Io(self.shared.directory.clone(), error);
        self.names().extend(deleted.iter().cloned());
        aside.extend(self.put_aside(&[], &deleted).map_err(io)?);
        for name in &nameless {
            let stray = stray_folder_name(name, self.shared.world.entropy.uuid());
            tracing::warn!(folder = %name, stray, "a folder that doesn't say of which topic it is goes out of the way");
            self.rename(name, &stray).map_err(io)?;
        }
        if !nameless.is_empty() {
            self.sync_names().map_err(io)?;
        }
        Ok(aside)
    }

    /// Puts the folders of a deleted topic out of the way, durably: of those partitions that are alive by their files,
    /// of all by their names. The checkpoint files forget them first, else a namesake would begin where they did. Where
    /// the folders are now. Blocks.
    ///
    /// # Errors
    /// Those of the disk: then it can't be trusted any more.
    pub fn put_aside(&self, alive: &[Arc<Files>], names: &[PartitionName]) -> io::Result<Vec<PathBuf>> {
        let noted = match self.forget_points(names) {
            Err(error) if is_full(&error) => Err(error),
            noted => Ok(noted?),
        };
        let aside = |name: &PartitionName| {
            self.shared.directory.join(deleted_folder_name(name, self.shared.world.entropy.uuid()))
        };
        let mut moved = Vec::new();
        for files in alive {
            let to = aside(files.name());
            if files.delete(&to)? == Moved::Aside {
                moved.push(to);
            }
        }
        for name in names {
            if self.names().remove(name) {
                let to = aside(name);
                if put_aside(&self.shared.descriptors, &self.shared.directory.join(name.to_string()), &to)?
                    == Moved::Aside
                {
                    moved.push(to);
                }
            }
        }
        self.sync_names()?;
        if noted.is_err() {
            // There was no room to say so before. What is deleted makes some.
            moved.iter().try_for_each(|folder| removal::remove(&*self.shared.world.disk, folder))?;
            moved.clear();
            self.shared.log_starts.write_if_changed()?;
            self.points().write(&*self.shared.world.disk, &self.shared.directory)?;
        }
        Ok(moved)
    }

    fn rename(&self, name: &PartitionName, to: &str) -> io::Result<()> {
        let directory = &self.shared.directory;
        put_aside(&self.shared.descriptors, &directory.join(name.to_string()), &directory.join(to)).map(|_| ())
    }

    fn sync_names(&self) -> io::Result<()> {
        self.shared.world.disk.sync_dir(&self.shared.directory)
    }

    fn forget_points(&self, names: &[PartitionName]) -> io::Result<()> {
        let mut points = self.points();
        names.iter().for_each(|name| self.shared.log_starts.forget(name));
        self.shared.log_starts.write_if_changed()?;
        let known = names.iter().filter(|name| points.forget(name)).count();
        if known > 0 { points.write(&*self.shared.world.disk, &self.shared.directory) } else { Ok(()) }
    }

    /// Where the logs of the directory begin.
    pub fn log_starts(&self) -> &Arc<LogStarts> {
        &self.shared.log_starts
    }

    /// Whether a partition has a folder that nobody has opened yet.
    pub fn has_files(&self, topic: &Topic, partition: PartitionIndex) -> bool {
        self.names().contains(&name_of(topic, partition))
    }

    /// Bytes of the records in a partition's folder. Blocks.
    pub fn bytes(&self, topic: &Topic, partition: PartitionIndex) -> io::Result<u64> {
        let folder = self.shared.directory.join(name_of(topic, partition).to_string());
        Files::bytes_unopened(&*self.shared.world.disk, &folder)
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
            LastStop::Fresh | LastStop::Unclean | LastStop::Unexplained => self.trust_unclean(id, topic),
        };
        self.open(id, topic, trust)
    }

    /// Opens the folder of a partition, if it has one. Blocks.
    pub fn open(&self, id: TopicPartition, topic: &Topic, trust: Trust) -> Result<Recovered, DirectoryError> {
        let name = name_of(topic, id.partition);
        let rules = topic.settings().segment_rules();
        let open = || {
            let Shared { descriptors, directory, .. } = &*self.shared;
            Files::open(descriptors, directory, name.clone(), id.topic, rules, trust).map_err(DirectoryError::Files)
        };
        let found = match open() {
            // It could not be moved when that topic was deleted, because the disk failed.
            Err(DirectoryError::Files(SegmentError::AnotherTopic { found, .. }))
                if self.shared.topics.image().standing(found) == Standing::Deleted =>
            {
                let leftovers = Leftovers { deleted: vec![name.clone()], ..Leftovers::default() };
                // The files go at the next start.
                self.settle(leftovers)?;
                open()
            }
            found => found,
        };
        let Found { files, mut end, start: first, mut epochs, opened } = found?;
        let start = self.shared.log_starts.of(&name);
        let known = self.points().recovery.get(&name).copied().unwrap_or(Offset::ZERO);
        let durable = match trust {
            // What is missing is in the journal.
            Trust::Redone { .. } => Offset::ZERO,
            Trust::PageCache { .. } => known,
            Trust::Clean | Trust::Unclean { .. } | Trust::Journaled => known.max(start),
        };
        if end < durable {
            return Err(DirectoryError::Files(files.missing(durable)));
        }
        if start > end && !matches!(trust, Trust::Redone { .. }) {
            // A power cut took records of an async log, and what was deleted of them stays deleted.
            tracing::warn!(partition = %name, %end, %start, "the log ends before it begins: it goes on empty");
            files.restart_at(start).map_err(|error| DirectoryError::Files(error.into()))?;
            end = start;
            epochs.clear();
        }
        if let Some(cut) = &opened.cut {
            tracing::warn!(partition = %name, end = %cut.end, bytes = cut.bytes, "a torn tail was cut");
        }
        Ok(Recovered { log: Log::in_files(id, Arc::new(files), first.max(start), end), epochs })
    }

    /// Whether the files of a partition go on from an offset to an end; see [`segment::reach()`]. Blocks.
    pub fn reach(&self, id: TopicPartition, topic: &Topic, from: Offset, end: End) -> Result<Reached, DirectoryError> {
        let Shared { descriptors, directory, .. } = &*self.shared;
        let folder = directory.join(name_of(topic, id.partition).to_string());
        segment::reach(descriptors, &folder, from, end).map_err(|error| DirectoryError::Io(folder, error))
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
            if let Some(topic) = topic.filter(|_| self.shared.last_stop != LastStop::Clean) {
                let id = TopicPartition { topic: topic.id(), partition: name.partition };
                let Recovered { log, .. } = self.open_dormant(id, &topic)?;
                if let Some(files) = log.files() {
                    files.close().map_err(DirectoryError::Files)?;
                }
                points.note(&name, log.end());
                continue;
            }
            let known = self.points();
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
    /// of the journal was durable as far as it goes, unless another writer was here since.
    fn trust_unclean(&self, id: TopicPartition, topic: &Topic) -> Trust {
        match topic.settings().durability() {
            Durability::PageCache => {
                let known = self.points().recovery.get(&name_of(topic, id.partition)).copied();
                Trust::PageCache { recovery_point: known.unwrap_or(Offset::ZERO) }
            }
            Durability::Journal | Durability::Memory(_) => match self.shared.last_stop {
                LastStop::Unexplained => Trust::Unclean { recovery_point: None },
                LastStop::Fresh | LastStop::Clean | LastStop::Unclean => Trust::Journaled,
            },
        }
    }

    fn points(&self) -> MutexGuard<'_, Points> {
        self.shared.points.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Forgets a partition; whether anything was known of it.
    fn forget(&mut self, name: &PartitionName) -> bool {
        let all = [&mut self.recovery, &mut self.high_watermarks];
        all.into_iter().filter_map(|offsets| offsets.remove(name)).count() > 0
    }

    /// Writes Kafka's checkpoint files, durably. Blocks.
    pub fn write(&self, disk: &dyn Disk, directory: &Path) -> io::Result<()> {
        text_checkpoint::write(disk, directory, RECOVERY_POINT, &self.recovery)?;
        text_checkpoint::write(disk, directory, REPLICATION, &self.high_watermarks)
    }
}

/// Whether a topic explains a folder: it has that name and that partition.
fn is_explained(image: &Image, name: &PartitionName) -> bool {
    image.topic(&name.topic).is_some_and(|topic| topic.partition(name.partition).is_some())
}

fn name_of(topic: &Topic, partition: PartitionIndex) -> PartitionName {
    PartitionName { topic: topic.name().to_owned(), partition }
}
