//! A look at partitions: what each has for the reader, within the limits of the whole answer.

use std::collections::VecDeque;

use thalweg_log::log::{FirstBatch, ReadLimit, Reading, within};
use thalweg_log::segment::Sendable;
use thalweg_messages::fetch::EpochEndOffset;
use thalweg_wire::batch::Batch;
use thalweg_wire::{ErrorCode, LeaderEpoch, Moment};
use tokio::sync::OwnedSemaphorePermit;

use super::{Absent, Limit, Plan, Wanted};
use crate::broker::Shared;
use crate::budgets::{FEW_REMEMBERED_BYTES, Remembered};
use crate::fetch_session::{Records, Told};
use crate::partition::{EpochError, Marks, Read, ReadError};

/// What one look at all partitions gave.
pub(super) struct Look {
    pub(super) found: Vec<Found>,
    pub(super) bytes: usize,
    /// Whether there is an error to tell, or a diverging epoch.
    pub(super) has_news: bool,
    /// Partitions whose records stay in their file, and bytes of copies out of files.
    files: usize,
    copies: usize,
    /// Room for records in memory, and what of it is taken.
    room: Remembered,
    pub(super) taken: Vec<OwnedSemaphorePermit>,
    /// When it began, and when it ended.
    now: Moment,
    pub(super) read_at: Moment,
}

pub(super) enum Found {
    Fetched(Sendable, Marks, Records),
    Diverging(EpochEndOffset, Marks),
    /// The client's epoch is older than this one.
    Fenced(LeaderEpoch),
    Error(ErrorCode),
    /// Nothing was looked at: there is no such partition, or the request makes no sense.
    Unknown(ErrorCode),
}

/// What a partition has for the reader, before the limits of the whole answer.
enum Seen {
    Readable {
        records: Reading,
        marks: Marks,
        max_bytes: Limit,
    },
    /// It ends where the reader stands.
    Nothing(Marks),
    Told(Found),
}

/// Bytes of files that are read without another thread, if the page cache has them: about 0.2 ms of work.
const READ_HERE_BYTES: usize = 1 << 20;

/// What it costs at least to look into a file, in such bytes.
const LOOK_BYTES: usize = 16 << 10;

/// Files that one answer may hold, and bytes of copies, before it gives nothing more out of files: others may be short of them.
const FILES_MAX: usize = 8;
const COPIES_MAX: usize = 8 << 20;

impl Look {
    /// Takes what fits into `most` bytes, in the order of the request, up to the first that has to be waited for, or that
    /// asks for more than may be read here: whoever asks for more gets it, from a thread that may block. What is not
    /// taken stays.
    fn take_here(&mut self, seen: &mut VecDeque<Seen>, most: Limit) {
        let mut left = READ_HERE_BYTES;
        while let Some(next) = seen.pop_front() {
            let Seen::Readable { records: Reading::Files(files), marks, max_bytes } = next else {
                self.take(next, most);
                continue;
            };
            let limit = self.limit(max_bytes, most).unwrap_or(0);
            if self.has_enough() {
                self.add_records(Sendable::default(), marks);
                continue;
            }
            let costs = limit.max(LOOK_BYTES);
            let read = (costs <= left).then(|| files.read_cached_to_send(limit, self.now)).flatten();
            match read.filter(|records| !records.is_empty() || self.first() == FirstBatch::IfItFits) {
                Some(records) => {
                    left -= costs;
                    self.add_records(records, marks);
                }
                None => return seen.push_front(Seen::Readable { records: Reading::Files(files), marks, max_bytes }),
            }
        }
    }

    /// Takes what fits. Blocks if it is in files.
    fn take(&mut self, seen: Seen, most: Limit) {
        let found = match seen {
            Seen::Told(found) => found,
            Seen::Nothing(marks) => Found::Fetched(Sendable::default(), marks, Records::None),
            Seen::Readable { records, marks, max_bytes } => match self.read(records, self.limit(max_bytes, most)) {
                Ok(records) => return self.add_records(records, marks),
                Err(code) => Found::Error(code),
            },
        };
        self.add(found);
    }

    /// Adds what there is room for of what a partition has to give.
    fn add_records(&mut self, mut records: Sendable, marks: Marks) {
        self.bound(&mut records);
        let given = if records.is_empty() { Records::Withheld } else { Records::Given };
        self.add(Found::Fetched(records, marks, given));
    }

    fn add(&mut self, found: Found) {
        match &found {
            Found::Fetched(records, ..) => {
                self.bytes += records.byte_length();
                self.files += usize::from(!records.spans.is_empty());
                self.copies += records.copy.len();
            }
            Found::Unknown(_) => {}
            Found::Diverging(..) | Found::Fenced(_) | Found::Error(_) => self.has_news = true,
        }
        self.found.push(found);
    }

    /// Leaves out records in memory for which there is no room; but an answer that has nothing yet has one batch.
    fn bound(&mut self, records: &mut Sendable) {
        let bytes = records.batches.iter().map(Batch::byte_length).sum();
        if bytes <= FEW_REMEMBERED_BYTES {
            return;
        }
        match self.room.take(bytes) {
            Some(room) => self.taken.push(room),
            None => records.batches.truncate(usize::from(self.bytes == 0 && !records.borrows())),
        }
    }

    /// Whether it holds as much out of files as one answer may.
    fn has_enough(&self) -> bool {
        self.files >= FILES_MAX || self.copies >= COPIES_MAX
    }

    /// How many bytes the next partition may have.
    fn limit(&self, max_bytes: Limit, most: Limit) -> Limit {
        Some(max_bytes?.min(most?.saturating_sub(self.bytes)))
    }

    /// Whether its first batch is given whatever its size: as long as the answer has none.
    fn first(&self) -> FirstBatch {
        if self.bytes == 0 { FirstBatch::Always } else { FirstBatch::IfItFits }
    }

    fn read(&self, records: Reading, limit: Limit) -> Result<Sendable, ErrorCode> {
        let within_limit = ReadLimit { bytes: limit.unwrap_or(0), first: self.first() };
        let records = match records {
            Reading::Memory(batches) => within(batches, within_limit).into(),
            Reading::Files(_) if self.has_enough() => Sendable::default(),
            Reading::Files(files) => match files.read_to_send(within_limit, self.now) {
                Ok(records) => records,
                Err(error) => {
                    tracing::error!(%error, "records can't be read");
                    return Err(ErrorCode::CorruptMessage);
                }
            },
        };
        if limit.is_none() && !records.is_empty() {
            return Err(ErrorCode::UnknownServerError);
        }
        Ok(records)
    }
}

impl Plan {
    /// Reads every partition within the limits: from memory, and where one may block from files, if one is behind.
    pub(super) async fn look(&self, shared: &Shared) -> Look {
        let mut seen: VecDeque<Seen> = self.wanted.iter().map(|wanted| self.see(wanted)).collect();
        let (now, room) = (shared.world.clock.now(), shared.memory.remembered().clone());
        let mut look = Look {
            found: Vec::with_capacity(seen.len()),
            bytes: 0,
            has_news: false,
            files: 0,
            copies: 0,
            room,
            taken: Vec::new(),
            now,
            read_at: now,
        };
        let most = self.max_bytes;
        look.take_here(&mut seen, most);
        if seen.is_empty() {
            look.read_at = shared.world.clock.now();
            return look;
        }
        let rest = move || {
            seen.into_iter().for_each(|seen| look.take(seen, most));
            look
        };
        let look = shared.world.offload(rest).await;
        Look { read_at: shared.world.clock.now(), ..look }
    }

    fn see(&self, wanted: &Wanted) -> Seen {
        let partition = match &wanted.source {
            Ok(partition) => partition,
            Err(Absent::Unknown(code)) => return Seen::Told(Found::Unknown(*code)),
            Err(Absent::Deleted) => return Seen::Told(Found::Error(ReadError::Deleted.code())),
        };
        wanted.rearm();
        let bytes = self.max_bytes.and_then(|most| Some(wanted.max_bytes?.min(most))).unwrap_or(0);
        let read = partition.read(wanted.position, self.isolation, ReadLimit { bytes, first: FirstBatch::Always });
        Seen::Told(match read {
            Ok(Read { records: Reading::Memory(batches), marks }) if batches.is_empty() => return Seen::Nothing(marks),
            Ok(Read { records, marks }) => return Seen::Readable { records, marks, max_bytes: wanted.max_bytes },
            Err(ReadError::Diverging(known)) => {
                let ends = EpochEndOffset { epoch: known.epoch, end_offset: known.end, ..Default::default() };
                Found::Diverging(ends, partition.marks())
            }
            Err(ReadError::Epoch(EpochError::Fenced)) => Found::Fenced(partition.marks().epoch),
            Err(error) => Found::Error(error.code()),
        })
    }
}

impl Found {
    /// What of it a session has to know.
    pub(super) fn told(&self) -> Told {
        match self {
            Found::Fetched(_, marks, records) => {
                Told::Marks { high_watermark: marks.high_watermark, log_start: marks.log_start, records: *records }
            }
            Found::Diverging(..) | Found::Fenced(_) | Found::Error(_) | Found::Unknown(_) => Told::Always,
        }
    }
}
