//! A log's folder, made at its first write-out: a partition without data has no files.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use thalweg_wire::batch::Batch;
use thalweg_wire::producers::Producers;
use thalweg_wire::{LeaderEpoch, Offset, Timestamp, TopicId};
use thalweg_world::disk::{Disk, Entry, Open};

use crate::directory::put;
use crate::log::{FirstBatch, ReadLimit};
use crate::producers::Tracked;
use crate::removal::{Moved, put_aside};
use crate::segment::leader_epochs;
use crate::segment::names::{FileKind, LEADER_EPOCH_CHECKPOINT, PartitionName, parse_file_name};
use crate::segment::{
    Checksums, Damage, Descriptors, Flaw, Flush, Opened, Reader, Rules, SegmentError, Segments, Trust,
};

/// Leader epochs and where each began, in order.
pub type Epochs = Vec<(LeaderEpoch, Offset)>;

/// The folder of one log. Every verb blocks.
pub struct Files {
    name: PartitionName,
    path: PathBuf,
    topic: TopicId,
    descriptors: Arc<Descriptors>,
    /// Beside the state, which a writer holds over whole writes: who reads doesn't wait for it.
    reader: OnceLock<Reader>,
    state: Mutex<State>,
}

struct State {
    /// `None`: there is no folder yet, and the log would begin at this offset.
    segments: Result<Segments, Offset>,
    /// As `leader-epoch-checkpoint` has them.
    epochs: Epochs,
    tracked: Tracked,
    rules: Rules,
    /// The topic is gone: nothing is written any more.
    deleted: bool,
}

/// A log's folder as a start found it.
pub struct Found {
    /// The folder.
    pub files: Files,
    /// Where its records end.
    pub end: Offset,
    /// Where its files begin.
    pub start: Offset,
    /// Its leader epochs.
    pub epochs: Epochs,
    /// What was mended on the way.
    pub opened: Opened,
}

impl Files {
    /// A log that has no folder yet, and begins at 0.
    pub fn absent(
        descriptors: &Arc<Descriptors>,
        directory: &Path,
        name: PartitionName,
        topic: TopicId,
        rules: Rules,
    ) -> Files {
        let path = directory.join(name.to_string());
        let (segments, tracked) = (Err(Offset::ZERO), Tracked::default());
        let state = State { segments, epochs: Vec::new(), tracked, rules, deleted: false };
        let (descriptors, reader) = (descriptors.clone(), OnceLock::new());
        Files { name, path, topic, descriptors, reader, state: Mutex::new(state) }
    }

    /// Opens the folder, if there is one.
    ///
    /// # Errors
    /// [`SegmentError`]: nothing was cut then.
    pub fn open(
        descriptors: &Arc<Descriptors>,
        directory: &Path,
        name: PartitionName,
        topic: TopicId,
        rules: Rules,
        trust: Trust,
    ) -> Result<Found, SegmentError> {
        let files = Files::absent(descriptors, directory, name, topic, rules);
        match Segments::open(descriptors, &files.path, topic, rules, trust) {
            Ok((segments, opened)) => {
                let (start, end) = (segments.start(), segments.end());
                let epochs = files.read_epochs(&segments, trust)?;
                let tracked = Tracked::find(&**descriptors.disk(), &files.path, &segments, trust)?;
                files.publish(&segments);
                let segments = Ok(segments);
                *files.state() = State { segments, epochs: epochs.clone(), tracked, rules, deleted: false };
                Ok(Found { files, end, start, epochs, opened })
            }
            Err(SegmentError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Found {
                files,
                end: Offset::ZERO,
                start: Offset::ZERO,
                epochs: Vec::new(),
                opened: Opened::default(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Changes the settings; they hold from the next append on.
    pub fn set_rules(&self, rules: Rules) {
        self.state().rules = rules;
    }

    /// Which partition it is.
    pub fn name(&self) -> &PartitionName {
        &self.name
    }

    /// A reader of the records that are in files; `None` before there is a folder. Doesn't block.
    pub fn reader(&self) -> Option<Reader> {
        self.reader.get().cloned()
    }

    fn publish(&self, segments: &Segments) {
        // A checksum of what is served costs less than serving what rotted.
        self.reader.get_or_init(|| segments.reader(Checksums::Verified));
    }

    /// Appends batches behind what is there; the folder is made with the first. Those that are in are passed over: a log
    /// has two writers, the one who writes stable records out and the lane past the journal. A log that was deleted takes
    /// them, and writes nothing.
    ///
    /// # Errors
    /// Those of the disk. Those of the batches that got in are not appended again: ask [`Files::end`].
    pub fn append(&self, batches: &[Batch], now: Timestamp) -> Result<(), SegmentError> {
        let mut state = self.state();
        if state.deleted {
            return Ok(());
        }
        let rules = state.rules;
        let mut segments = match std::mem::replace(&mut state.segments, Err(Offset::ZERO)) {
            Ok(segments) => segments,
            Err(first) => Segments::create(&self.descriptors, &self.path, self.topic, first, rules)
                .inspect_err(|_| state.segments = Err(first))?,
        };
        segments.set_rules(rules);
        let batches = &batches[batches.partition_point(|batch| batch.next_offset() <= segments.end())..];
        // Known once they stand in the file: on a full disk they are written with the next try.
        let outcome = self.note_epochs(&state.epochs, batches).and_then(|epochs| {
            state.epochs = epochs;
            segments.append(batches, now)
        });
        let end = segments.end();
        self.publish(&segments);
        state.segments = Ok(segments);
        let disk = &**self.descriptors.disk();
        let mut snapshots = Ok(());
        let mut rolled = outcome.as_ref().map_or(&[][..], |appended| &appended.rolled).iter().peekable();
        // Also when the disk became full on the way: those that got in are not seen again.
        for batch in batches.iter().take_while(|batch| batch.next_offset() <= end) {
            while let Some(base) = rolled.next_if(|base| **base <= batch.base_offset()) {
                // Not before all batches are noted: they are not seen again.
                let written = state.tracked.write_snapshot(disk, &self.path, *base);
                snapshots = snapshots.and(written);
            }
            state.tracked.note(batch);
        }
        outcome?;
        snapshots?;
        if state.tracked.is_window_due() {
            state.tracked.write_window(disk, &self.path, end)?;
        }
        Ok(())
    }

    /// Cuts what stands at `to` and above, durably.
    ///
    /// # Errors
    /// [`SegmentError`].
    pub fn truncate(&self, to: Offset) -> Result<(), SegmentError> {
        let mut state = self.state();
        let State { segments, tracked, .. } = &mut *state;
        if let Ok(segments) = segments {
            tracked.truncate(&**self.descriptors.disk(), &self.path, to)?;
            segments.truncate(to)?;
        }
        state.epochs.retain(|(_, start)| *start < to);
        Ok(())
    }

    /// The producers of the records in files.
    pub fn producers(&self) -> Producers {
        self.state().tracked.producers().clone()
    }

    /// Takes away the segments whose records are all below `start`. The deletion is durable by now.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn delete_before(&self, start: Offset) -> io::Result<()> {
        let mut state = self.state();
        let Ok(segments) = &mut state.segments else { return Ok(()) };
        let deleted = segments.delete_before(start)?;
        if deleted > 0 {
            tracing::info!(log = %self.name, %start, deleted, "segments were deleted");
        }
        Ok(())
    }

    /// The log begins behind all that there is: a power cut took records, and then some were deleted that are gone. What
    /// is in files goes, and the log goes on there, as no offset is ever given twice. Durable when this returns.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn restart_at(&self, start: Offset) -> io::Result<()> {
        let mut state = self.state();
        let State { segments, tracked, epochs, .. } = &mut *state;
        tracked.truncate(&**self.descriptors.disk(), &self.path, Offset::ZERO)?;
        epochs.clear();
        match segments {
            Ok(segments) => segments.restart_at(start),
            Err(first) => {
                *first = start;
                Ok(())
            }
        }
    }

    /// Where the records in files end.
    pub fn end(&self) -> Offset {
        self.state().segments.as_ref().map_or_else(|first| *first, Segments::end)
    }

    /// What a log is refused for that ends too early: records up to `until` were in its files once, durably.
    pub fn missing(&self, until: Offset) -> SegmentError {
        let state = self.state();
        let (end, file, position) = match &state.segments {
            Ok(segments) => segments.tail(),
            Err(first) => (*first, self.path.clone(), 0),
        };
        SegmentError::Damaged(Damage::new(&self.path, file, position, end, Flaw::Missing { until }))
    }

    /// Bytes of all records in files, and where they end.
    pub fn extent(&self) -> (u64, Offset) {
        match &self.state().segments {
            Ok(segments) => (segments.size(), segments.end()),
            Err(first) => (0, *first),
        }
    }

    /// The same of a folder that nobody has opened, by the sizes of its files; 0 if there is none.
    pub fn bytes_unopened(disk: &dyn Disk, folder: &Path) -> io::Result<u64> {
        let entries = match disk.list(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let is_log = |entry: &&Entry| matches!(parse_file_name(&entry.name), Some((_, FileKind::Log, None)));
        let logs = entries.iter().filter(is_log);
        logs.map(|entry| disk.open(&folder.join(&entry.name), Open::Read)?.size()).sum()
    }

    /// Whether there is a folder.
    pub fn exist(&self) -> bool {
        self.state().segments.is_ok()
    }

    /// Cuts off what a write that found no room left of a batch, and makes the rest durable.
    ///
    /// # Errors
    /// Those of the disk; final.
    pub fn drop_unfinished(&self) -> Result<(), SegmentError> {
        match &mut self.state().segments {
            Ok(segments) => Ok(segments.drop_unfinished()?),
            Err(_) => Ok(()),
        }
    }

    /// Makes everything in the folder durable.
    ///
    /// # Errors
    /// Those of the disk; final.
    pub fn sync(&self) -> Result<(), SegmentError> {
        match &mut self.state().segments {
            Ok(segments) => Ok(segments.sync()?),
            Err(_) => Ok(()),
        }
    }

    /// Notes that somebody synced the whole filesystem after records below `through` were appended.
    pub fn synced_to(&self, through: Offset) {
        if let Ok(segments) = &mut self.state().segments {
            segments.synced_to(through);
        }
    }

    /// A sync to be done beside further appends, if so many bytes were appended since the last one began.
    pub fn flush_due(&self, bytes: u64) -> Option<Flush> {
        self.state().segments.as_mut().ok()?.flush_due(bytes)
    }

    /// A sync of the records there are, to be done beside further appends. Indexes are hints, and may wait for another.
    pub fn flush_records(&self) -> Option<Flush> {
        self.state().segments.as_mut().ok()?.flush_records()
    }

    /// Notes that such a sync was done.
    pub fn flushed(&self, flush: &Flush) {
        if let Ok(segments) = &mut self.state().segments {
            segments.flushed(flush);
        }
    }

    /// Leaves the folder as Kafka leaves it at a clean stop, with the producers' snapshot at the end. Appends nothing
    /// afterwards. Durable when the caller has synced the filesystem: ten thousand folders are one sync.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn close(&self) -> Result<(), SegmentError> {
        let mut state = self.state();
        match std::mem::replace(&mut state.segments, Err(Offset::ZERO)) {
            Ok(segments) => {
                let disk = &**self.descriptors.disk();
                state.tracked.write_snapshot(disk, &self.path, segments.end())?;
                state.tracked.leave_window(disk, &self.path, segments.end())?;
                segments.remove_stray_snapshots()?;
                Ok(segments.close_before_sync()?)
            }
            Err(first) => {
                state.segments = Err(first);
                Ok(())
            }
        }
    }

    /// The topic is deleted: the folder, if there is one, gets another name. Nothing is written from here on, and who
    /// still reads finds nothing: none of them touches a namesake's files. Durable when the directory's names are synced.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn delete(&self, aside: &Path) -> io::Result<Moved> {
        let mut state = self.state();
        state.deleted = true;
        if let Ok(segments) = std::mem::replace(&mut state.segments, Err(Offset::ZERO)) {
            segments.retire();
        }
        // Also without segments: an attempt to make them may have left a folder.
        put_aside(&self.descriptors, &self.path, aside)
    }

    /// A line comes with the first batch of an epoch. Durable with the next sync of the filesystem, as the batch is.
    fn note_epochs(&self, before: &Epochs, batches: &[Batch]) -> io::Result<Epochs> {
        let mut known = before.clone();
        for batch in batches {
            let epoch = batch.header().leader_epoch();
            if known.last().is_none_or(|(last, _)| *last < epoch) {
                known.push((epoch, batch.base_offset()));
            }
        }
        if known.len() > before.len() {
            self.put(LEADER_EPOCH_CHECKPOINT, &leader_epochs::encode(&known))?;
        }
        Ok(known)
    }

    /// The file's lines as far as they agree with the records; what is missing is read from the batches.
    fn read_epochs(&self, segments: &Segments, trust: Trust) -> Result<Epochs, SegmentError> {
        let end = segments.end();
        let mut epochs = self.epochs_file();
        epochs.retain(|(_, start)| *start < end);
        if trust == Trust::Clean || segments.size() == 0 {
            return Ok(epochs);
        }
        let reader = segments.reader(Checksums::Trusted);
        let last = ReadLimit { bytes: 0, first: FirstBatch::Always };
        let newest = reader.read(Offset(end.0 - 1), end, last)?;
        if newest.first().map(|batch| batch.header().leader_epoch()) == epochs.last().map(|(epoch, _)| *epoch) {
            return Ok(epochs);
        }
        let from = epochs.last().map_or(segments.start(), |(_, start)| *start);
        reader.for_each_header(from, |header| {
            let epoch = header.leader_epoch();
            if epochs.last().is_none_or(|(last, _)| *last < epoch) {
                epochs.push((epoch, header.base_offset()));
            }
            ControlFlow::Continue(())
        })?;
        Ok(epochs)
    }

    /// A file that can't be read is made again from the batches.
    fn epochs_file(&self) -> Epochs {
        let read = || {
            let file = self.descriptors.disk().open(&self.path.join(LEADER_EPOCH_CHECKPOINT), Open::Read)?;
            let mut bytes = vec![0; file.size()?.min(EPOCHS_BYTES_MAX) as usize];
            let read = file.read_at(&mut bytes, 0)?;
            bytes.truncate(read);
            io::Result::Ok(bytes)
        };
        read().ok().and_then(|bytes| leader_epochs::decode(&bytes).ok()).unwrap_or_default()
    }

    /// What a crash leaves of such a file can be made again from the batches.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        put(&**self.descriptors.disk(), &self.path, name, bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whatever panicked left the files as a crash would have: the next start mends them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A leader epoch is a line of some twenty bytes, and a restart makes one.
const EPOCHS_BYTES_MAX: u64 = 16 << 20;

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Files({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use thalweg_wire::batch::Builder;
    use thalweg_wire::{PartitionIndex, ProducerEpoch, ProducerId, Uuid};
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::*;
    use crate::segment::producer_window::PRODUCER_WINDOW;

    /// The writer of files, or a slow reader, may hold a log when its topic goes, and a namesake may have its folder.
    #[test]
    fn a_deleted_log_takes_records_and_writes_none() {
        let disk = SimulatedDisk::new(1, Faults::default());
        disk.install(Path::new("logs/.lock"), b"").unwrap();
        let descriptors = Arc::new(Descriptors::new(Arc::new(disk.clone()), 8));
        let name = PartitionName { topic: "a".to_owned(), partition: PartitionIndex(0) };
        let rules = Rules { segment_bytes: 1 << 20, ..Rules::default() };
        let absent = |id| Files::absent(&descriptors, Path::new("logs"), name.clone(), Uuid([id; 16]), rules);
        let batch = Builder::new().record(Timestamp::from_millis(1), None, Some(b"x")).build().unwrap();
        let (old, namesake) = (absent(1), absent(2));
        old.append(std::slice::from_ref(&batch), Timestamp::NONE).unwrap();
        let slow = old.reader().unwrap();
        let aside = Path::new("logs/a-0.x-delete");
        assert_eq!(old.delete(aside).unwrap(), Moved::Aside);
        namesake.append(std::slice::from_ref(&batch), Timestamp::NONE).unwrap();
        let files = disk.files();
        old.append(std::slice::from_ref(&batch), Timestamp::NONE).unwrap();
        old.close().unwrap();
        assert_eq!(disk.files(), files, "nothing is written any more");
        assert!(!old.exist() && namesake.exist() && namesake.end() == Offset(1));
        assert_eq!(
            slow.read(Offset::ZERO, Offset(1), ReadLimit::NONE).unwrap(),
            [],
            "nor are a namesake's records read"
        );
    }

    /// What went past the journal and was never acknowledged may be in the window, and be lost. Others come in its place, so
    /// a window that recovery has cut says the same no more to the next one.
    #[test]
    fn a_window_that_reaches_beyond_a_cut_is_believed_once() {
        const LARGE: usize = 17 << 20;
        let disk = SimulatedDisk::new(1, Faults::default());
        disk.install(Path::new("logs/.lock"), b"").unwrap();
        let descriptors = Arc::new(Descriptors::new(Arc::new(disk.clone()), 8));
        let name = PartitionName { topic: "a".to_owned(), partition: PartitionIndex(0) };
        let topic = Uuid([1; 16]);
        let of = |id: i64, sequence: i32, base: i64, bytes: usize| {
            let builder = Builder::new().producer(ProducerId(id), ProducerEpoch(0), sequence);
            let mut batch = builder.record(Timestamp::from_millis(1), None, Some(&vec![0; bytes])).build().unwrap();
            batch.place(Offset(base), LeaderEpoch(0));
            batch
        };
        let open = |from| {
            let trust = Trust::Redone { from: Offset(from) };
            Files::open(&descriptors, Path::new("logs"), name.clone(), topic, Rules::default(), trust).unwrap()
        };
        let last = |files: &Files, id: i64| {
            files.producers().get(ProducerId(id)).and_then(|producer| producer.last().map(|span| span.last_sequence))
        };
        let lost = Files::absent(&descriptors, Path::new("logs"), name.clone(), topic, Rules::default());
        lost.append(&[of(7, 0, 0, 1), of(7, 1, 1, LARGE), of(7, 2, 2, 1)], Timestamp::NONE).unwrap();
        assert!(disk.files().iter().any(|path| path.ends_with(PRODUCER_WINDOW)), "there is a window, up to 3");
        drop(lost);

        let Found { files, end, .. } = open(1);
        assert_eq!((end, last(&files, 7)), (Offset(1), Some(0)));
        files.append(&[of(8, 0, 1, 1)], Timestamp::NONE).unwrap();
        drop(files);
        let Found { files, end, .. } = open(2);
        assert_eq!((end, last(&files, 7), last(&files, 8)), (Offset(2), Some(0), Some(0)));
    }
}
