//! A look at partitions: what each has for the reader, within the limits of the whole answer.

use thalweg_log::log::{FirstBatch, ReadLimit, Reading, within};
use thalweg_messages::fetch::EpochEndOffset;
use thalweg_wire::batch::Batch;
use thalweg_wire::{ErrorCode, LeaderEpoch};

use super::{Absent, Limit, Plan, Wanted};
use crate::broker::Shared;
use crate::fetch_session::{Records, Told};
use crate::partition::{EpochError, Marks, Read, ReadError};

/// What one look at all partitions gave.
pub(super) struct Look {
    pub(super) found: Vec<Found>,
    pub(super) bytes: usize,
    /// Whether there is an error to tell, or a diverging epoch.
    pub(super) has_news: bool,
}

pub(super) enum Found {
    Fetched(Vec<Batch>, Marks, Records),
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

impl Look {
    /// Takes what fits into `most` bytes, in the order of the request. Blocks if something is in files.
    fn of(seen: Vec<Seen>, most: Limit) -> Look {
        let mut look = Look { found: Vec::with_capacity(seen.len()), bytes: 0, has_news: false };
        for seen in seen {
            let found = match seen {
                Seen::Told(found) => found,
                Seen::Nothing(marks) => Found::Fetched(Vec::new(), marks, Records::None),
                Seen::Readable { records, marks, max_bytes } => look.take(records, marks, max_bytes, most),
            };
            match &found {
                Found::Fetched(batches, ..) => look.bytes += batches.iter().map(Batch::byte_length).sum::<usize>(),
                Found::Unknown(_) => {}
                Found::Diverging(..) | Found::Fenced(_) | Found::Error(_) => look.has_news = true,
            }
            look.found.push(found);
        }
        look
    }

    fn take(&self, records: Reading, marks: Marks, max_bytes: Limit, most: Limit) -> Found {
        let first = if self.bytes == 0 { FirstBatch::Always } else { FirstBatch::IfItFits };
        let limit = most.and_then(|most| Some(max_bytes?.min(most.saturating_sub(self.bytes))));
        let within_limit = ReadLimit { bytes: limit.unwrap_or(0), first };
        let batches = match records {
            Reading::Memory(batches) => within(batches, within_limit),
            Reading::Files(files) => match files.read(within_limit) {
                Ok(batches) => batches,
                Err(error) => {
                    tracing::error!(%error, "records can't be read");
                    return Found::Error(ErrorCode::CorruptMessage);
                }
            },
        };
        if limit.is_none() && !batches.is_empty() {
            return Found::Error(ErrorCode::UnknownServerError);
        }
        let records = if batches.is_empty() { Records::Withheld } else { Records::Given };
        Found::Fetched(batches, marks, records)
    }
}

/// Bytes of files that are read without another thread, if the page cache has them: about 0.2 ms of work.
const READ_HERE_BYTES: usize = 1 << 20;

/// Reads what is in files if nothing of it has to be waited for, and no more is asked for than may be read here: whoever
/// asks for more gets it, from a thread that may block. What is not read here stays as it is.
fn read_here(seen: &mut [Seen], most: Limit) {
    let mut left = READ_HERE_BYTES;
    for seen in seen {
        let Seen::Readable { records, max_bytes, .. } = seen else { continue };
        let limit = most.zip(*max_bytes).map_or(0, |(most, max_bytes)| most.min(max_bytes));
        let Reading::Files(files) = records else { continue };
        let Some(batches) = (limit <= left).then(|| files.read_cached(limit)).flatten() else { return };
        left -= limit;
        *records = Reading::Memory(batches);
    }
}

impl Plan {
    /// Reads every partition within the limits: from memory, and where one may block from files, if one is behind.
    pub(super) async fn look(&self, shared: &Shared) -> Look {
        let mut seen: Vec<Seen> = self.wanted.iter().map(|wanted| self.see(wanted)).collect();
        let most = self.max_bytes;
        read_here(&mut seen, most);
        if seen.iter().any(|seen| matches!(seen, Seen::Readable { records: Reading::Files(_), .. })) {
            shared.world.offload(move || Look::of(seen, most)).await
        } else {
            Look::of(seen, most)
        }
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
