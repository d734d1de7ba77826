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
    let batch_bytes = batch.batch().len() as u64;
    let (broker, own) = (subject.usage()?, process::own_usage()?);
    let begin = Instant::now();
    let mut reading = JoinSet::new();
    for _ in 0..consumers {
        let consumer = Consumer::connect(&subject, TOPIC, max_bytes).await?;
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
        due: None,
    };
    drive(subject.address(), &load).await?.whole(&load).map(drop)
}

/// One that reads a topic's first partition.
pub(crate) struct Consumer {
    stream: TcpStream,
    request: FetchFrame,
    /// The last answer, in memory that is used again.
    answer: Vec<u8>,
}

/// What a fetch brought.
pub(crate) struct Arrived {
    /// Bytes of batches.
    pub(crate) bytes: u64,
    /// The offset behind the last whole one, if there is one.
    pub(crate) next: Option<i64>,
}

impl Consumer {
    /// On a connection of its own.
    pub(crate) async fn connect(subject: &Subject, topic: &str, max_bytes: u32) -> Outcome<Consumer> {
        let request = FetchFrame::new(topic, 0, max_bytes.cast_signed())?;
        Ok(Consumer { stream: client::connect(subject.address()).await?, request, answer: Vec::new() })
    }

    /// Reads so many bytes of batches from the first offset on, several times.
    async fn run(mut self, rounds: u32, bytes: u64) -> Outcome<()> {
        for _ in 0..rounds {
            let (mut offset, mut read) = (0, 0);
            while read < bytes {
                let Arrived { bytes, next } = self.fetch(offset).await?;
                // Nothing within the wait: what was acknowledged has to be there.
                offset = next.ok_or_else(|| Failure::new(format!("nothing to read at offset {offset}")))?;
                read += bytes;
            }
        }
        Ok(())
    }

    /// Asks for what stands at an offset and behind it, and waits until something does, for half a second.
    pub(crate) async fn fetch(&mut self, offset: i64) -> Outcome<Arrived> {
        self.request.patch(offset);
        self.stream.write_all(&self.request.bytes).await.map_err(Failure::at("a fetch can't be sent"))?;
        self.receive().await?;
        let fetched = self.request.read(&self.answer).ok_or_else(|| Failure::new("no answer to a fetch"))?;
        if fetched.error != 0 {
            return Err(Failure::new(format!("a fetch was refused: {}", client::error_name(fetched.error))));
        }
        Ok(Arrived { bytes: fetched.records.len() as u64, next: next_offset(fetched.records) })
    }

    /// The next answer, with its length in front.
    async fn receive(&mut self) -> Outcome<()> {
        let failed = "an answer can't be read";
        let mut prefix = [0; 4];
        self.stream.read_exact(&mut prefix).await.map_err(Failure::at(failed))?;
        let length = usize::try_from(i32::from_be_bytes(prefix)).unwrap_or(usize::MAX).saturating_add(4);
        if length > ANSWER_BYTES_MAX {
            return Err(Failure::new(format!("an answer of {length} bytes")));
        }
        if self.answer.len() < length {
            self.answer.resize(length, 0);
        }
        self.answer.truncate(length);
        self.answer[..4].copy_from_slice(&prefix);
        self.stream.read_exact(&mut self.answer[4..]).await.map_err(Failure::at(failed)).map(drop)
    }
}
