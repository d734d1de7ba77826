//! Request frames out of a stream of bytes.
//!
//! A connection without a partial frame holds no buffer: bytes are first read into memory that the thread lends. What
//! a large frame needs grows with what has arrived of it, and is covered by a permit before it is read.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use thalweg_wire::frame::{FrameError, frame_length};
use thalweg_world::net::Stream;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use crate::budgets::{Permit, RequestMemory, SMALL_FRAME_BYTES};

const PREFIX_BYTES: usize = 4;

/// What is read at a time when memory is scarce: all that a new peer can make us hold before it has a permit.
const CAUTIOUS_READ_BYTES: usize = 4 << 10;

thread_local! {
    static LENT: RefCell<Box<[u8]>> = RefCell::new(vec![0; SMALL_FRAME_BYTES].into_boxed_slice());
}

/// A request's bytes without the length, and the permit that covers them.
pub struct Frame {
    /// Header and body.
    pub bytes: Bytes,
    /// Returns the memory when it is dropped.
    pub permit: Permit,
}

/// Why no frame comes any more.
#[derive(Debug)]
pub enum NoFrame {
    /// The peer closed the connection between two frames.
    Closed,
    /// The peer went away in the middle of one, or the network failed.
    Io(io::Error),
    /// The bytes are no frame.
    Invalid(FrameError),
}

/// The frames of one connection.
pub struct Frames {
    limit: usize,
    buffer: BytesMut,
    permit: Permit,
}

impl Frames {
    /// Frames of at most `limit` bytes each.
    pub fn new(limit: usize) -> Frames {
        Frames { limit, buffer: BytesMut::new(), permit: Permit::default() }
    }

    /// Whether a frame has begun to arrive.
    pub fn is_mid_frame(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next frame. Dropping the future loses nothing.
    pub async fn next(&mut self, stream: &mut Stream, memory: &RequestMemory) -> Result<Frame, NoFrame> {
        loop {
            let declared = match self.buffer.first_chunk() {
                Some(prefix) => Some(frame_length(*prefix, self.limit).map_err(NoFrame::Invalid)?),
                None => None,
            };
            let class = declared.unwrap_or(0);
            memory.cover(&mut self.permit, self.buffer.len(), class).await;
            if let Some(length) = declared
                && self.buffer.len() >= PREFIX_BYTES + length
            {
                return Ok(self.take(length));
            }
            let read = if class > SMALL_FRAME_BYTES {
                let missing = PREFIX_BYTES + class - self.buffer.len();
                let more = missing.min(self.buffer.len().max(SMALL_FRAME_BYTES));
                memory.cover(&mut self.permit, self.buffer.len() + more, class).await;
                self.buffer.reserve(more);
                let mut room = (&mut self.buffer).limit_to(more);
                stream.read_buf(&mut room).await
            } else {
                let most = if memory.is_roomy() { SMALL_FRAME_BYTES } else { CAUTIOUS_READ_BYTES };
                poll_fn(|context| poll_read_lent(stream, context, most, &mut self.buffer)).await
            };
            match read {
                Ok(0) if self.buffer.is_empty() => return Err(NoFrame::Closed),
                Ok(0) => return Err(NoFrame::Io(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) => return Err(NoFrame::Io(error)),
            }
        }
    }

    fn take(&mut self, length: usize) -> Frame {
        let mut bytes = self.buffer.split_to(PREFIX_BYTES + length).freeze();
        let bytes = bytes.split_off(PREFIX_BYTES);
        let mut permit = std::mem::take(&mut self.permit);
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        } else {
            // The bytes behind the frame are the next one's: they take their part of the permit along.
            self.permit = permit.split(self.buffer.len());
        }
        Frame { bytes, permit }
    }
}

/// Reads into the thread's memory and copies what came behind the buffer's end.
fn poll_read_lent(
    stream: &mut Stream,
    context: &mut Context<'_>,
    most: usize,
    buffer: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    LENT.with_borrow_mut(|lent| {
        let mut read = ReadBuf::new(&mut lent[..most]);
        ready!(Pin::new(stream).poll_read(context, &mut read))?;
        buffer.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    })
}

/// A buffer that takes no more than a number of bytes, so that the allocator's generosity is not the peer's.
trait LimitTo: Sized {
    fn limit_to(self, bytes: usize) -> bytes::buf::Limit<Self>;
}

impl LimitTo for &mut BytesMut {
    fn limit_to(self, bytes: usize) -> bytes::buf::Limit<Self> {
        bytes::BufMut::limit(self, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    fn pair() -> (Stream, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        (Box::new(ours), theirs)
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32).to_be_bytes(), body].concat()
    }

    #[tokio::test]
    async fn frames_come_out_whole_however_they_arrive() {
        let memory = RequestMemory::default();
        let (mut ours, mut theirs) = pair();
        let bodies: Vec<Vec<u8>> =
            [1, 10, 70_000, 3, 300_000, 64 << 10].map(|length| vec![length as u8; length]).into();
        let sent: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
        let sender = tokio::spawn(async move {
            for piece in sent.chunks(9_973) {
                theirs.write_all(piece).await.unwrap();
            }
        });
        let mut frames = Frames::new(1 << 20);
        for body in bodies {
            assert_eq!(frames.next(&mut ours, &memory).await.unwrap().bytes, body);
        }
        sender.await.unwrap();
        assert!(matches!(frames.next(&mut ours, &memory).await, Err(NoFrame::Closed)));
        assert!(!frames.is_mid_frame());
        assert_eq!(memory.in_use(), 0, "an idle connection holds no memory");
    }

    #[tokio::test]
    async fn a_declared_length_is_not_believed_before_the_bytes_come() {
        let memory = RequestMemory::default();
        let (mut ours, mut theirs) = pair();
        theirs.write_all(&[0x05, 0xf5, 0xe1, 0x00, 1, 2, 3]).await.unwrap(); // 100,000,000 bytes, three of them sent
        let mut frames = Frames::new(104_857_600);
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), frames.next(&mut ours, &memory)).await;
        assert!(waiting.is_err());
        assert!(memory.in_use() <= 2 * SMALL_FRAME_BYTES, "{} bytes for seven", memory.in_use());
        drop(theirs);
        assert!(matches!(frames.next(&mut ours, &memory).await, Err(NoFrame::Io(_))));
    }

    #[tokio::test]
    async fn what_is_no_frame_is_refused_at_its_length() {
        for prefix in [0i32, -1, i32::MIN, 1001, i32::from_be_bytes(*b"GET ")] {
            let (mut ours, mut theirs) = pair();
            theirs.write_all(&prefix.to_be_bytes()).await.unwrap();
            let outcome = Frames::new(1000).next(&mut ours, &RequestMemory::default()).await;
            assert!(matches!(outcome, Err(NoFrame::Invalid(_))), "{prefix}");
        }
    }
}
