//! Request frames out of a stream of bytes.
//!
//! A connection without a partial frame holds no buffer: bytes are first read into memory that the thread lends. What
//! a large frame needs grows with what has arrived of it, and is covered by a permit before it is read. Since half a
//! frame holds memory that others may wait for, its peer has to go on sending.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use thalweg_wire::Moment;
use thalweg_wire::frame::{FrameError, frame_length};
use thalweg_world::Clock;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use crate::budgets::{Permit, RequestMemory, SMALL_FRAME_BYTES};

/// The length of a frame, in front of it.
pub const PREFIX_BYTES: usize = 4;

/// What is read at a time when memory is scarce: all that a new peer can make us hold before it has a permit.
const CAUTIOUS_READ_BYTES: usize = 4 << 10;

/// The largest frame of any API but Produce. Kafka has one limit for all; but a request of two bytes an element becomes
/// structs of a hundred, and no honest one comes near: a Metadata request for 200,000 topics.
pub const OTHER_FRAME_BYTES_MAX: usize = 8 << 20;

/// Produce's key, as it stands behind the length.
const PRODUCE: [u8; 2] = [0, 0];

/// How long a peer may be silent in the middle of a frame; what it sends gives it time again, up to this.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What a peer has to send of a frame, on average, once its silence is used up.
const BYTES_PER_SECOND_MIN: u32 = 4 << 10;

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
    /// The peer holds half a frame and sends too little.
    TooSlow,
}

/// The frames of one connection.
pub struct Frames {
    limit: usize,
    buffer: BytesMut,
    /// Whether the buffer is what stood behind a frame, in memory that it shares with that frame.
    is_tail: bool,
    permit: Permit,
    /// How long the peer may still be silent in the middle of the frame.
    patience: Duration,
    /// When the peer last sent something.
    heard: Moment,
}

impl Frames {
    /// Frames of at most `limit` bytes each.
    pub fn new(limit: usize) -> Frames {
        Frames {
            limit,
            buffer: BytesMut::new(),
            is_tail: false,
            permit: Permit::default(),
            patience: SILENCE_MAX,
            heard: Moment::ZERO,
        }
    }

    /// When the peer last sent something.
    pub fn heard(&self) -> Moment {
        self.heard
    }

    /// Whether a frame has begun to arrive.
    pub fn is_mid_frame(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// What covers the frame that has begun to arrive.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Lets go of what has arrived, because no more is read.
    pub fn forget(&mut self) {
        (self.buffer, self.permit) = (BytesMut::new(), Permit::default());
    }

    /// The next frame. Dropping the future loses nothing.
    pub async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        memory: &RequestMemory,
        clock: &dyn Clock,
    ) -> Result<Frame, NoFrame> {
        loop {
            let declared = self.declared().map_err(NoFrame::Invalid)?;
            let class = declared.unwrap_or(0);
            memory.cover(&mut self.permit, self.buffer.len(), class).await;
            if let Some(length) = declared
                && self.buffer.len() >= PREFIX_BYTES + length
            {
                return Ok(self.take(length));
            }
            if std::mem::take(&mut self.is_tail) {
                // A byte must not hold on to the memory of the frame before it.
                self.buffer = BytesMut::from(&self.buffer[..]);
            }
            let more = if class > SMALL_FRAME_BYTES {
                let missing = PREFIX_BYTES + class - self.buffer.len();
                let more = missing.min(self.buffer.len().max(SMALL_FRAME_BYTES));
                memory.cover(&mut self.permit, self.buffer.len() + more, class).await;
                self.buffer.reserve(more);
                Some(more)
            } else {
                None
            };
            let silence = self.is_mid_frame().then(|| clock.sleep(self.patience));
            let listening = Listening { began: clock.now(), patience: &mut self.patience, clock };
            let read = {
                let buffer = &mut self.buffer;
                let reading = async {
                    match more {
                        Some(more) => stream.read_buf(&mut buffer.limit_to(more)).await,
                        None => {
                            let most = if memory.is_roomy() { SMALL_FRAME_BYTES } else { CAUTIOUS_READ_BYTES };
                            poll_fn(|context| poll_read_lent(stream, context, most, buffer)).await
                        }
                    }
                };
                let too_slow = async {
                    match silence {
                        Some(silence) => silence.await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    read = reading => read,
                    () = too_slow => return Err(NoFrame::TooSlow),
                }
            };
            drop(listening);
            if let Ok(bytes) = read {
                let earned = Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / BYTES_PER_SECOND_MIN;
                self.heard = clock.now();
                self.patience = (self.patience + earned).min(SILENCE_MAX);
            }
            match read {
                Ok(0) if self.buffer.is_empty() => return Err(NoFrame::Closed),
                Ok(0) => return Err(NoFrame::Io(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) => return Err(NoFrame::Io(error)),
            }
        }
    }

    /// The length of the frame that has begun, if that much of it is here. One that is too long is refused as soon as its
    /// key tells that it is.
    fn declared(&self) -> Result<Option<usize>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk() else { return Ok(None) };
        let length = frame_length(*prefix, self.limit)?;
        let key = self.buffer.get(PREFIX_BYTES..PREFIX_BYTES + PRODUCE.len());
        if length > OTHER_FRAME_BYTES_MAX && key.is_some_and(|key| key != PRODUCE) {
            return Err(FrameError::TooLarge { length, limit: OTHER_FRAME_BYTES_MAX });
        }
        Ok(Some(length))
    }

    fn take(&mut self, length: usize) -> Frame {
        let mut bytes = self.buffer.split_to(PREFIX_BYTES + length).freeze();
        let bytes = bytes.split_off(PREFIX_BYTES);
        let mut permit = std::mem::take(&mut self.permit);
        self.patience = SILENCE_MAX;
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        } else {
            // The bytes behind the frame are the next one's: they take their part of the permit along.
            self.permit = permit.split(self.buffer.len());
            self.is_tail = true;
        }
        Frame { bytes, permit }
    }
}

/// Uses up a peer's patience while it is there, and so only while we listen: a peer isn't slow when it is us who don't
/// read. Whoever stops listening, for an answer to be sent, drops it.
struct Listening<'a> {
    began: Moment,
    patience: &'a mut Duration,
    clock: &'a dyn Clock,
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        *self.patience = self.patience.saturating_sub(self.clock.now().since(self.began));
    }
}

/// Reads into the thread's memory and copies what came behind the buffer's end.
fn poll_read_lent(
    stream: &mut (impl AsyncRead + Unpin),
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
    use thalweg_world::simulated::SimulatedClock;
    use tokio::io::AsyncWriteExt;

    fn pair() -> (tokio::io::DuplexStream, tokio::io::DuplexStream) {
        tokio::io::duplex(1 << 20)
    }

    fn clock() -> SimulatedClock {
        SimulatedClock::new(thalweg_world::simulated::WALL_AT_START)
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
            assert_eq!(frames.next(&mut ours, &memory, &clock()).await.unwrap().bytes, body);
        }
        sender.await.unwrap();
        assert!(matches!(frames.next(&mut ours, &memory, &clock()).await, Err(NoFrame::Closed)));
        assert!(!frames.is_mid_frame());
        assert_eq!(memory.in_use(), 0, "an idle connection holds no memory");
    }

    #[tokio::test(start_paused = true)]
    async fn a_declared_length_is_not_believed_before_the_bytes_come() {
        let memory = RequestMemory::default();
        let (mut ours, mut theirs) = pair();
        theirs.write_all(&[0x05, 0xf5, 0xe1, 0x00, 0, 0, 3]).await.unwrap(); // 100,000,000 bytes, three of them sent
        let mut frames = Frames::new(104_857_600);
        let clock = clock();
        let waiting = tokio::time::timeout(SILENCE_MAX / 2, frames.next(&mut ours, &memory, &clock)).await;
        assert!(waiting.is_err());
        assert!(memory.in_use() <= 2 * SMALL_FRAME_BYTES, "{} bytes for seven", memory.in_use());
        drop(theirs);
        assert!(matches!(frames.next(&mut ours, &memory, &clock).await, Err(NoFrame::Io(_))));
    }

    /// Ten thousand of these would hold all the memory there is for frames, for as long as they like.
    #[tokio::test(start_paused = true)]
    async fn who_holds_half_a_frame_has_to_go_on_sending() {
        let (memory, clock) = (RequestMemory::default(), clock());
        let (mut ours, mut theirs) = pair();
        let mut frames = Frames::new(1 << 20);
        let body = vec![7; 8 * BYTES_PER_SECOND_MIN as usize];
        let sender = tokio::spawn(async move {
            let pace = self::clock();
            let (first, rest) = (framed(&body), framed(&body));
            // Slow and steady is fast enough; so is a pause between two frames.
            for second in first.chunks(BYTES_PER_SECOND_MIN as usize) {
                theirs.write_all(second).await.unwrap();
                pace.sleep(Duration::from_secs(1)).await;
            }
            pace.sleep(10 * SILENCE_MAX).await;
            // A byte now and then is not.
            for byte in rest {
                let _closed = theirs.write_all(&[byte]).await;
                pace.sleep(SILENCE_MAX / 10).await;
            }
        });
        assert!(frames.next(&mut ours, &memory, &clock).await.is_ok());
        let asked = clock.now();
        assert!(matches!(frames.next(&mut ours, &memory, &clock).await, Err(NoFrame::TooSlow)));
        assert!(clock.now().since(asked) < 12 * SILENCE_MAX);
        drop(frames);
        assert_eq!(memory.in_use(), 0);
        sender.abort();
    }

    /// Each answer to an earlier request interrupts the listening; what the peer owes stays.
    #[tokio::test(start_paused = true)]
    async fn who_holds_half_a_frame_gains_no_time_by_being_answered() {
        let (memory, clock) = (RequestMemory::default(), clock());
        let (mut ours, mut theirs) = pair();
        theirs.write_all(&framed(&[7; 100])[..50]).await.unwrap();
        let mut frames = Frames::new(1 << 20);
        for second in 0.. {
            let next = tokio::time::timeout(Duration::from_secs(1), frames.next(&mut ours, &memory, &clock)).await;
            // What we do in between is not the peer's fault.
            clock.sleep(Duration::from_secs(1)).await;
            match next {
                Ok(outcome) => {
                    assert!(matches!(outcome, Err(NoFrame::TooSlow)));
                    assert!(second >= SILENCE_MAX.as_secs() - 1, "only {second} s of listening");
                    break;
                }
                Err(_) => assert!(second <= SILENCE_MAX.as_secs(), "{second} s of listening"),
            }
        }
    }

    #[tokio::test]
    async fn only_produce_may_be_very_large() {
        let head = |key: u16| [&(OTHER_FRAME_BYTES_MAX as u32 + 1).to_be_bytes()[..], &key.to_be_bytes()].concat();
        let clock = clock();
        for (key, refused) in [(0, false), (1, true), (3, true), (0x0100, true)] {
            let (mut ours, mut theirs) = pair();
            theirs.write_all(&head(key)).await.unwrap();
            drop(theirs);
            let outcome = Frames::new(100 << 20).next(&mut ours, &RequestMemory::default(), &clock).await;
            assert_eq!(matches!(outcome, Err(NoFrame::Invalid(_))), refused, "key {key}");
        }
    }

    /// The byte belongs to a peer that may stay for days; the frame before it is long answered.
    #[tokio::test(start_paused = true)]
    async fn a_byte_behind_a_frame_does_not_hold_its_memory() {
        let (memory, clock) = (RequestMemory::default(), clock());
        let (mut ours, mut theirs) = pair();
        theirs.write_all(&[framed(&[1; 60_000]), vec![0]].concat()).await.unwrap();
        let mut frames = Frames::new(1 << 20);
        drop(frames.next(&mut ours, &memory, &clock).await.unwrap());
        assert!(tokio::time::timeout(SILENCE_MAX / 2, frames.next(&mut ours, &memory, &clock)).await.is_err());
        assert_eq!((frames.buffer.len(), memory.in_use()), (1, 1));
        assert!(frames.buffer.capacity() < 1000, "{} bytes are kept for one", frames.buffer.capacity());
    }

    #[tokio::test]
    async fn what_is_no_frame_is_refused_at_its_length() {
        for prefix in [0i32, -1, i32::MIN, 1001, i32::from_be_bytes(*b"GET ")] {
            let (mut ours, mut theirs) = pair();
            theirs.write_all(&prefix.to_be_bytes()).await.unwrap();
            let outcome = Frames::new(1000).next(&mut ours, &RequestMemory::default(), &clock()).await;
            assert!(matches!(outcome, Err(NoFrame::Invalid(_))), "{prefix}");
        }
    }
}
