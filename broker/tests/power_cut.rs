//! The power goes off anywhere, over and over: nothing acknowledged is lost, nothing is invented, no offset is skipped.

mod support;

/// Small, so that checkpoints come and its files are written over.
const JOURNAL_BYTES: u64 = 1 << 20;

use std::sync::{Arc, Mutex};

use support::seeds;
use support::workload::{self, Ledger, SharedLedger, boot, client};
use thalweg_world::simulated::{Rng, SimulatedWorld};

/// Two crashes under load, the second often in the middle of the recovery from the first, then a look at everything.
fn run(seed: u64) -> u64 {
    let ledger: SharedLedger = Arc::new(Mutex::new(Ledger::default()));
    let mut rng = Rng::stream(seed, "crashes");
    let mut sim = boot(async { SimulatedWorld::new(seed) });
    for round in 0..3 {
        // A start takes some thirty operations, the load a few hundred: both are hit.
        let within = if rng.coin() { 40 } else { 400 };
        sim.disk.crash_at(sim.disk.operations() + 1 + rng.below(within));
        sim = boot(async {
            let sim = sim.reboot();
            // A start that fails for lack of power is what is tested; any other failure is not.
            let Ok(broker) = workload::start_with(&sim, JOURNAL_BYTES).await else { return sim };
            let clients = (0..3).map(|number| {
                let name = format!("client-{round}-{number}");
                tokio::spawn(client(sim.world.clone(), ledger.clone(), seed, name, 60))
            });
            for client in clients.collect::<Vec<_>>() {
                // Connections break when the power goes; a broken promise panics.
                let _ = client.await.expect("a promise was broken");
            }
            drop(broker);
            sim
        });
        sim.disk.crash();
        sim.disk.forget_orders();
    }
    boot(async {
        let sim = sim.reboot();
        let broker = workload::start_with(&sim, JOURNAL_BYTES)
            .await
            .unwrap_or_else(|error| panic!("no start after the cuts: {error}"));
        let records = workload::check(&sim.world, &ledger).await.expect("a connection");
        broker.stop().await.expect("a clean stop");
        records
    })
}

/// Two tests, so that two cores share the seeds.
fn run_all(seeds: impl Iterator<Item = u64>) {
    let records: u64 = seeds.map(run).sum();
    assert!(records > 2_500, "the seeds are not idle: {records} records");
}

#[test]
fn nothing_acknowledged_is_lost_over_a_hundred_even_seeds() {
    run_all((0..seeds(200)).step_by(2));
}

#[test]
fn nothing_acknowledged_is_lost_over_a_hundred_odd_seeds() {
    run_all((1..seeds(200)).step_by(2));
}
