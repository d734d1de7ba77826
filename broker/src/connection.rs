//! One connection: requests in, answers out, in the order of the requests.
//!
//! Produce and Fetch are pipelined: the order is fixed when a request is taken, its answer comes when it comes, and the
//! next request is read meanwhile. Every other request is a barrier, as in Kafka: it begins when all before it are
//! answered, and is answered before the next is read.
//!
//! Whoever waits for answers with a request in hand, or with the beginning of one, holds memory that others need. For that
//! there are places; a connection that finds none hurries what it waits for, and is closed where that doesn't help.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use thalweg_wire::Moment;
use thalweg_world::net::Stream;
use thalweg_world::{BoxFuture, Clock};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, watch};

use crate::broker::{Advertised, Shared};
use crate::budgets::{Permit, SMALL_FRAME_BYTES};
use crate::frames::{Frame, Frames, NoFrame, PREFIX_BYTES};
use crate::handlers::{self, Answer, Ending, Flow, Request, produce};
use crate::reply::{Outgoing, Reply};

/// Requests taken and not yet answered. Past it the socket is not read: back-pressure. Clients send five (Java) or as
/// many as they like (librdkafka).
const PIPELINE_MAX: usize = 256;

/// Bytes of finished answers behind one that waits. Past it the socket is not read either.
const FINISHED_BYTES_MAX: usize = 1 << 20;

/// Answers are sent together up to this many bytes.
const GATHER_BYTES: usize = 1 << 20;

/// How long a connection may wait with a request in hand, and no place for it. Answers that wait for more to say leave at
/// once then, so this is for the disk, and for a peer to take its answers.
const HURRIED_MAX: Duration = Duration::from_secs(5);

/// How long an answer may take that was gathered in a turn, which others wait for: see `groups::answers`.
const TURN_SEND_MAX: Duration = Duration::from_secs(30);

/// How much later than its idle time a silent connection may end. A busy one is looked at about once in its idle time,
/// whatever this is; it keeps one that says a word right before from being looked at again at once.
const IDLE_SLACK: Duration = Duration::from_millis(900);

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
        Ended::ByUs(reason) => {
            shared.metrics.connections_ended.count();
            tracing::debug!(%peer, %reason, "connection closed by the broker");
        }
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
    /// Bytes of those that are finished.
    finished_bytes: usize,
    /// When the peer last sent or took something.
    active: Moment,
    /// Told when no more requests are read, or when a request has no place to wait: answers that only wait for more to say
    /// leave then.
    ending: watch::Sender<bool>,
}

/// How a connection waits that has a request in hand.
enum Wait {
    /// In places of its own, however long it takes.
    Placed { _places: [OwnedSemaphorePermit; 2] },
    /// Without.
    Until(Moment),
}

impl Wait {
    fn until(wait: Option<&Wait>) -> Option<Moment> {
        match wait {
            Some(Wait::Until(until)) => Some(*until),
            Some(Wait::Placed { .. }) | None => None,
        }
    }
}

/// An answer that may still have to wait.
struct Pending {
    answer: BoxFuture<'static, Option<Reply>>,
    /// Its size if it is finished; else 0: it is made when its turn has come.
    finished_bytes: usize,
}

/// What happens next on a connection.
enum Next {
    Answer(Option<Reply>),
    Frame(Result<Frame, NoFrame>),
    Stop,
    Idle,
    Hurried,
}

impl<'a> Connection<'a> {
    fn new(shared: &'a Arc<Shared>, peer: SocketAddr, advertised: Arc<Advertised>) -> Connection<'a> {
        let frames = Frames::new(shared.settings.requests.frame_bytes);
        Connection {
            shared,
            peer,
            advertised,
            frames,
            answers: VecDeque::new(),
            finished_bytes: 0,
            active: shared.world.clock.now(),
            ending: watch::Sender::new(false),
        }
    }

    /// Reads requests until there are no more, and ends when what was taken is answered.
    async fn run(mut self, stream: &mut Stream, stopping: &mut watch::Receiver<bool>) -> Ended {
        let idle_after = idle_after(self.shared);
        let clock = self.shared.world.clock.clone();
        let mut idle = clock.sleep(idle_after);
        let mut end: Option<Ended> = None;
        let mut full: Option<Wait> = None;
        loop {
            if self.answers.is_empty()
                && let Some(end) = end
            {
                return end;
            }
            let reads = end.is_none();
            let has_room = self.answers.len() < PIPELINE_MAX && self.finished_bytes < FINISHED_BYTES_MAX;
            match &full {
                None if reads && !has_room && self.frames.is_mid_frame() => {
                    full = Some(self.wait_with(&Permit::default()));
                }
                Some(wait) if reads && has_room => {
                    self.waited(wait);
                    full = None;
                }
                _ => {}
            }
            let memory = &self.shared.memory;
            let next = tokio::select! {
                biased;
                answer = front(&mut self.answers, &mut self.finished_bytes) => Next::Answer(answer),
                frame = self.frames.next(stream, memory, &*clock), if reads && has_room => Next::Frame(frame),
                _ = stopping.wait_for(|stopping| *stopping), if reads => Next::Stop,
                () = &mut idle => Next::Idle,
                () = until(&*clock, Wait::until(full.as_ref())) => Next::Hurried,
            };
            let ended = match next {
                Next::Answer(answer) => {
                    let answers = self.gather(answer);
                    if let Err(error) = self.send(stream, answers, full.as_ref()).await {
                        return Ended::ByUs(format!("an answer can't be sent: {error}"));
                    }
                    None
                }
                Next::Frame(Ok(frame)) => {
                    self.active = clock.now();
                    self.take(stream, stopping, frame).await.err().map(Ended::ByUs)
                }
                Next::Frame(Err(no_frame)) => Some(no_frame.into()),
                Next::Hurried => Some(Ended::ByUs(self.no_place())),
                Next::Stop => Some(Ended::ByUs("the broker stops".to_owned())),
                Next::Idle => {
                    let until = self.active.max(self.frames.heard()) + idle_after;
                    if clock.now() >= until {
                        return Ended::ByUs("idle for connections.max.idle.ms".to_owned());
                    }
                    idle = clock.sleep_until(until.max(clock.now() + (idle_after / 8).min(IDLE_SLACK)));
                    None
                }
            };
            if ended.is_some() {
                // As in Kafka, whose connections take one request at a time, what came before is still answered.
                self.ending.send_replace(true);
                self.frames.forget();
                full = None;
                end = ended;
            }
        }
    }

    /// Takes a request: fixes its place in the order, and queues its answer.
    async fn take(
        &mut self,
        stream: &mut Stream,
        stopping: &mut watch::Receiver<bool>,
        frame: Frame,
    ) -> Result<(), String> {
        let ending = Ending::new(self.ending.subscribe());
        let request = Request::parse(frame, self.peer, &self.advertised, &ending)?;
        let key = request.head.key;
        self.shared.metrics.request(key, PREFIX_BYTES + request.byte_length());
        let mut turn = None;
        if request.flow() == Flow::Barrier {
            self.answer_all(stream, stopping, request.permit()).await?;
        }
        // Decoded, it may be many times as large; not a Produce, which is read where it lies. What it becomes has the permit
        // for its bytes, or a bound of its own.
        if key != produce::API.key && request.byte_length() > SMALL_FRAME_BYTES {
            turn = Some(self.turn(&request).await?);
        }
        let answer = handlers::handle(self.shared, request).await;
        let answer = answer.inspect_err(|_| self.shared.metrics.request_closed(key))?;
        drop(turn);
        match answer {
            Answer::None => {}
            Answer::Now(answer) => {
                let finished_bytes = answer.len();
                self.finished_bytes += finished_bytes;
                let answer = Box::pin(std::future::ready(Some(answer)));
                self.answers.push_back(Pending { answer, finished_bytes });
            }
            Answer::Later(answer) => self.answers.push_back(Pending { answer, finished_bytes: 0 }),
        }
        Ok(())
    }

    /// The turn of a large request. Without a place it doesn't wait long for it.
    async fn turn(&mut self, request: &Request) -> Result<OwnedMutexGuard<()>, String> {
        let (memory, clock) = (&self.shared.memory, &*self.shared.world.clock);
        if let Some(turn) = memory.turn(request.awaits()).now_or_never() {
            return Ok(turn);
        }
        let wait = self.place(request.permit());
        tokio::select! {
            biased;
            turn = memory.turn(request.awaits()) => Ok(turn),
            () = until(clock, Wait::until(Some(&wait))) => Err(self.no_place()),
        }
    }

    /// Waits for all answers, and sends them, while a request waits that this covers.
    async fn answer_all(
        &mut self,
        stream: &mut Stream,
        stopping: &mut watch::Receiver<bool>,
        request: &Permit,
    ) -> Result<(), String> {
        if self.answers.is_empty() {
            return Ok(());
        }
        let clock = self.shared.world.clock.clone();
        let wait = self.wait_with(request);
        while !self.answers.is_empty() {
            let answer = tokio::select! {
                biased;
                answer = front(&mut self.answers, &mut self.finished_bytes) => answer,
                () = clock.sleep(idle_after(self.shared)) => return Err("idle for connections.max.idle.ms".to_owned()),
                () = until(&*clock, Wait::until(Some(&wait))) => return Err(self.no_place()),
                _ = stopping.wait_for(|stopping| *stopping), if !*self.ending.borrow() => {
                    self.ending.send_replace(true);
                    continue;
                }
            };
            let answers = self.gather(answer);
            self.send(stream, answers, Some(&wait)).await.map_err(|error| error.to_string())?;
        }
        self.waited(&wait);
        Ok(())
    }

    /// To wait with a request in hand that this covers, and with what has arrived behind it. Without places, what waits for
    /// more to say leaves.
    fn wait_with(&self, request: &Permit) -> Wait {
        let wait = self.place(request);
        if Wait::until(Some(&wait)).is_some() {
            self.ending.send_replace(true);
        }
        wait
    }

    fn place(&self, request: &Permit) -> Wait {
        match self.shared.memory.places_behind(request, self.frames.permit()) {
            Some(places) => Wait::Placed { _places: places },
            None => Wait::Until(self.shared.world.clock.now() + HURRIED_MAX),
        }
    }

    /// Answers may wait for more to say again.
    fn waited(&self, wait: &Wait) {
        if Wait::until(Some(wait)).is_some() {
            self.ending.send_replace(false);
        }
    }

    fn no_place(&self) -> String {
        tracing::warn!(peer = %self.peer, "connection closed: a request waits in it, and too many wait elsewhere");
        "a request waits, and there is no place for it".to_owned()
    }

    /// The answer, and those behind it that are ready as well.
    fn gather(&mut self, first: Option<Reply>) -> Outgoing {
        let mut outgoing = Outgoing::default();
        first.into_iter().for_each(|reply| outgoing.push(reply));
        while outgoing.bytes() < GATHER_BYTES
            && let Some(pending) = self.answers.front_mut()
            && let Some(answer) = (&mut pending.answer).now_or_never()
        {
            self.finished_bytes -= pending.finished_bytes;
            self.answers.pop_front();
            answer.into_iter().for_each(|reply| outgoing.push(reply));
        }
        outgoing
    }

    /// Sends answers; a peer that takes nothing for the idle time is given up, and one that takes them too slowly while
    /// others wait for its turn, or for the memory of the request behind it.
    async fn send(&mut self, stream: &mut Stream, mut outgoing: Outgoing, wait: Option<&Wait>) -> io::Result<()> {
        let clock = &self.shared.world.clock;
        let turn = outgoing.is_in_turn().then(|| clock.now() + TURN_SEND_MAX);
        let mut own: Option<Wait> = None;
        let mut taken = clock.now();
        while !outgoing.is_empty() {
            let mut send = std::pin::pin!(async {
                outgoing.warm(&self.shared.world).await?;
                poll_fn(|context| outgoing.poll_send(stream, &**clock, context)).await
            });
            let sent = match (&mut send).now_or_never() {
                Some(sent) => sent?,
                None => {
                    if wait.is_none() && own.is_none() && self.frames.is_mid_frame() {
                        own = Some(self.place(&Permit::default()));
                    }
                    // Reading again what was to be sent is no sign of life.
                    let idle = taken + idle_after(self.shared);
                    let limits = [turn, Wait::until(wait), Wait::until(own.as_ref())];
                    let until = limits.into_iter().flatten().fold(idle, Moment::min);
                    tokio::select! {
                        biased;
                        sent = send => sent?,
                        () = clock.sleep_until(until) => {
                            return Err(io::ErrorKind::TimedOut.into());
                        }
                    }
                }
            };
            match sent {
                Some(0) => return Err(io::ErrorKind::WriteZero.into()),
                Some(bytes) => {
                    self.shared.metrics.bytes_out.add(bytes);
                    taken = clock.now();
                    self.active = taken;
                }
                // It waited, and is read again first.
                None => {}
            }
        }
        Ok(())
    }
}

impl From<NoFrame> for Ended {
    fn from(no_frame: NoFrame) -> Ended {
        match no_frame {
            NoFrame::Closed => Ended::ByPeer,
            NoFrame::Io(error) => Ended::ByUs(error.to_string()),
            NoFrame::Invalid(error) => Ended::ByUs(error.to_string()),
            NoFrame::TooSlow => Ended::ByUs("the peer sends half a frame and no more".to_owned()),
        }
    }
}

/// `connections.max.idle.ms`; without one, a year, which no connection lives.
fn idle_after(shared: &Shared) -> Duration {
    shared.settings.connections.idle.unwrap_or(Duration::from_hours(365 * 24))
}

/// When it is that time; never without one.
async fn until(clock: &dyn Clock, time: Option<Moment>) {
    match time {
        Some(time) => clock.sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// The answer at the front, once it is there; never, if none is on its way.
async fn front(answers: &mut VecDeque<Pending>, finished_bytes: &mut usize) -> Option<Reply> {
    let Some(pending) = answers.front_mut() else { return std::future::pending().await };
    let answer = (&mut pending.answer).await;
    *finished_bytes -= pending.finished_bytes;
    answers.pop_front();
    answer
}
