//! One connection to one broker: requests go out one after the other, answers come back in their order.
//!
//! A request that isn't answered in time ends the connection: what would come after it is an answer to something that
//! nobody waits for any more. Whoever waits then is told so, and asks on a new one.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use thalweg_messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use thalweg_messages::{Message, Request};
use thalweg_wire::ErrorCode;
use thalweg_wire::codec::{Decoder, Encoded, Form, Piece};
use thalweg_wire::frame::{RequestHeader, decode_response_header, finish_frame, frame_length};
use thalweg_world::World;
use thalweg_world::net::Stream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};

/// Requests that wait for the socket; past it who asks waits.
const INBOX_MAX: usize = 256;

/// Requests that are sent and not answered; past it the socket is not written to.
const UNANSWERED_MAX: usize = 1024;

/// What is taken of an answer at a time: memory grows with what has arrived, never with what was announced.
const READ_BYTES: usize = 64 << 10;

/// Requests that are written together.
const TOGETHER_MAX: usize = 64;

/// Why a request has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallError {
    /// The connection can't be made, or is lost: whether the request was done, nobody knows. Ask on another.
    Lost(String),
    /// Too many requests wait for the connection: it was not sent.
    Busy,
    /// No answer came in time; the connection is closed.
    TimedOut,
    /// The broker and this client have no version of the API in common.
    Unsupported(&'static str),
    /// The request can't be written at the version that both know: it wants what an old broker has no words for.
    Inexpressible(String),
    /// What came is no answer.
    Malformed(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Lost(reason) => write!(f, "no connection to the broker: {reason}"),
            CallError::Busy => f.write_str("too many requests wait for the connection"),
            CallError::TimedOut => f.write_str("the broker didn't answer in time"),
            CallError::Unsupported(api) => write!(f, "the broker serves no version of {api} that this client knows"),
            CallError::Inexpressible(reason) => write!(f, "the broker's version has no words for it: {reason}"),
            CallError::Malformed(reason) => write!(f, "the broker's answer can't be read: {reason}"),
        }
    }
}

impl std::error::Error for CallError {}

/// How connections are made.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) client_id: Arc<str>,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) response_bytes_max: usize,
}

/// A connection whose versions are agreed. Cheap to clone; closed when the last is dropped.
#[derive(Clone)]
pub(crate) struct Connection {
    outbox: mpsc::Sender<Outgoing>,
    line: Arc<Line>,
}

struct Line {
    world: World,
    terms: Terms,
    versions: BTreeMap<i16, (i16, i16)>,
    /// The number of the next request.
    next: AtomicI32,
    /// `true` once it is to be closed, or is.
    over: watch::Sender<bool>,
}

/// A request on its way to the socket.
struct Outgoing {
    correlation_id: i32,
    frame: Encoded,
    awaited: Awaited,
}

/// What whoever asks waits for.
enum Awaited {
    Answer(oneshot::Sender<Bytes>),
    /// None will come (`acks=0`): that the socket has it.
    Departure(oneshot::Sender<()>),
}

type Unanswered = Mutex<VecDeque<(i32, oneshot::Sender<Bytes>)>>;

impl Connection {
    /// Connects, and agrees on versions.
    pub(crate) async fn open(world: &World, address: &str, terms: &Terms) -> Result<Connection, CallError> {
        tokio::select! {
            biased;
            opened = Connection::agree(world, address, terms) => opened,
            () = world.clock.sleep(terms.connect_timeout) => Err(CallError::Lost(format!("{address} doesn't answer"))),
        }
    }

    async fn agree(world: &World, address: &str, terms: &Terms) -> Result<Connection, CallError> {
        let lost = |error: io::Error| CallError::Lost(format!("{address}: {error}"));
        let stream = world.net.connect(address).await.map_err(lost)?;
        let (outbox, inbox) = mpsc::channel(INBOX_MAX);
        let over = watch::Sender::new(false);
        tokio::spawn(run(stream, inbox, over.clone(), terms.clone()));
        let line = Line {
            world: world.clone(),
            terms: terms.clone(),
            versions: BTreeMap::new(),
            next: AtomicI32::new(0),
            over,
        };
        let mut connection = Connection { outbox, line: Arc::new(line) };
        let listed = connection.ask_versions(ApiVersionsRequest::MAX_VERSION).await?;
        let versions = listed.api_keys.into_iter().map(|api| (api.api_key, (api.min_version, api.max_version)));
        let line = Arc::get_mut(&mut connection.line).expect("nobody else has it yet");
        line.versions = versions.collect();
        Ok(connection)
    }

    /// What the broker serves. One that doesn't know the version of the question answers in version 0, with the versions
    /// of this question alone (KIP-511); one before that with an error and nothing else.
    async fn ask_versions(&self, version: i16) -> Result<ApiVersionsResponse, CallError> {
        let request = ApiVersionsRequest {
            client_software_name: env!("CARGO_PKG_NAME").to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ApiVersionsRequest::default()
        };
        let body = self.exchange(&request, version, self.line.terms.request_timeout).await?;
        let code = Decoder::new(&body).i16().map_err(malformed::<ApiVersionsResponse>)?;
        if code == ErrorCode::UnsupportedVersion.code() && version > 0 {
            let told = read::<ApiVersionsResponse>(&body, 0)?;
            let own = told.api_keys.iter().find(|api| api.api_key == ApiVersionsRequest::API_KEY);
            let newest = own.map_or(0, |api| api.max_version.clamp(0, version - 1));
            return Box::pin(self.ask_versions(newest)).await;
        }
        let listed = read::<ApiVersionsResponse>(&body, version)?;
        match listed.error_code {
            0 => Ok(listed),
            code => Err(CallError::Lost(format!("the broker refused ApiVersions with error {code}"))),
        }
    }

    /// Whether requests can still be sent.
    pub(crate) fn is_open(&self) -> bool {
        !*self.line.over.borrow()
    }

    /// Ends it: whoever waits for an answer is told.
    pub(crate) fn close(&self) {
        self.line.over.send_replace(true);
    }

    /// The newest version, up to a limit, that the broker and this client know of a request.
    pub(crate) fn version_of<R: Request>(&self, at_most: i16) -> Result<i16, CallError> {
        let (first, last) = *self.line.versions.get(&R::API_KEY).ok_or(CallError::Unsupported(R::NAME))?;
        let newest = last.min(R::MAX_VERSION).min(at_most);
        if newest >= first.max(R::MIN_VERSION) { Ok(newest) } else { Err(CallError::Unsupported(R::NAME)) }
    }

    /// Asks at the newest version that both know.
    pub(crate) async fn call<R: Request>(&self, request: &R) -> Result<R::Response, CallError> {
        self.call_at(request, self.version_of::<R>(i16::MAX)?).await
    }

    /// Asks at a version.
    pub(crate) async fn call_at<R: Request>(&self, request: &R, version: i16) -> Result<R::Response, CallError> {
        self.call_within(request, version, self.line.terms.request_timeout).await
    }

    /// Asks for something that may take longer, or must not take as long, as other requests.
    pub(crate) async fn call_within<R: Request>(
        &self,
        request: &R,
        version: i16,
        patience: Duration,
    ) -> Result<R::Response, CallError> {
        read(&self.exchange(request, version, patience).await?, version)
    }

    /// Sends a request now, behind all that were sent before, and gives the future of its answer: the order is that of
    /// these calls.
    ///
    /// # Errors
    /// [`CallError::Busy`] when too many wait for the socket already.
    pub(crate) fn begin<R: Request>(
        &self,
        request: &R,
        version: i16,
    ) -> Result<impl Future<Output = Result<R::Response, CallError>> + Send + use<R>, CallError> {
        let (answer, answered) = oneshot::channel();
        self.post(self.frame(request, version, Awaited::Answer(answer))?)?;
        let connection = self.clone();
        let patience = self.line.terms.request_timeout;
        Ok(async move { read(&connection.answer::<R>(answered, version, patience).await?, version) })
    }

    /// The same for a request that has no answer: the future is ready when the socket has it.
    pub(crate) fn begin_untold<R: Request>(
        &self,
        request: &R,
        version: i16,
    ) -> Result<impl Future<Output = Result<(), CallError>> + Send + use<R>, CallError> {
        let (departure, departed) = oneshot::channel();
        self.post(self.frame(request, version, Awaited::Departure(departure))?)?;
        let connection = self.clone();
        let patience = self.line.terms.request_timeout;
        Ok(async move { connection.within(patience, departed).await })
    }

    fn post(&self, outgoing: Outgoing) -> Result<(), CallError> {
        self.outbox.try_send(outgoing).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => CallError::Busy,
            mpsc::error::TrySendError::Closed(_) => lost(),
        })
    }

    async fn exchange<R: Request>(&self, request: &R, version: i16, patience: Duration) -> Result<Bytes, CallError> {
        let (answer, answered) = oneshot::channel();
        let outgoing = self.frame(request, version, Awaited::Answer(answer))?;
        self.outbox.send(outgoing).await.map_err(|_| lost())?;
        self.answer::<R>(answered, version, patience).await
    }

    async fn answer<R: Request>(
        &self,
        answered: oneshot::Receiver<Bytes>,
        version: i16,
        patience: Duration,
    ) -> Result<Bytes, CallError> {
        let frame = self.within(patience, answered).await?;
        let mut from = Decoder::new(&frame);
        let form = Form::of(version, R::FLEXIBLE_FROM);
        decode_response_header(&mut from, R::API_KEY, form).map_err(malformed::<R::Response>)?;
        Ok(frame.slice(from.position()..))
    }

    /// Waits so long; then the connection is closed.
    async fn within<T>(&self, patience: Duration, told: oneshot::Receiver<T>) -> Result<T, CallError> {
        tokio::select! {
            biased;
            told = told => told.map_err(|_| lost()),
            () = self.line.world.clock.sleep(patience) => {
                self.close();
                Err(CallError::TimedOut)
            }
        }
    }

    fn frame<R: Request>(&self, request: &R, version: i16, awaited: Awaited) -> Result<Outgoing, CallError> {
        // Answers come in the order of the requests, not of their numbers.
        let correlation_id = self.line.next.fetch_add(1, Ordering::Relaxed);
        let client_id = (&*self.line.terms.client_id).into();
        let header = RequestHeader { api_key: R::API_KEY, api_version: version, correlation_id, client_id };
        let mut frame = header.begin_request(Form::of(version, R::FLEXIBLE_FROM));
        request.encode(&mut frame, version).map_err(|error| CallError::Inexpressible(error.to_string()))?;
        Ok(Outgoing { correlation_id, frame: finish_frame(frame), awaited })
    }
}

fn lost() -> CallError {
    CallError::Lost("it was closed".to_owned())
}

impl Drop for Line {
    fn drop(&mut self) {
        self.over.send_replace(true);
    }
}

fn read<M: Message>(body: &Bytes, version: i16) -> Result<M, CallError> {
    M::decode(&mut Decoder::new(body), version).map_err(malformed::<M>)
}

fn malformed<M: Message>(error: impl fmt::Display) -> CallError {
    CallError::Malformed(format!("{}: {error}", M::NAME))
}

/// Writes and reads until either fails, or it is over.
async fn run(stream: Stream, inbox: mpsc::Receiver<Outgoing>, over: watch::Sender<bool>, terms: Terms) {
    let (from, into) = tokio::io::split(stream);
    let unanswered = Unanswered::default();
    let room = tokio::sync::Semaphore::new(UNANSWERED_MAX);
    let mut end = over.subscribe();
    tokio::select! {
        _ = end.wait_for(|over| *over) => {}
        _ = write(into, inbox, &unanswered, &room) => {}
        outcome = receive(from, &unanswered, &room, &terms) => {
            if let Err(error) = outcome {
                tracing::debug!(%error, "the connection ends");
            }
        }
    }
    over.send_replace(true);
}

fn lock(unanswered: &Unanswered) -> MutexGuard<'_, VecDeque<(i32, oneshot::Sender<Bytes>)>> {
    unanswered.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(
    mut into: impl AsyncWrite + Unpin,
    mut inbox: mpsc::Receiver<Outgoing>,
    unanswered: &Unanswered,
    room: &tokio::sync::Semaphore,
) -> io::Result<()> {
    let (mut taken, mut pieces, mut departures) = (Vec::new(), Vec::new(), Vec::new());
    while inbox.recv_many(&mut taken, TOGETHER_MAX).await > 0 {
        for Outgoing { correlation_id, frame, awaited } in taken.drain(..) {
            match awaited {
                Awaited::Answer(answer) => {
                    room.acquire().await.expect("never closed").forget();
                    lock(unanswered).push_back((correlation_id, answer));
                }
                Awaited::Departure(departure) => departures.push(departure),
            }
            pieces.extend(frame.into_pieces());
        }
        write_pieces(&mut into, &mut pieces).await?;
        for departure in departures.drain(..) {
            // Whoever waited may have given up.
            let _ = departure.send(());
        }
    }
    Ok(())
}

/// Writes all pieces, many at a time.
async fn write_pieces(into: &mut (impl AsyncWrite + Unpin), pieces: &mut Vec<Piece>) -> io::Result<()> {
    let bytes = pieces.drain(..).filter_map(|piece| match piece {
        Piece::Here(bytes) => Some(bytes),
        // No request has any.
        Piece::Elsewhere(_) => None,
    });
    let bytes: Vec<Bytes> = bytes.collect();
    let mut slices: Vec<IoSlice<'_>> = bytes.iter().map(|bytes| IoSlice::new(bytes)).collect();
    let mut left = slices.as_mut_slice();
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match into.write_vectored(left).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut left, written),
        }
    }
    into.flush().await
}

async fn receive(
    mut from: impl AsyncRead + Unpin,
    unanswered: &Unanswered,
    room: &tokio::sync::Semaphore,
    terms: &Terms,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        while buffer.len() < 4 {
            fill(&mut from, &mut buffer, 4).await?;
        }
        let prefix = buffer.split_to(4)[..].try_into().expect("four bytes");
        let length = frame_length(prefix, terms.response_bytes_max).map_err(|e| io::Error::other(e.to_string()))?;
        while buffer.len() < length {
            fill(&mut from, &mut buffer, length).await?;
        }
        let frame = buffer.split_to(length).freeze();
        let correlation_id = Decoder::new(&frame).i32().map_err(|error| io::Error::other(error.to_string()))?;
        let expected = lock(unanswered).pop_front();
        match expected {
            // Whoever asked may have given up.
            Some((id, answer)) if id == correlation_id => drop(answer.send(frame)),
            _ => return Err(io::Error::other(format!("an answer to {correlation_id}, which was not next"))),
        }
        room.add_permits(1);
    }
}

/// Reads at least a byte of what is missing until there are `wanted`.
async fn fill(from: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut, wanted: usize) -> io::Result<()> {
    buffer.reserve((wanted - buffer.len()).min(READ_BYTES.max(buffer.len())));
    match from.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
