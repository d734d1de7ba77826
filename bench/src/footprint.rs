//! What a broker leaves on the disk, for each byte of a batch that it was sent.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::drive::{Load, Until, drive};
use crate::report::Report;
use crate::requests::{Acks, ProduceFrame, Shape};
use crate::subject::Target;
use crate::{Failure, Outcome, client};

/// The topic that loads go to.
const TOPIC: &str = "footprint";

/// What to send.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Records per batch and bytes per record
    #[arg(long, value_name = "RECORDSxBYTES", default_value = "1000x100")]
    pub(crate) batch: Shape,

    /// Partitions, taken in turn
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) partitions: u32,

    /// MiB of values
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) mib: u32,
}

/// Starts the target, loads it, stops it, counts.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let mut subject = arguments.target.start()?;
    let Arguments { batch, partitions, mib, .. } = *arguments;
    client::Client::connect(subject.address()).await?.create_topic(TOPIC, partitions).await?;
    let requests = (u64::from(mib) << 20).div_ceil(batch.payload().max(1));
    let load = Load {
        frame: ProduceFrame::new(TOPIC, &batch.batch(), Acks::All)?,
        connections: 4,
        depth: 16,
        partitions,
        until: Until { time: Duration::from_secs(300), requests },
        period: None,
        due: None,
    };
    drive(subject.address(), &load).await?.whole(&load)?;
    let written = subject.usage()?.map(|usage| usage.disk_bytes);
    subject.stop()?;
    let data = subject.data().ok_or_else(|| Failure::new("only a broker that we start is stopped and looked at"))?;
    let bytes = (requests * batch.batch().len() as u64) as f64;
    let mut report = Report::new(format!("{mib} MiB of {batch} B in {partitions} partitions: {}", subject.name()));
    report.put("file bytes per byte of batches", size(&data)? as f64 / bytes, "");
    if let Some(written) = written {
        report.put("bytes written per byte of batches", written as f64 / bytes, "");
    }
    Ok(report)
}

/// The sizes of all files in a folder.
fn size(folder: &Path) -> Outcome<u64> {
    let failed = "the data directory can't be read";
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(Failure::at(failed))? {
        let entry = entry.map_err(Failure::at(failed))?;
        let metadata = entry.metadata().map_err(Failure::at(failed))?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
