//! An answer, and how its bytes leave: out of memory, or out of the files that some of them stay in.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use thalweg_log::segment::FileSpan;
use thalweg_wire::Moment;
use thalweg_wire::codec::{Encoded, Piece};
use thalweg_world::net::Stream;
use thalweg_world::{Clock, World};
use tokio::io::AsyncWrite;
use tokio::sync::OwnedSemaphorePermit;

/// Pieces in one vectored write: the kernel takes 1,024.
const PIECES_MAX: usize = 64;

/// How long it is taken for granted that what was read is still in memory. What is sent later is read again first, where
/// one may block: who sends must not wait for a disk, and nothing is served that the disk spoilt meanwhile.
const WARM_FOR: Duration = Duration::from_millis(100);

/// An answer.
pub struct Reply {
    encoded: Encoded,
    /// What it has elsewhere, in order.
    spans: Vec<FileSpan>,
    /// When they were read.
    read_at: Moment,
    /// Room that is free again when it is sent.
    room: Vec<OwnedSemaphorePermit>,
}

/// Answers that leave together, in order.
#[derive(Default)]
pub struct Outgoing {
    parts: VecDeque<Part>,
    bytes: usize,
    in_turn: bool,
    room: Vec<OwnedSemaphorePermit>,
}

enum Part {
    Here(Bytes),
    InFile { span: Arc<FileSpan>, sent: usize, read_at: Moment },
}

impl Reply {
    /// An answer of which some bytes are in files that were read just now.
    ///
    /// # Panics
    /// If the spans are not what the answer has elsewhere.
    pub fn new(encoded: Encoded, spans: Vec<FileSpan>, read_at: Moment) -> Reply {
        let elsewhere = |piece: &Piece| if let Piece::Elsewhere(bytes) = piece { *bytes } else { 0 };
        let missing: usize = encoded.pieces().iter().map(elsewhere).sum();
        assert_eq!(missing, spans.iter().map(FileSpan::byte_length).sum::<usize>(), "other bytes than the answer says");
        Reply { encoded, spans, read_at, room: Vec::new() }
    }

    /// The same, with room that it takes until it is sent.
    pub fn with(mut self, room: Vec<OwnedSemaphorePermit>) -> Reply {
        self.room.extend(room);
        self
    }

    /// Its size, in bytes.
    pub fn len(&self) -> usize {
        self.encoded.len()
    }

    /// Whether there is no byte in it.
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// One contiguous copy of an answer that is in memory.
    #[cfg(test)]
    pub fn into_bytes(self) -> Bytes {
        self.encoded.into_bytes()
    }
}

impl From<Encoded> for Reply {
    fn from(encoded: Encoded) -> Reply {
        Reply::new(encoded, Vec::new(), Moment::ZERO)
    }
}

impl Outgoing {
    /// Puts an answer behind those that are there.
    pub fn push(&mut self, reply: Reply) {
        let Reply { encoded, spans, read_at, room } = reply;
        self.room.extend(room);
        self.bytes += encoded.len();
        self.in_turn |= encoded.is_kept();
        let mut spans = spans.into_iter();
        for piece in encoded.into_pieces() {
            match piece {
                Piece::Here(bytes) => self.parts.push_back(Part::Here(bytes)),
                Piece::Elsewhere(mut bytes) => {
                    while bytes > 0
                        && let Some(span) = spans.next()
                    {
                        bytes -= span.byte_length();
                        self.parts.push_back(Part::InFile { span: Arc::new(span), sent: 0, read_at });
                    }
                }
            }
        }
    }

    /// Bytes of all answers that were put here.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether others wait until one of them is sent: see `groups::answers`.
    pub fn is_in_turn(&self) -> bool {
        self.in_turn
    }

    /// Whether all is sent.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Reads again what is next, if it was read too long ago.
    ///
    /// # Errors
    /// What is next can't be sent any more.
    pub async fn warm(&mut self, world: &World) -> io::Result<()> {
        if !self.is_stale(world.clock.now()) {
            return Ok(());
        }
        let Some(Part::InFile { span, sent, read_at }) = self.parts.front_mut() else { return Ok(()) };
        let (again, sent) = (span.clone(), *sent);
        world.offload(move || again.check_again(sent)).await.map_err(|error| {
            tracing::error!(%error, "records can't be read");
            io::Error::other(error)
        })?;
        *read_at = world.clock.now();
        Ok(())
    }

    fn is_stale(&self, now: Moment) -> bool {
        matches!(self.parts.front(), Some(Part::InFile { read_at, .. }) if now.since(*read_at) > WARM_FOR)
    }

    /// Sends some of it, and says how many bytes; `None` if what is next was read too long ago, also if that happened while
    /// the peer took nothing.
    pub fn poll_send(
        &mut self,
        stream: &mut Stream,
        clock: &dyn Clock,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<usize>>> {
        let sent = match self.parts.front() {
            Some(Part::InFile { .. }) if self.is_stale(clock.now()) => return Poll::Ready(Ok(None)),
            Some(Part::InFile { span, sent, .. }) => {
                let (at, left) = (span.position() + *sent as u64, span.byte_length() - sent);
                ready!(Pin::new(&mut **stream).poll_send_file(context, span.file(), at, left))?
            }
            _ => {
                let mut slices = [IoSlice::new(&[]); PIECES_MAX];
                let mut count = 0;
                for part in self.parts.iter().take(PIECES_MAX) {
                    let Part::Here(bytes) = part else { break };
                    slices[count] = IoSlice::new(bytes);
                    count += 1;
                }
                ready!(Pin::new(stream).poll_write_vectored(context, &slices[..count]))?
            }
        };
        self.advance(sent);
        Poll::Ready(Ok(Some(sent)))
    }

    fn advance(&mut self, mut sent: usize) {
        while let Some(part) = self.parts.front_mut() {
            let left = part.left();
            if sent < left {
                return part.advance(sent);
            }
            sent -= left;
            self.parts.pop_front();
        }
    }
}

impl Part {
    fn left(&self) -> usize {
        match self {
            Part::Here(bytes) => bytes.len(),
            Part::InFile { span, sent, .. } => span.byte_length() - sent,
        }
    }

    fn advance(&mut self, more: usize) {
        match self {
            Part::Here(bytes) => bytes.advance(more),
            Part::InFile { sent, .. } => *sent += more,
        }
    }
}
