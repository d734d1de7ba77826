//! One durable write at a time, as a journal does it, by several roads between the task that wants it and the system
//! call: what each hop from thread to thread costs.
//!
//! The asker is a task; it asks the journal's driver, a second task, which has a 4 KiB block written with
//! `O_DIRECT|O_DSYNC` and tells the asker. Only the road from the driver to the system call differs, and in
//! `own-thread` where the driver lives.

use std::fs::{File, OpenOptions};
use std::hint::spin_loop;
use std::io::IoSlice;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use serde_json::Value;
use thalweg_world::disk::{BLOCK_BYTES, Block, Open};
use thalweg_world::{DiskFile, real};
use tokio::sync::{mpsc as tasks, oneshot};

use crate::histogram::Histogram;
use crate::process;
use crate::report::Report;
use crate::{Failure, Outcome, show};

/// The file that is written over and over, bytes.
const FILE_BYTES: u64 = 64 << 20;

/// What to try.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    /// Where to make the file: on the filesystem to measure
    #[arg(long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,

    /// Writes of each road and round
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    writes: u32,

    /// Rounds, of which the median counts; the roads take turns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,

    /// Only these roads
    #[arg(long, value_name = "ROAD")]
    road: Vec<Road>,
}

/// How a write gets from the task that wants it to a thread that may block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Road {
    /// No tasks: a thread that writes in a loop. The floor
    Bare,
    /// The same, asking for the file's size before each write
    BareStat,
    /// The broker's: a thread behind tokio's channel, answering through a oneshot
    World,
    /// A thread behind std's channel
    StdChannel,
    /// The same, looking for the next write for 20 µs before it sleeps
    Spin20,
    /// The same for 100 µs
    Spin100,
    /// Tokio's blocking pool
    SpawnBlocking,
    /// On the driver's worker, which hands its tasks to another first
    BlockInPlace,
    /// On the driver's worker, whose other tasks wait
    Inline,
    /// The driver on a thread and runtime of its own, which it may block
    OwnThread,
}

impl Road {
    const ALL: [Road; 10] = [
        Road::Bare,
        Road::BareStat,
        Road::World,
        Road::StdChannel,
        Road::Spin20,
        Road::Spin100,
        Road::SpawnBlocking,
        Road::BlockInPlace,
        Road::Inline,
        Road::OwnThread,
    ];

    fn spin(self) -> Duration {
        match self {
            Road::Spin20 => Duration::from_micros(20),
            Road::Spin100 => Duration::from_micros(100),
            _ => Duration::ZERO,
        }
    }
}

/// Tries each road, and prints a report of each.
pub(crate) async fn run(arguments: &Arguments, json: bool) -> Outcome<()> {
    let roads = if arguments.road.is_empty() { Road::ALL.to_vec() } else { arguments.road.clone() };
    let path = arguments.directory.join(format!("thalweg-bench-{}.blocks", std::process::id()));
    let scratch = Scratch::make(&path)?;
    let mut reports: Vec<Vec<Report>> = vec![Vec::new(); roads.len()];
    for _ in 0..arguments.rounds {
        for (road, reports) in roads.iter().zip(&mut reports) {
            reports.push(measure(*road, &scratch, arguments.writes).await?);
        }
    }
    let medians: Vec<Report> = reports.iter().map(|reports| Report::median(reports)).collect();
    if json {
        println!("{}", Value::from(medians.iter().map(Report::json).collect::<Vec<_>>()));
    } else {
        medians.iter().for_each(|report| show(report, json));
    }
    Ok(())
}

async fn measure(road: Road, scratch: &Scratch, writes: u32) -> Outcome<Report> {
    let mut latencies = Histogram::new();
    let before = process::own_usage()?;
    let begin = Instant::now();
    if matches!(road, Road::Bare | Road::BareStat) {
        let mut blocks = scratch.blocks()?;
        latencies = tokio::task::spawn_blocking(move || {
            for _ in 0..writes {
                let begin = Instant::now();
                if road == Road::BareStat {
                    blocks.file.metadata().map_err(Failure::at("the file's size"))?;
                }
                blocks.write()?;
                latencies.record(begin.elapsed());
            }
            Outcome::Ok(latencies)
        })
        .await
        .map_err(Failure::at("the thread"))??;
    } else {
        let driver = driver(road, scratch)?;
        // A task, as a connection is: what runs on the main thread would be woken across threads each time.
        let asker = tokio::spawn(async move {
            for _ in 0..writes {
                let begin = Instant::now();
                let (answer, answered) = oneshot::channel();
                driver.send(answer).await.map_err(Failure::at("the driver"))?;
                answered.await.map_err(Failure::at("the driver"))??;
                latencies.record(begin.elapsed());
            }
            Outcome::Ok(latencies)
        });
        latencies = asker.await.map_err(Failure::at("the asker"))??;
    }
    let elapsed = begin.elapsed();
    let used = process::own_usage()? - before;
    let name = clap::ValueEnum::to_possible_value(&road).map_or_else(String::new, |value| value.get_name().to_owned());
    let mut report = Report::new(format!("durable write by {name}"));
    report.put_latencies(&latencies);
    report.put("writes/s", f64::from(writes) / elapsed.as_secs_f64(), "");
    report.put_us("CPU per write", used.cpu / writes);
    report.put("sleeps per write", used.sleeps as f64 / f64::from(writes), "");
    Ok(report)
}

/// What the asker sends: where to answer.
type Ask = oneshot::Sender<Outcome<()>>;

/// Starts a driver. It ends when the sender is dropped.
fn driver(road: Road, scratch: &Scratch) -> Outcome<tasks::Sender<Ask>> {
    let (sender, mut inbox) = tasks::channel::<Ask>(1);
    let mut blocks = scratch.blocks()?;
    match road {
        Road::World => {
            let mut durable = Durable::open(scratch)?;
            tokio::spawn(async move {
                while let Some(answer) = inbox.recv().await {
                    let _ = answer.send(durable.write().await);
                }
            });
        }
        Road::StdChannel | Road::Spin20 | Road::Spin100 => {
            let thread = writer(blocks, road.spin());
            tokio::spawn(async move {
                while let Some(answer) = inbox.recv().await {
                    let (done, written) = oneshot::channel();
                    let sent = thread.send(done).map_err(Failure::at("the thread"));
                    let outcome = match sent {
                        Ok(()) => written.await.unwrap_or_else(|error| Err(Failure::at("the thread")(error))),
                        Err(failure) => Err(failure),
                    };
                    let _ = answer.send(outcome);
                }
            });
        }
        Road::SpawnBlocking => {
            tokio::spawn(async move {
                while let Some(answer) = inbox.recv().await {
                    let writing = tokio::task::spawn_blocking(move || {
                        let outcome = blocks.write();
                        (blocks, outcome)
                    });
                    let Ok((back, outcome)) = writing.await else { return };
                    blocks = back;
                    let _ = answer.send(outcome);
                }
            });
        }
        Road::BlockInPlace => {
            tokio::spawn(async move {
                while let Some(answer) = inbox.recv().await {
                    let _ = answer.send(tokio::task::block_in_place(|| blocks.write()));
                }
            });
        }
        Road::Inline | Road::Bare | Road::BareStat => {
            tokio::spawn(async move {
                while let Some(answer) = inbox.recv().await {
                    let _ = answer.send(blocks.write());
                }
            });
        }
        Road::OwnThread => {
            std::thread::spawn(move || {
                while let Some(answer) = inbox.blocking_recv() {
                    let _ = answer.send(blocks.write());
                }
            });
        }
    }
    Ok(sender)
}

/// A thread that writes a block for whoever asks. Looks for its next job for a while before it sleeps.
fn writer(mut blocks: Blocks, spin: Duration) -> mpsc::Sender<Ask> {
    let (sender, inbox) = mpsc::channel::<Ask>();
    std::thread::spawn(move || {
        loop {
            let begin = Instant::now();
            let mut job = inbox.try_recv();
            while matches!(job, Err(mpsc::TryRecvError::Empty)) && begin.elapsed() < spin {
                spin_loop();
                job = inbox.try_recv();
            }
            let Ok(answer) = job.or_else(|_| inbox.recv()) else { return };
            let _ = answer.send(blocks.write());
        }
    });
    sender
}

/// A file full of zeros; removed when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn make(path: &Path) -> Outcome<Scratch> {
        let file = File::create_new(path).map_err(Failure::at("can't make the file"))?;
        let scratch = Scratch(path.to_owned());
        let zeros = vec![0; 1 << 20];
        for piece in 0..FILE_BYTES >> 20 {
            file.write_all_at(&zeros, piece << 20).map_err(Failure::at("can't fill the file"))?;
        }
        file.sync_all().map_err(Failure::at("can't sync the file"))?;
        Ok(scratch)
    }

    fn blocks(&self) -> Outcome<Blocks> {
        let flags = (OFlags::DIRECT | OFlags::DSYNC).bits().cast_signed();
        let file = OpenOptions::new().write(true).custom_flags(flags).open(&self.0);
        let file = file.map_err(Failure::at("this filesystem has no direct writes"))?;
        Ok(Blocks { file, at: 0, block: block() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The file, written block by block, from its start again after its end.
struct Blocks {
    file: File,
    at: u64,
    block: Block,
}

impl Blocks {
    fn write(&mut self) -> Outcome<()> {
        let at = self.at;
        self.at = (self.at + BLOCK_BYTES as u64) % FILE_BYTES;
        let parts = [IoSlice::new(self.block.bytes())];
        let written = rustix::io::pwritev(&self.file, &parts, at).map_err(Failure::at("a write"))?;
        if written == BLOCK_BYTES { Ok(()) } else { Err(Failure::new("a short write")) }
    }
}

/// The same through the project's own disk.
struct Durable {
    file: Arc<dyn DiskFile>,
    at: u64,
    block: Block,
}

impl Durable {
    fn open(scratch: &Scratch) -> Outcome<Durable> {
        let world = real::world().map_err(Failure::at("no random bytes"))?;
        let file = world.disk.open(&scratch.0, Open::Durable).map_err(Failure::at("can't open the file"))?;
        Ok(Durable { file, at: 0, block: block() })
    }

    async fn write(&mut self) -> Outcome<()> {
        let block = std::mem::replace(&mut self.block, Block::with_capacity(0));
        let (block, outcome) = self.file.write_durable(self.at, block).await;
        self.at = (self.at + BLOCK_BYTES as u64) % FILE_BYTES;
        self.block = block;
        outcome.map_err(Failure::at("a write"))
    }
}

fn block() -> Block {
    let mut block = Block::with_capacity(BLOCK_BYTES);
    block.put(&[0xa5; BLOCK_BYTES]);
    block
}
