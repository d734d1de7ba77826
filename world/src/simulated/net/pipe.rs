//! One direction of a simulated connection: bytes on their way, bounded, in order, each piece readable at its moment.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::super::rng::Rng;
use super::Traffic;
use crate::net::Duplex;

/// What has happened to a direction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Open,
    /// The writer has ended; what is on its way still arrives.
    Ended,
    /// The reader is gone: writing fails.
    Unread,
    /// Cut: both ends are told.
    Reset,
    /// Half open: nothing arrives any more, and nobody is told.
    Silent,
}

pub(super) struct Pipe {
    pieces: VecDeque<Piece>,
    bytes: usize,
    pub(super) condition: Condition,
    traffic: Traffic,
    rng: Rng,
    /// Of the last piece: later ones don't overtake it.
    arrives: Instant,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

struct Piece {
    bytes: VecDeque<u8>,
    arrives: Instant,
}

pub(super) type SharedPipe = Arc<Mutex<Pipe>>;

impl Pipe {
    pub(super) fn new(traffic: Traffic, rng: Rng) -> SharedPipe {
        Arc::new(Mutex::new(Pipe {
            pieces: VecDeque::new(),
            bytes: 0,
            condition: Condition::Open,
            traffic,
            rng,
            arrives: Instant::now(),
            reader: None,
            writer: None,
        }))
    }

    /// Changes the condition, if it is not a final one already, and wakes whoever waits.
    pub(super) fn becomes(&mut self, condition: Condition) {
        if matches!(self.condition, Condition::Reset) {
            return;
        }
        self.condition = condition;
        if matches!(condition, Condition::Reset | Condition::Silent | Condition::Unread) {
            self.pieces.clear();
            self.bytes = 0;
        }
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }

    fn write(&mut self, bytes: &[u8], context: &Context<'_>) -> Poll<io::Result<usize>> {
        match self.condition {
            Condition::Open => {}
            Condition::Ended | Condition::Unread => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Condition::Reset => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            // As a peer that has vanished: the buffer takes what fits, and then nothing, for ever.
            Condition::Silent => {}
        }
        let room = self.some_of((self.traffic.buffer_bytes - self.bytes).min(bytes.len()));
        if room == 0 && !bytes.is_empty() {
            self.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        self.arrives = self.arrives.max(Instant::now() + self.rng.span(&self.traffic.delay));
        self.pieces.push_back(Piece { bytes: bytes[..room].iter().copied().collect(), arrives: self.arrives });
        self.bytes += room;
        self.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(room))
    }

    fn read(&mut self, into: &mut ReadBuf<'_>, context: &Context<'_>) -> Poll<Result<(), Wait>> {
        if self.condition == Condition::Reset {
            return Poll::Ready(Err(Wait::Never(io::ErrorKind::ConnectionReset.into())));
        }
        while self.pieces.front().is_some_and(|piece| piece.bytes.is_empty()) {
            self.pieces.pop_front();
        }
        let Some(piece) = self.pieces.front().filter(|_| self.condition != Condition::Silent) else {
            if self.condition == Condition::Ended {
                return Poll::Ready(Ok(()));
            }
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        };
        if piece.arrives > Instant::now() {
            self.reader = Some(context.waker().clone());
            return Poll::Ready(Err(Wait::Until(piece.arrives)));
        }
        let most = piece.bytes.len().min(into.remaining());
        let count = self.some_of(most);
        let Some(piece) = self.pieces.front_mut() else { return Poll::Ready(Ok(())) };
        for byte in piece.bytes.drain(..count) {
            into.put_slice(&[byte]);
        }
        self.bytes -= count;
        self.writer.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }

    /// All that could be moved now, or less, so that nobody counts on a frame travelling in one piece.
    fn some_of(&mut self, most: usize) -> usize {
        if most > 0 && self.rng.happens(self.traffic.short) { self.rng.between(1..=most as u64) as usize } else { most }
    }

    /// One of the ends is through with it. A cut or a silence says more, and stays.
    fn end(&mut self, condition: Condition) {
        if matches!(self.condition, Condition::Open | Condition::Ended) {
            self.becomes(condition);
        }
    }

    fn is_struck(&mut self) -> bool {
        self.rng.happens(self.traffic.cut)
    }
}

/// Why a read gives nothing now.
enum Wait {
    Until(Instant),
    Never(io::Error),
}

/// One end of a connection.
pub(super) struct End {
    incoming: SharedPipe,
    outgoing: SharedPipe,
    /// Until the first piece arrives.
    arrival: Option<Pin<Box<Sleep>>>,
}

impl End {
    pub(super) fn new(incoming: SharedPipe, outgoing: SharedPipe) -> End {
        End { incoming, outgoing, arrival: None }
    }
}

impl Duplex for End {}

impl AsyncRead for End {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let outcome = lock(&self.incoming).read(into, context);
            match outcome {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(Wait::Never(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(Err(Wait::Until(moment))) => {
                    let arrival = self.arrival.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(moment)));
                    if arrival.deadline() != moment {
                        arrival.as_mut().reset(moment);
                    }
                    if arrival.as_mut().poll(context).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if lock(&self.outgoing).is_struck() {
            lock(&self.outgoing).becomes(Condition::Reset);
            lock(&self.incoming).becomes(Condition::Reset);
        }
        lock(&self.outgoing).write(bytes, context)
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.outgoing).end(Condition::Ended);
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        lock(&self.outgoing).end(Condition::Ended);
        lock(&self.incoming).end(Condition::Unread);
    }
}

pub(super) fn lock(pipe: &SharedPipe) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}
