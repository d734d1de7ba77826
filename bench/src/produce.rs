//! Produce as fast as it goes: what a broker does per second, and what each GiB and each million records cost it.

use std::time::Duration;

use crate::drive::{Driven, Load, Until, drive};
use crate::process;
use crate::report::Report;
use crate::requests::{Acks, ProduceFrame, Shape};
use crate::subject::{Subject, Target};
use crate::{Failure, Outcome, client};

/// The topic that loads go to.
const TOPIC: &str = "bench";

/// A warm-up that takes longer than this is no warm-up.
const WARM_UP_MAX: Duration = Duration::from_secs(60);

/// What to send, and how much of it.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Records per batch and bytes per record; a request carries one batch
    #[arg(long, value_name = "RECORDSxBYTES", default_value = "1000x100")]
    pub(crate) batch: Shape,

    /// Connections
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,

    /// Requests on their way on each connection
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) depth: u32,

    /// Partitions, taken in turn
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) partitions: u32,

    /// Who has to have a batch before it is acknowledged
    #[arg(long, value_name = "WHO", default_value = "all")]
    pub(crate) acks: Acks,

    /// Stop after so many seconds
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,

    /// Stop after so many MiB of values, if that is earlier: the journal has to hold them
    #[arg(long, value_name = "MIB", default_value_t = 3072)]
    pub(crate) mib: u64,

    /// Send so many MiB before measuring: a journal that has to hold them makes its files meanwhile
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    pub(crate) warm_up_mib: u64,
}

/// A measured load: what came of it, and what it cost whom.
pub(crate) struct Measured {
    pub(crate) driven: Driven,
    pub(crate) broker: Option<process::Usage>,
    pub(crate) client: process::Usage,
    /// Durable writes of the journal meanwhile.
    pub(crate) frames: Option<u64>,
}

/// Starts the target if need be, loads it, reports.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let subject = arguments.target.start()?;
    let Arguments { batch, connections, depth, partitions, .. } = *arguments;
    let load = Load {
        frame: ProduceFrame::new(TOPIC, &batch.batch(), arguments.acks)?,
        connections,
        depth: depth as usize,
        partitions,
        until: Until {
            time: Duration::from_secs(arguments.seconds.into()),
            requests: (arguments.mib << 20).div_ceil(batch.payload().max(1)),
        },
        period: None,
        due: None,
    };
    let warm_up = (arguments.warm_up_mib << 20).div_ceil(batch.payload().max(1));
    let measured = measure(&subject, &load, warm_up).await?;
    let mut report = Report::new(format!(
        "produce {batch} B, {connections} connections of {depth} requests, {partitions} partitions: {}",
        subject.name()
    ));
    let records = measured.driven.answered * u64::from(batch.records);
    let bytes = measured.driven.answered * batch.payload();
    report.put_rates(records, bytes, measured.driven.elapsed);
    report.put_latencies(&measured.driven.latencies);
    measured.put_cost(&mut report, records, bytes);
    Ok(report)
}

/// Makes the topic, sends so many requests, at least one to every partition, and then measures.
pub(crate) async fn measure(subject: &Subject, load: &Load, warm_up: u64) -> Outcome<Measured> {
    let to = subject.address();
    client::Client::connect(to).await?.create_topic(TOPIC, load.partitions).await?;
    // Partitions come to life, buffers grow, the journal makes its next file: none of it belongs to the figure.
    let window = u64::from(load.connections) * load.depth as u64;
    let requests = warm_up.max(u64::from(load.partitions)).max(window.min(1024));
    let warm_up = Load { until: Until { time: WARM_UP_MAX, requests }, period: None, ..load.clone() };
    if let Some(error) = drive(to, &warm_up).await?.refused {
        return Err(Failure::new(format!("the broker refuses: {}", client::error_name(error))));
    }
    let (frames, broker, client) = (subject.journal_frames(), subject.usage()?, process::own_usage()?);
    let driven = drive(to, load).await?;
    let (broker_after, client_after) = (subject.usage()?, process::own_usage()?);
    Ok(Measured {
        driven,
        broker: broker_after.zip(broker).map(|(after, before)| after - before),
        client: client_after - client,
        frames: subject.journal_frames().zip(frames).map(|(after, before)| after - before),
    })
}

impl Measured {
    pub(crate) fn put_cost(&self, report: &mut Report, records: u64, bytes: u64) {
        report.put_cost(self.broker, self.client, records, bytes, self.driven.elapsed);
        if let Some(frames) = self.frames {
            report.put("durable writes/1000 records", frames as f64 / (records as f64 / 1e3), "");
        }
        if let Some(error) = self.driven.refused {
            let why = client::error_name(error);
            report.note(format!("ended early: {why} (a full journal, if it is KAFKA_STORAGE_ERROR)"));
        }
    }
}
