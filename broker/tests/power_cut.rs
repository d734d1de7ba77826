//! The power goes off anywhere, over and over: nothing acknowledged is lost, nothing is invented, no offset is skipped.

mod support;

/// So small that its files are written over again and again.
const JOURNAL_BYTES: u64 = 64 << 10;

use std::sync::{Arc, Mutex};

use support::seeds;
use support::workload::{self, Ledger, SharedLedger, boot, client};
use thalweg_broker::{Broker, StartError};
use thalweg_world::simulated::disk::{Kind, Operation};
use thalweg_world::simulated::{Rng, SimulatedWorld};

/// A broker like that; with most seeds two batches of a partition on their way are enough to go past the journal.
async fn start(sim: &SimulatedWorld, seed: u64) -> Result<Broker, StartError> {
    let (journal, bypass) = (JOURNAL_BYTES.to_string(), ["1", "400", "262144"][seed as usize % 3]);
    let settings = [("journal.bytes", &journal[..]), ("journal.bypass.bytes", bypass), ("num.partitions", "3")];
    Broker::start(sim.world.clone(), workload::settings_with(&settings)).await
}

/// What so many seeds came to.
#[derive(Default)]
struct Total {
    /// Records that are there at the end.
    records: u64,
    past_the_journal: u64,
    journal_bytes: u64,
}

/// Two crashes under load, the second often in the middle of the recovery from the first, then a look at everything.
fn run(seed: u64, total: &mut Total) {
    let ledger: SharedLedger = Arc::new(Mutex::new(Ledger::default()));
    let mut rng = Rng::stream(seed, "crashes");
    let mut sim = boot(async { SimulatedWorld::new(seed) });
    for round in 0..3 {
        // A start takes some thirty operations, the load a few hundred: both are hit.
        let within = if rng.coin() { 40 } else { 400 };
        sim.disk.crash_at(sim.disk.operations() + 1 + rng.below(within));
        let (rebooted, writes) = boot(async {
            let sim = sim.reboot();
            // A start that fails for lack of power is what is tested; any other failure is not.
            let Ok(broker) = start(&sim, seed).await else { return (sim, 0) };
            let clients = (0..3).map(|number| {
                let name = format!("client-{round}-{number}");
                tokio::spawn(client(sim.world.clone(), ledger.clone(), seed, name, 60))
            });
            for client in clients.collect::<Vec<_>>() {
                // Connections break when the power goes; a broken promise panics.
                let _ = client.await.expect("a promise was broken");
            }
            let writes = broker.writes_past_the_journal();
            drop(broker);
            (sim, writes)
        });
        sim = rebooted;
        total.past_the_journal += writes;
        sim.disk.crash();
        sim.disk.forget_orders();
    }
    boot(async {
        let sim = sim.reboot();
        let broker = start(&sim, seed).await.unwrap_or_else(|error| panic!("no start after the cuts: {error}"));
        total.records += workload::check(&sim.world, &ledger).await.expect("a connection");
        broker.stop().await.expect("a clean stop");
    });
    let to_the_journal = |of: &&Operation| of.kind == Kind::WriteDurable && of.path.starts_with("/data/logs/journal");
    total.journal_bytes += sim.disk.log().iter().filter(to_the_journal).map(|of| of.length).sum::<u64>();
}

/// Two tests, so that two cores share the seeds.
fn run_all(seeds: impl Iterator<Item = u64>) {
    let (mut total, mut count) = (Total::default(), 0);
    for seed in seeds {
        run(seed, &mut total);
        count += 1;
    }
    let Total { records, past_the_journal, journal_bytes } = total;
    let laps = journal_bytes / JOURNAL_BYTES / count;
    println!("{records} records, {past_the_journal} writes past the journal, which was written over {laps} times");
    assert!(records > 2_500, "the seeds are not idle: {records} records");
    assert!(past_the_journal > 500, "few writes go past the journal: {past_the_journal}");
    assert!(laps >= 3, "the journal was written over {laps} times");
}

#[test]
fn nothing_acknowledged_is_lost_over_a_hundred_even_seeds() {
    run_all((0..seeds(200)).step_by(2));
}

#[test]
fn nothing_acknowledged_is_lost_over_a_hundred_odd_seeds() {
    run_all((1..seeds(200)).step_by(2));
}
