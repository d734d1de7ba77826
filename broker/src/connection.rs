//! One connection: requests in, answers out, in the order of the requests.
//!
//! Produce and Fetch are pipelined: the order is fixed when a request is taken, its answer comes when it comes, and the
//! next request is read meanwhile. Every other request is a barrier, as in Kafka: it begins when all before it are
//! answered, and is answered before the next is read.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::ready;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use thalweg_wire::Moment;
use thalweg_wire::codec::Encoded;
use thalweg_world::BoxFuture;
use thalweg_world::net::Stream;
use tokio::io::AsyncWrite;
use tokio::sync::watch;

use crate::broker::{Advertised, Shared};
use crate::frames::{Frame, Frames, NoFrame};
use crate::handlers::{self, Answer, Flow, Request};

/// Requests taken and not yet answered. Past it the socket is not read: back-pressure. Clients send five (Java) or as
/// many as they like (librdkafka).
const PIPELINE_MAX: usize = 256;

/// Answers are sent together up to this many bytes.
const GATHER_BYTES: usize = 1 << 20;

/// Pieces in one vectored write: the kernel takes 1,024.
const PIECES_MAX: usize = 64;

/// Serves a connection until either side ends it. Never fails: what goes wrong with a peer ends at its connection.
pub async fn serve(
    shared: Arc<Shared>,
    mut stream: Stream,
    peer: SocketAddr,
    advertised: Arc<Advertised>,
    mut stopping: watch::Receiver<bool>,
) {
    let ended = Connection::new(&shared, peer, advertised).run(&mut stream, &mut stopping).await;
    match ended {
        Ended::ByPeer => tracing::debug!(%peer, "connection closed"),
        Ended::ByUs(reason) => tracing::debug!(%peer, %reason, "connection closed by the broker"),
    }
}

enum Ended {
    ByPeer,
    ByUs(String),
}

struct Connection<'a> {
    shared: &'a Arc<Shared>,
    peer: SocketAddr,
    advertised: Arc<Advertised>,
    frames: Frames,
    /// Answers on their way, in the order of their requests.
    answers: VecDeque<Pending>,
    /// When the peer last sent or took something.
    active: Moment,
}

/// An answer that may still have to wait. The request's memory is held as long.
struct Pending {
    answer: BoxFuture<'static, Option<Encoded>>,
}

/// What happens next on a connection.
enum Next {
    Answer(Option<Encoded>),
    Frame(Result<Frame, NoFrame>),
    Stop,
    Idle,
}

impl<'a> Connection<'a> {
    fn new(shared: &'a Arc<Shared>, peer: SocketAddr, advertised: Arc<Advertised>) -> Connection<'a> {
        let frames = Frames::new(shared.settings.requests.frame_bytes);
        Connection { shared, peer, advertised, frames, answers: VecDeque::new(), active: shared.world.clock.now() }
    }

    async fn run(mut self, stream: &mut Stream, stopping: &mut watch::Receiver<bool>) -> Ended {
        let idle_after = idle_after(self.shared);
        let clock = self.shared.world.clock.clone();
        let mut idle = clock.sleep(idle_after);
        let mut stop = *stopping.borrow();
        loop {
            if stop && self.answers.is_empty() {
                return Ended::ByUs("the broker stops".to_owned());
            }
            let may_read = !stop && self.answers.len() < PIPELINE_MAX;
            let next = tokio::select! {
                biased;
                answer = front(&mut self.answers) => Next::Answer(answer),
                frame = self.frames.next(stream, &self.shared.memory), if may_read => Next::Frame(frame),
                _ = stopping.wait_for(|stopping| *stopping), if !stop => Next::Stop,
                () = &mut idle => Next::Idle,
            };
            match next {
                Next::Answer(answer) => {
                    let answers = self.gather(answer);
                    if let Err(error) = self.send(stream, answers).await {
                        return Ended::ByUs(format!("an answer can't be sent: {error}"));
                    }
                    self.active = clock.now();
                }
                Next::Frame(Ok(frame)) => {
                    self.active = clock.now();
                    if let Err(reason) = self.take(stream, frame).await {
                        // Answers to what was taken before still go out, as far as they are ready.
                        let ready = self.gather(None);
                        let _ = self.send(stream, ready).await;
                        return Ended::ByUs(reason);
                    }
                }
                Next::Frame(Err(NoFrame::Closed)) => return Ended::ByPeer,
                Next::Frame(Err(NoFrame::Io(error))) => return Ended::ByUs(error.to_string()),
                Next::Frame(Err(NoFrame::Invalid(error))) => return Ended::ByUs(error.to_string()),
                Next::Stop => stop = true,
                Next::Idle => {
                    let until = self.active + idle_after;
                    if clock.now() >= until && self.answers.is_empty() {
                        return Ended::ByUs("idle for connections.max.idle.ms".to_owned());
                    }
                    idle = clock.sleep_until(until.max(clock.now() + idle_after / 8));
                }
            }
        }
    }

    /// Takes a request: fixes its place in the order, and queues its answer.
    async fn take(&mut self, stream: &mut Stream, frame: Frame) -> Result<(), String> {
        let request = Request::parse(frame, self.peer, &self.advertised)?;
        if request.flow() == Flow::Barrier {
            while !self.answers.is_empty() {
                let answer = front(&mut self.answers).await;
                let answers = self.gather(answer);
                self.send(stream, answers).await.map_err(|error| error.to_string())?;
            }
        }
        match handlers::handle(self.shared, request).await? {
            Answer::None => {}
            Answer::Now(answer) => {
                self.answers.push_back(Pending { answer: Box::pin(std::future::ready(Some(answer))) });
            }
            Answer::Later(answer) => self.answers.push_back(Pending { answer }),
        }
        Ok(())
    }

    /// The answer, and those behind it that are ready as well.
    fn gather(&mut self, first: Option<Encoded>) -> Vec<Bytes> {
        let mut bytes = first.as_ref().map_or(0, Encoded::len);
        let mut pieces = first.map_or_else(Vec::new, Encoded::into_pieces);
        while bytes < GATHER_BYTES
            && let Some(pending) = self.answers.front_mut()
            && let Some(answer) = (&mut pending.answer).now_or_never()
        {
            self.answers.pop_front();
            bytes += answer.as_ref().map_or(0, Encoded::len);
            pieces.extend(answer.into_iter().flat_map(Encoded::into_pieces));
        }
        pieces
    }

    /// Sends pieces; a peer that takes nothing for the idle time is given up.
    async fn send(&mut self, stream: &mut Stream, pieces: Vec<Bytes>) -> io::Result<()> {
        let mut pieces = VecDeque::from(pieces);
        let clock = &self.shared.world.clock;
        while !pieces.is_empty() {
            let mut write = std::pin::pin!(poll_fn(|context| {
                let mut slices = [IoSlice::new(&[]); PIECES_MAX];
                let mut count = 0;
                for piece in pieces.iter().take(PIECES_MAX) {
                    slices[count] = IoSlice::new(piece);
                    count += 1;
                }
                let written = ready!(Pin::new(&mut *stream).poll_write_vectored(context, &slices[..count]))?;
                std::task::Poll::Ready(io::Result::Ok(written))
            }));
            let written = match (&mut write).now_or_never() {
                Some(written) => written?,
                None => tokio::select! {
                    biased;
                    written = write => written?,
                    () = clock.sleep(idle_after(self.shared)) => return Err(io::ErrorKind::TimedOut.into()),
                },
            };
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            advance(&mut pieces, written);
        }
        Ok(())
    }
}

/// `connections.max.idle.ms`; without one, a year, which no connection lives.
fn idle_after(shared: &Shared) -> Duration {
    shared.settings.connections.idle.unwrap_or(Duration::from_hours(365 * 24))
}

/// The answer at the front, once it is there; never, if none is on its way.
async fn front(answers: &mut VecDeque<Pending>) -> Option<Encoded> {
    let Some(pending) = answers.front_mut() else { return std::future::pending().await };
    let answer = (&mut pending.answer).await;
    answers.pop_front();
    answer
}

fn advance(pieces: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(piece) = pieces.front_mut() {
        if written < piece.len() {
            piece.advance(written);
            return;
        }
        written -= piece.len();
        pieces.pop_front();
    }
}
