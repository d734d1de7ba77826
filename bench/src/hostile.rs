//! Peers that do a broker harm, or try to, while others are measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use thalweg_messages::metadata::MetadataRequest;
use thalweg_world::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::client::{connect, create_topics};
use crate::requests::{self, Acks, CREATE_TOPICS_VERSION, ProduceFrame, Shape};
use crate::{Failure, Outcome, bombs};

/// How long each of them rests between two tries.
const REST: Duration = Duration::from_millis(10);

/// How long a try may take that waits for nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// The peers; they end when this is dropped.
pub(crate) struct Hostile {
    tasks: Vec<JoinHandle<()>>,
    tries: Arc<AtomicU64>,
}

/// What one of them does.
#[derive(Clone)]
enum Harm {
    /// Sends this, and waits for an answer or the end of the connection.
    Sends(Bytes),
    /// Sends this, and then neither sends nor reads.
    Stalls(Bytes),
}

impl Hostile {
    /// So many peers of these kinds, or of all that are small.
    pub(crate) fn start(to: SocketAddr, count: u32, kinds: &[Kind], clock: &Arc<dyn Clock>) -> Outcome<Hostile> {
        let kinds = if kinds.is_empty() { &SMALL } else { kinds };
        let harms = kinds.iter().map(|kind| kind.harm()).collect::<Outcome<Vec<Harm>>>()?;
        let tries = Arc::new(AtomicU64::new(0));
        let tasks = harms.iter().cycle().take(count as usize).map(|harm| {
            let (harm, clock, tries) = (harm.clone(), clock.clone(), tries.clone());
            tokio::spawn(async move {
                loop {
                    // Whatever comes of it.
                    tokio::select! {
                        _ = harm.is_tried(to) => {}
                        () = clock.sleep(PATIENCE) => {}
                    }
                    tries.fetch_add(1, Ordering::Relaxed);
                    clock.sleep(REST).await;
                }
            })
        });
        Ok(Hostile { tasks: tasks.collect(), tries })
    }

    /// How often something was tried.
    pub(crate) fn tries(&self) -> u64 {
        self.tries.load(Ordering::Relaxed)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Harm {
    async fn is_tried(&self, to: SocketAddr) -> Outcome<()> {
        let mut stream = connect(to).await?;
        let mut answer = [0; 4096];
        match self {
            Harm::Sends(bytes) => {
                let _ = stream.write_all(bytes).await;
                let _ = stream.read(&mut answer).await;
            }
            Harm::Stalls(bytes) => {
                let _ = stream.write_all(bytes).await;
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }
}

/// What a peer tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Bytes that are no frame.
    Noise,
    /// A length of 2 GiB.
    Length,
    /// A count of two thousand million topics, in a few bytes.
    Count,
    /// A batch that rotted.
    Rotten,
    /// A connection, and nothing else.
    Connection,
    /// Half a request.
    Half,
    /// Questions whose answers are never read.
    Deaf,
    /// Half a gibibyte of zeros in half a mebibyte of gzip.
    Gzip,
    /// A zstd window of 2 GiB, and a gibibyte of zeros in it.
    Zstd,
    /// A Fetch of a million topics.
    Topics,
    /// A topic of a million partitions.
    Partitions,
    /// A hundred questions for all topics.
    Metadata,
    /// A hundred producer ids.
    ProducerIds,
}

/// What each peer does if nobody says otherwise: little for itself.
const SMALL: [Kind; 7] =
    [Kind::Noise, Kind::Length, Kind::Count, Kind::Rotten, Kind::Connection, Kind::Half, Kind::Deaf];

impl Kind {
    fn harm(self) -> Outcome<Harm> {
        let shape = Shape { records: 16, record_bytes: 1024 };
        let frame = || ProduceFrame::new("bench", &shape.batch(), Acks::All).map(|frame| frame.bytes);
        let sends = |bytes: Vec<u8>| Harm::Sends(bytes.into());
        Ok(match self {
            Kind::Noise => sends((0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()),
            Kind::Length => Harm::Sends(Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 0, 0])),
            Kind::Count => {
                // Metadata, version 12, of 2^31 - 2 topics, in a frame of 23 bytes.
                let mut counts = vec![0, 0, 0, 19, 0, 3, 0, 12, 0, 0, 0, 1, 0, 1, b'x', 0];
                counts.extend([0xff, 0xff, 0xff, 0xff, 0x07, 0, 0]);
                sends(counts)
            }
            Kind::Rotten => {
                let mut rotten = frame()?;
                let last = rotten.len() - 100;
                rotten[last] ^= 1;
                sends(rotten)
            }
            Kind::Connection => Harm::Sends(Bytes::new()),
            Kind::Half => {
                let frame = frame()?;
                Harm::Stalls(Bytes::copy_from_slice(&frame[..frame.len() / 2]))
            }
            // ApiVersions, version 0, whose answers have some hundred bytes each.
            Kind::Deaf => Harm::Stalls([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff].repeat(256).into()),
            Kind::Gzip => sends(bombs::gzip()?),
            Kind::Zstd => sends(bombs::zstd()?),
            Kind::Topics => sends(bombs::topics()?),
            Kind::Partitions => sends(requests::frame(&create_topics(&[("large", 1_000_000)]), CREATE_TOPICS_VERSION)?),
            Kind::Metadata => {
                sends(requests::frame(&MetadataRequest { topics: None, ..Default::default() }, 12)?.repeat(100))
            }
            Kind::ProducerIds => sends(bombs::producer_id()?.repeat(100)),
        })
    }
}

/// So many connections that have sent two bytes.
pub(crate) async fn half_open(to: SocketAddr, count: u32) -> Outcome<Vec<TcpStream>> {
    let mut open = Vec::new();
    for number in 0..count {
        let mut stream = connect(to).await.map_err(|error| {
            Failure::new(format!("connection {number}: {error}; `ulimit -n` has to allow as many files"))
        })?;
        stream.write_all(&[0, 0]).await.map_err(Failure::at("two bytes can't be sent"))?;
        open.push(stream);
    }
    Ok(open)
}
