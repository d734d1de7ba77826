//! Consumers that read what is in memory, from the first offset to the last: one, or many of the same bytes.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::drive::{Load, Until, drive};
use crate::process;
use crate::report::Report;
use crate::requests::{Acks, FetchFrame, ProduceFrame, Shape, next_offset};
use crate::subject::{Subject, Target};
use crate::{Failure, Outcome, client};

/// The topic that is read.
const TOPIC: &str = "fetched";

/// An answer is at most what was asked for and one batch: more is not read.
const ANSWER_BYTES_MAX: usize = 80 << 20;

/// How much, by how many.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Consumers, each on its own connection, each reading all
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) consumers: u32,

    /// MiB in the topic
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) mib: u32,

    /// How often each consumer reads all of it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,

    /// Records per batch and bytes per record
    #[arg(long, value_name = "RECORDSxBYTES", default_value = "1000x100")]
    pub(crate) batch: Shape,

    /// The most bytes in an answer
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1..=64 << 20))]
    pub(crate) max_bytes: u32,
}

/// Starts the target if need be, fills it, reads it, reports.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let subject = arguments.target.start()?;
    let Arguments { consumers, mib, rounds, batch, max_bytes, .. } = *arguments;
    let requests = (u64::from(mib) << 20).div_ceil(batch.payload().max(1));
    fill(&subject, batch, requests).await?;
    let request = FetchFrame::new(TOPIC, 0, max_bytes.cast_signed())?;
    let batch_bytes = batch.batch().len() as u64;
    let (broker, own) = (subject.usage()?, process::own_usage()?);
    let begin = Instant::now();
    let mut reading = JoinSet::new();
    for _ in 0..consumers {
        let consumer = Consumer { stream: client::connect(subject.address()).await?, request: request.clone() };
        reading.spawn(consumer.run(rounds, requests * batch_bytes));
    }
    while let Some(ended) = reading.join_next().await {
        ended.map_err(Failure::at("a consumer's task"))??;
    }
    let elapsed = begin.elapsed();
    let own = process::own_usage()? - own;
    let broker = subject.usage()?.zip(broker).map(|(after, before)| after - before);
    let mut report = Report::new(format!(
        "hot read of {mib} MiB by {consumers}, {rounds} times, {max_bytes} B at a time: {}",
        subject.name()
    ));
    let times = requests * u64::from(consumers) * u64::from(rounds);
    let (records, bytes) = (times * u64::from(batch.records), times * batch.payload());
    report.put_rates(records, bytes, elapsed);
    report.put_cost(broker, own, records, bytes, elapsed);
    Ok(report)
}

async fn fill(subject: &Subject, batch: Shape, requests: u64) -> Outcome<()> {
    client::Client::connect(subject.address()).await?.create_topic(TOPIC, 1).await?;
    let load = Load {
        frame: ProduceFrame::new(TOPIC, &batch.batch(), Acks::All)?,
        connections: 1,
        depth: 16,
        partitions: 1,
        until: Until { time: Duration::from_secs(300), requests },
        period: None,
    };
    let driven = drive(subject.address(), &load).await?;
    match driven.refused {
        None if driven.answered == requests => Ok(()),
        None => Err(Failure::new("the topic can't be filled in time")),
        Some(error) => Err(Failure::new(format!("the topic can't be filled: {}", client::error_name(error)))),
    }
}

struct Consumer {
    stream: TcpStream,
    request: FetchFrame,
}

impl Consumer {
    /// Reads so many bytes of batches from the first offset on, several times.
    async fn run(mut self, rounds: u32, bytes: u64) -> Outcome<()> {
        let mut answer = Vec::new();
        for _ in 0..rounds {
            let (mut offset, mut read) = (0, 0);
            while read < bytes {
                self.request.patch(offset);
                self.stream.write_all(&self.request.bytes).await.map_err(Failure::at("a fetch can't be sent"))?;
                self.receive(&mut answer).await?;
                let fetched = self.request.read(&answer).ok_or_else(|| Failure::new("no answer to a fetch"))?;
                if fetched.error != 0 {
                    return Err(Failure::new(format!("a fetch was refused: {}", client::error_name(fetched.error))));
                }
                // Nothing within the wait: what was acknowledged has to be there.
                let next = next_offset(fetched.records);
                offset = next.ok_or_else(|| Failure::new(format!("nothing to read at offset {offset}")))?;
                read += fetched.records.len() as u64;
            }
        }
        Ok(())
    }

    /// The next answer, with its length in front, in memory that is used again.
    async fn receive(&mut self, answer: &mut Vec<u8>) -> Outcome<()> {
        let failed = "an answer can't be read";
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix).await.map_err(Failure::at(failed))?;
        let length = usize::try_from(i32::from_be_bytes(prefix)).unwrap_or(usize::MAX).saturating_add(4);
        if length > ANSWER_BYTES_MAX {
            return Err(Failure::new(format!("an answer of {length} bytes")));
        }
        if answer.len() < length {
            answer.resize(length, 0);
        }
        answer.truncate(length);
        answer[..4].copy_from_slice(&prefix);
        self.stream.read_exact(&mut answer[4..]).await.map_err(Failure::at(failed)).map(drop)
    }
}
