//! The load: connections that each keep a window of produce requests on their way.
//!
//! Cheap, so that the broker is the limit: a connection owns one buffer of ready frames, patches partition and number in
//! place, writes as many as its window has room for in one call, and looks at an answer's error code only.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::histogram::Histogram;
use crate::pace::Pace;
use crate::requests::ProduceFrame;
use crate::{Failure, Outcome, client};

/// Frames that lie ready on a connection take this much; at least one.
const READY_BYTES: usize = 512 << 10;

/// What is read of answers at a time.
const ANSWERS_BYTES: usize = 64 << 10;

/// A broker that answers nothing for so long has failed.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What to send.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) frame: ProduceFrame,
    pub(crate) connections: u32,
    /// Requests on their way, per connection.
    pub(crate) depth: usize,
    /// Requests go to partitions 0 to below this, one after the other.
    pub(crate) partitions: u32,
    pub(crate) until: Until,
    /// At a fixed rate: the time between two requests of a connection.
    pub(crate) period: Option<Duration>,
    /// Who is told when each request was due, or sent.
    pub(crate) due: Option<UnboundedSender<Instant>>,
}

/// When to stop sending. What is on its way then is still answered and counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    /// After so long.
    pub(crate) time: Duration,
    /// After so many requests on all connections together.
    pub(crate) requests: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Driven {
    pub(crate) answered: u64,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// Of each request, from when it was handed to the socket, or was due at a fixed rate, to its answer.
    pub(crate) latencies: Histogram,
    /// The first error that the broker answered: its connection stopped there.
    pub(crate) refused: Option<i16>,
}

impl Driven {
    /// For a load that is only there to be done: fails unless all of its requests were answered.
    pub(crate) fn whole(self, load: &Load) -> Outcome<Driven> {
        let (answered, requests) = (self.answered, load.until.requests);
        match self.refused {
            Some(error) => Err(Failure::new(format!("the broker refuses: {}", client::error_name(error)))),
            None if answered < requests => {
                Err(Failure::new(format!("the broker is too slow: {answered} of {requests} requests in time")))
            }
            None => Ok(self),
        }
    }
}

/// Runs a load to its end.
pub(crate) async fn drive(to: SocketAddr, load: &Load) -> Outcome<Driven> {
    let mut connections = Vec::new();
    for number in 0..load.connections {
        let requests = load.until.requests / u64::from(load.connections)
            + u64::from(u64::from(number) < load.until.requests % u64::from(load.connections));
        connections.push(Connection::open(to, load, number, requests).await?);
    }
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for connection in connections {
        running.spawn(connection.run(begin + load.until.time));
    }
    let mut sum = Driven { answered: 0, elapsed: Duration::ZERO, latencies: Histogram::new(), refused: None };
    while let Some(ended) = running.join_next().await {
        let connection = ended.map_err(Failure::at("a connection's task"))??;
        sum.answered += connection.latencies.count();
        sum.latencies.add(&connection.latencies);
        sum.refused = sum.refused.or(connection.refused);
    }
    sum.elapsed = begin.elapsed();
    Ok(sum)
}

struct Connection {
    stream: TcpStream,
    frame: ProduceFrame,
    /// Copies of the frame, patched before they are sent.
    ready: Vec<u8>,
    /// What of them is to be sent: behind what was written.
    filled: usize,
    written: usize,
    depth: usize,
    /// When each request on its way was sent, or due.
    sent: VecDeque<Instant>,
    requests_left: u64,
    partition: u32,
    partitions: u32,
    partition_step: u32,
    correlation: u32,
    answers: Box<[u8]>,
    answers_length: usize,
    pace: Option<Pace>,
    due: Option<UnboundedSender<Instant>>,
    latencies: Histogram,
    refused: Option<i16>,
}

impl Connection {
    async fn open(to: SocketAddr, load: &Load, number: u32, requests: u64) -> Outcome<Connection> {
        let copies = (READY_BYTES / load.frame.bytes.len()).clamp(1, load.depth.max(1));
        let pace = load.period.map(Pace::new).transpose().map_err(Failure::at("no timer"))?;
        Ok(Connection {
            stream: client::connect(to).await?,
            ready: load.frame.bytes.repeat(copies),
            frame: load.frame.clone(),
            filled: 0,
            written: 0,
            depth: load.depth,
            sent: VecDeque::with_capacity(load.depth),
            requests_left: requests,
            partition: number % load.partitions,
            partitions: load.partitions,
            partition_step: load.connections % load.partitions,
            correlation: 0,
            answers: vec![0; ANSWERS_BYTES].into_boxed_slice(),
            answers_length: 0,
            pace,
            due: load.due.clone(),
            latencies: Histogram::new(),
            refused: None,
        })
    }

    async fn run(mut self, end: Instant) -> Outcome<Connection> {
        loop {
            let now = Instant::now();
            let over = now >= end || self.requests_left == 0 || self.refused.is_some();
            if over && self.sent.is_empty() && self.filled == self.written {
                return Ok(self);
            }
            if !over && self.filled == self.written {
                self.fill(now);
            }
            let moved = self.send()? | self.receive()?;
            if moved == Moved::Nothing {
                self.wait(end, over).await?;
            }
        }
    }

    /// Readies as many requests as are due and fit the window.
    fn fill(&mut self, now: Instant) {
        let length = self.frame.bytes.len();
        (self.filled, self.written) = (0, 0);
        while self.filled < self.ready.len() && self.sent.len() < self.depth && self.requests_left > 0 {
            let sent = match &mut self.pace {
                Some(pace) => pace.take(now),
                None => Some(now),
            };
            let Some(sent) = sent else { break };
            let copy = &mut self.ready[self.filled..self.filled + length];
            self.frame.patch(copy, self.partition, self.correlation);
            self.sent.push_back(sent);
            if let Some(due) = &self.due {
                // Who has heard enough is gone.
                let _ = due.send(sent);
            }
            self.filled += length;
            self.correlation = self.correlation.wrapping_add(1);
            self.partition = (self.partition + self.partition_step) % self.partitions;
            self.requests_left -= 1;
        }
    }

    fn send(&mut self) -> Outcome<Moved> {
        if self.filled == self.written {
            return Ok(Moved::Nothing);
        }
        match self.stream.try_write(&self.ready[self.written..self.filled]) {
            Ok(written) => {
                self.written += written;
                Ok(Moved::Something)
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(Moved::Nothing),
            Err(error) => Err(Failure::new(format!("a request can't be sent: {error}"))),
        }
    }

    fn receive(&mut self) -> Outcome<Moved> {
        match self.stream.try_read(&mut self.answers[self.answers_length..]) {
            Ok(0) => Err(Failure::new("the broker closed the connection")),
            Ok(read) => {
                self.answers_length += read;
                self.take_answers()?;
                Ok(Moved::Something)
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(Moved::Nothing),
            Err(error) => Err(Failure::new(format!("an answer can't be read: {error}"))),
        }
    }

    fn take_answers(&mut self) -> Outcome<()> {
        let now = Instant::now();
        let mut at = 0;
        while let Some(prefix) = self.answers[at..self.answers_length].first_chunk::<4>() {
            let length = usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(usize::MAX).saturating_add(4);
            if length > self.answers.len() {
                return Err(Failure::new(format!("an answer to one batch of {length} bytes")));
            }
            let Some(answer) = self.answers[..self.answers_length].get(at..at + length) else { break };
            let sent = self.sent.pop_front().ok_or_else(|| Failure::new("an answer to no request"))?;
            match self.frame.error(answer) {
                Some(0) => self.latencies.record(now.saturating_duration_since(sent)),
                Some(error) => self.refused = self.refused.or(Some(error)),
                None => return Err(Failure::new("an answer that is too short")),
            }
            at += length;
        }
        self.answers.copy_within(at..self.answers_length, 0);
        self.answers_length -= at;
        Ok(())
    }

    /// Waits until the socket or the clock lets something happen.
    async fn wait(&mut self, end: Instant, over: bool) -> Outcome<()> {
        let interest = match self.filled > self.written {
            true => Interest::READABLE | Interest::WRITABLE,
            false => Interest::READABLE,
        };
        let paced = !over && self.sent.len() < self.depth && self.pace.is_some();
        // An idle connection at a fixed rate has nothing to hear before it sends.
        let quiet = self.sent.is_empty() && paced;
        let limit = if quiet { end.saturating_duration_since(Instant::now()) } else { SILENCE_MAX };
        let event = async {
            tokio::select! {
                ready = self.stream.ready(interest) => ready.map(drop),
                ticked = tick(&mut self.pace), if paced => ticked,
            }
        };
        match tokio::time::timeout(limit, event).await {
            Ok(event) => event.map_err(Failure::at("the connection")),
            Err(_) if quiet => Ok(()),
            Err(_) => Err(Failure::new(format!("no answer for {} s", SILENCE_MAX.as_secs()))),
        }
    }
}

async fn tick(pace: &mut Option<Pace>) -> std::io::Result<()> {
    match pace {
        Some(pace) => pace.tick().await,
        None => std::future::pending().await,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    Nothing,
    Something,
}

impl std::ops::BitOr for Moved {
    type Output = Moved;

    fn bitor(self, other: Moved) -> Moved {
        if self == Moved::Something { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::null_broker::{self, Mode};
    use crate::requests::{Acks, Shape};

    fn load(connections: u32, depth: usize, partitions: u32, requests: u64) -> Load {
        let batch = Shape { records: 3, record_bytes: 100 }.batch();
        Load {
            frame: ProduceFrame::new("smoke", &batch, Acks::All).unwrap(),
            connections,
            depth,
            partitions,
            until: Until { time: Duration::from_secs(60), requests },
            period: None,
            due: None,
        }
    }

    /// Every request is answered once, whether the window is narrow, wider than the load, or paced.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_request_is_answered_once() {
        let file = std::env::temp_dir().join(format!("thalweg-bench-drive-{}", std::process::id()));
        let (address, _serving) = null_broker::start("127.0.0.1:0", Mode::Append, Some(&file)).await.unwrap();
        let batch = Shape { records: 3, record_bytes: 100 }.batch();
        let mut sent = 0;
        for (connections, depth, partitions, requests) in [(1, 1, 1, 5), (3, 7, 2, 100), (2, 1000, 10, 501)] {
            let driven = drive(address, &load(connections, depth, partitions, requests)).await.unwrap();
            assert_eq!((driven.answered, driven.refused), (requests, None));
            assert!(driven.latencies.max() <= driven.elapsed);
            sent += requests;
        }
        let paced = Load { period: Some(Duration::from_millis(1)), ..load(2, 16, 1, 10) };
        let driven = drive(address, &paced).await.unwrap();
        assert_eq!(driven.answered, 10);
        assert!(driven.elapsed >= Duration::from_millis(5), "five each, a millisecond apart");
        let appended = std::fs::metadata(&file).unwrap().len();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(appended, (sent + 10) * batch.len() as u64);
    }

    /// A broker that refuses must not look like one that is fast.
    #[tokio::test]
    async fn a_refusal_ends_the_load_and_is_told() {
        let (address, _serving) = null_broker::start("127.0.0.1:0", Mode::Append, None).await.unwrap();
        let mut load = load(1, 4, 1, 1000);
        let last = load.frame.bytes.len() - 10;
        load.frame.bytes[last] ^= 1;
        let driven = drive(address, &load).await.unwrap();
        assert_eq!(driven.refused, Some(thalweg_wire::ErrorCode::CorruptMessage.code()));
        assert_eq!(driven.answered, 0);
    }
}
