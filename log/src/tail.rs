//! The newest batches of a log, in memory, in the order of their offsets.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use thalweg_wire::Offset;
use thalweg_wire::batch::Batch;

/// Batches from some offset to the end of the log, without a gap.
#[derive(Default, Debug)]
pub struct Tail {
    batches: VecDeque<Batch>,
    bytes: usize,
}

impl Tail {
    /// Puts a batch at the end.
    pub fn push(&mut self, batch: Batch) {
        self.bytes += batch.byte_length();
        self.batches.push_back(batch);
    }

    /// Takes away every batch that begins at `to` or above, and one that contains it.
    pub fn cut(&mut self, to: Offset) {
        while self.batches.back().is_some_and(|batch| batch.last_offset() >= to) {
            if let Some(batch) = self.batches.pop_back() {
                self.bytes -= batch.byte_length();
            }
        }
    }

    /// Lets go of every batch that ends below `offset`.
    pub fn forget(&mut self, offset: Offset) {
        while self.batches.front().is_some_and(|batch| batch.last_offset() < offset) {
            if let Some(batch) = self.batches.pop_front() {
                self.bytes -= batch.byte_length();
            }
        }
    }

    /// The batches from the one that contains `offset` on; the next one if a deletion made a hole there.
    pub fn from(&self, offset: Offset) -> impl Iterator<Item = &Batch> {
        let first = self.batches.partition_point(|batch| batch.last_offset() < offset);
        self.batches.range(first..)
    }

    /// All batches, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Batch> {
        self.batches.iter().rev()
    }

    /// The newest batch.
    pub fn last(&self) -> Option<&Batch> {
        self.batches.back()
    }

    /// Bytes of all batches.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The size of the blocks that small batches share, in bytes.
const BLOCK_BYTES: usize = 64 << 10;

/// Batches of this size and above get memory of their own.
const ALONE_BYTES: usize = BLOCK_BYTES / 4;

/// Memory for the batches of one request.
///
/// A log keeps its records for longer than the request lives, and a batch of 100 B must not hold a frame of 100 MiB: so
/// records are copied here once, small ones together.
#[derive(Debug)]
pub struct Blocks {
    open: BytesMut,
    /// Bytes of small batches still to come, which the next block is made for.
    expected: usize,
}

impl Blocks {
    /// For batches of these sizes.
    pub fn for_batches(sizes: impl Iterator<Item = usize>) -> Blocks {
        Blocks { open: BytesMut::new(), expected: sizes.filter(|&size| size < ALONE_BYTES).sum() }
    }

    /// A copy that holds on to no more than a block's worth of memory.
    pub fn keep(&mut self, bytes: &Bytes) -> Bytes {
        if bytes.len() >= ALONE_BYTES {
            return Bytes::copy_from_slice(bytes);
        }
        if self.open.capacity() < bytes.len() {
            self.open = BytesMut::with_capacity(self.expected.clamp(bytes.len(), BLOCK_BYTES));
        }
        self.expected = self.expected.saturating_sub(bytes.len());
        self.open.extend_from_slice(bytes);
        self.open.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::batch::Header;

    fn batch(base: i64, count: i32) -> Batch {
        let mut header = Header::from_bytes([0; 61]);
        header.set_base_offset(Offset(base));
        header.set_last_offset_delta(count - 1);
        Batch::new(header, Bytes::from_static(&[0; 10]))
    }

    fn tail() -> Tail {
        let mut tail = Tail::default();
        [batch(10, 5), batch(15, 1), batch(16, 4)].into_iter().for_each(|batch| tail.push(batch));
        tail
    }

    fn bases(tail: &Tail, from: i64) -> Vec<i64> {
        tail.from(Offset(from)).map(|batch| batch.base_offset().0).collect()
    }

    #[test]
    fn reading_begins_with_the_batch_that_holds_the_offset() {
        let tail = tail();
        assert_eq!(bases(&tail, 10), [10, 15, 16]);
        assert_eq!(bases(&tail, 14), [10, 15, 16]);
        assert_eq!(bases(&tail, 15), [15, 16]);
        assert_eq!(bases(&tail, 19), [16]);
        assert_eq!(bases(&tail, 20), Vec::<i64>::new());
    }

    #[test]
    fn a_cut_and_a_forgetting_take_whole_batches_and_count_their_bytes() {
        let mut tail = tail();
        tail.cut(Offset(17));
        assert_eq!((bases(&tail, 0), tail.bytes()), (vec![10, 15], 2 * 71));
        tail.forget(Offset(12));
        assert_eq!(bases(&tail, 0), [10, 15], "a batch that is still needed in part stays");
        tail.forget(Offset(15));
        assert_eq!((bases(&tail, 0), tail.bytes()), (vec![15], 71));
    }

    #[test]
    fn small_batches_share_a_block_and_large_ones_stand_alone() {
        let small = Bytes::from(vec![1; 1000]);
        let large = Bytes::from(vec![2; ALONE_BYTES]);
        let mut blocks = Blocks::for_batches([1000, ALONE_BYTES, 1000].into_iter());
        let (first, second, third) = (blocks.keep(&small), blocks.keep(&large), blocks.keep(&small));
        assert_eq!((&first, &second, &third), (&small, &large, &small));
        assert_eq!(third.as_ptr() as usize - first.as_ptr() as usize, 1000);
        assert!(second.is_unique());
    }
}
