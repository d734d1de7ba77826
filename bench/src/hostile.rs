//! Peers that do a broker harm, or try to, while others are measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use thalweg_world::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use crate::Outcome;
use crate::client::connect;
use crate::requests::{Acks, ProduceFrame, Shape};

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
    /// So many peers of all kinds.
    pub(crate) fn start(to: SocketAddr, count: u32, clock: &Arc<dyn Clock>) -> Outcome<Hostile> {
        let harms = harms()?;
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

/// What is tried: no frame at all, frames that lie about their length or their counts, a batch that rotted, half a frame, and
/// a reader that never reads.
fn harms() -> Outcome<Vec<Harm>> {
    let shape = Shape { records: 16, record_bytes: 1024 };
    let frame = ProduceFrame::new("bench", &shape.batch(), Acks::All)?.bytes;
    let mut rotten = frame.clone();
    let last = rotten.len() - 100;
    rotten[last] ^= 1;
    let noise: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    // Metadata, version 12, of 2^31 - 2 topics, in a frame of 23 bytes.
    let mut counts = vec![0, 0, 0, 19, 0, 3, 0, 12, 0, 0, 0, 1, 0, 1, b'x', 0];
    counts.extend([0xff, 0xff, 0xff, 0xff, 0x07, 0, 0]);
    // ApiVersions, version 0, whose answers have some hundred bytes each.
    let asks: Vec<u8> = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff].repeat(256);
    Ok(vec![
        Harm::Sends(noise.into()),
        Harm::Sends(Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 0, 0])),
        Harm::Sends(counts.into()),
        Harm::Sends(rotten.into()),
        Harm::Sends(Bytes::new()),
        Harm::Stalls(Bytes::copy_from_slice(&frame[..frame.len() / 2])),
        Harm::Stalls(asks.into()),
    ])
}
