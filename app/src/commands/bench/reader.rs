//! Reads what 'bench latency' sends, and takes its times.

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use thalweg_client::consumer::{self, Consumer};
use thalweg_client::{Admin, Client, Start};
use thalweg_wire::PartitionIndex;
use thalweg_world::World;

use super::ground::Ground;
use super::lanes::Board;
use super::latencies::{Latencies, Percentiles};
use super::stamp::{Stamp, WARM_UP};
use crate::failure::{Exit, Failure};
use crate::progress::{self, Progress};
use crate::signals::Stop;

/// Who reads.
pub(super) struct Reader {
    consumer: Consumer,
    world: World,
    run: u64,
    pub(super) consumed: u64,
    /// Records that came and aren't counted.
    warm: usize,
    pub(super) latencies: Latencies,
}

impl Reader {
    /// Reads a topic from where it ends now.
    pub(super) async fn at_the_end(
        admin: &Admin,
        client: Client,
        ground: &Ground,
        run: u64,
    ) -> Result<Reader, Failure> {
        // The sender's: moments of two worlds have nothing to do with each other.
        let world = admin.client().world().clone();
        let partitions: Vec<_> = (0..ground.partitions).filter_map(|index| i32::try_from(index).ok()).collect();
        let asked: Vec<_> =
            partitions.iter().map(|index| (ground.topic.as_str(), PartitionIndex(*index), Start::Latest)).collect();
        let ends = admin.offsets(&asked).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let consumer = Consumer::new(client, consumer::Options::default());
        let places = partitions.iter().zip(ends);
        consumer.assign(places.map(|(index, end)| (ground.topic.as_str(), *index, Start::Offset(end))));
        Ok(Reader { consumer, world, run, consumed: 0, warm: 0, latencies: Latencies::new() })
    }

    /// Reads until something has come of each partition.
    pub(super) async fn warmed_up(&mut self, partitions: usize) -> Result<(), Failure> {
        while self.warm < partitions {
            self.take().await?;
        }
        Ok(())
    }

    /// The next records. What is no record of this run is passed over.
    async fn take(&mut self) -> Result<(), Failure> {
        let records = self.consumer.poll().await.map_err(|error| {
            let next = "'thalweg topic describe' shows whether its partitions are well";
            Failure::new(Exit::Failed, error.to_string(), next)
        })?;
        let now = self.world.clock.now();
        for stamp in records.iter().filter_map(|record| Stamp::read(self.run, record.value?)) {
            if stamp.number == WARM_UP {
                self.warm += 1;
            } else {
                self.consumed += 1;
                self.latencies.record(now.since(stamp.due));
            }
        }
        Ok(())
    }

    /// Reads until all is sent, and what is there has come; says what is wrong, if something is.
    pub(super) async fn read_beside<T>(
        &mut self,
        told: impl Future<Output = Result<T, Failure>>,
        board: &Board,
        stop: &Stop,
        end: SyncSender<()>,
        timeout: Duration,
    ) -> Result<(T, Option<Failure>), Failure> {
        tokio::pin!(told);
        let (mut progress, world) = (Progress::new(), self.world.clone());
        let (began, mut end, mut sent, mut failure) = (world.clock.now(), Some(end), None, None);
        let (mut tick, mut patience) = (began + progress::EACH, None);
        loop {
            if sent.is_some() && (failure.is_some() || self.consumed >= board.told().arrived) {
                break;
            }
            tokio::select! {
                biased;
                all = &mut told, if sent.is_none() => {
                    sent = Some(all?);
                    patience = Some(world.clock.now() + timeout);
                }
                // Without anybody who might say more, who waits for a word ends.
                () = stop.asked(), if end.is_some() => end = None,
                taken = self.take(), if failure.is_none() => if let Err(why) = taken {
                    failure = Some(why);
                    end = None;
                },
                () = world.clock.sleep_until(tick) => {
                    let now = world.clock.now();
                    tick = now + progress::EACH;
                    progress.show(|| self.line(now.since(began)));
                    if patience.is_some_and(|until| now > until) {
                        failure = Some(lost(board.told().arrived - self.consumed));
                    }
                }
            }
        }
        match sent {
            Some(sent) => Ok((sent, failure)),
            None => Err(lost(0)),
        }
    }

    fn line(&self, span: Duration) -> String {
        let Percentiles { p50, p99, .. } = self.latencies.percentiles();
        format!("{:.0} s: {} consumed, p50 {p50:.3} ms, p99 {p99:.3} ms", span.as_secs_f64(), self.consumed)
    }
}

fn lost(records: u64) -> Failure {
    let what = format!("{records} records are acknowledged, and nobody gives them");
    Failure::new(Exit::Unreachable, what, "--timeout gives it longer; 'thalweg topic describe' shows what is there")
}
