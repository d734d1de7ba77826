//! The same seed gives the same bytes: what clients received, what was done to the disk, what is on it.

mod support;

/// Small, so that checkpoints come and its files are written over.
const JOURNAL_BYTES: u64 = 1 << 20;

use std::sync::{Arc, Mutex};

use support::workload::{self, Ledger, SharedLedger, boot, client};
use thalweg_world::simulated::SimulatedWorld;

/// All that can be seen of a run.
#[derive(PartialEq, Eq, Debug)]
struct Trace {
    transcript: Vec<String>,
    operations: u64,
    operations_digest: u64,
    disk_digest: u64,
}

fn run(seed: u64) -> Trace {
    let ledger: SharedLedger = Arc::new(Mutex::new(Ledger::default()));
    let sim = boot(async {
        let sim = SimulatedWorld::new(seed);
        let broker = workload::start_with(&sim, JOURNAL_BYTES).await.expect("a start");
        let clients = (0..4).map(|number| {
            let name = format!("client-{number}");
            tokio::spawn(client(sim.world.clone(), ledger.clone(), seed, name, 40))
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("no panic").expect("no broken connection");
        }
        broker.stop().await.expect("a clean stop");
        sim
    });
    sim.disk.kill();
    boot(async {
        let sim = sim.reboot();
        let broker = workload::start_with(&sim, JOURNAL_BYTES).await.expect("a second start");
        workload::check(&sim.world, &ledger).await.expect("a connection");
        broker.stop().await.expect("a clean stop");
    });
    let transcript = std::mem::take(&mut ledger.lock().expect("no client panicked").transcript);
    Trace {
        transcript,
        operations: sim.disk.operations(),
        operations_digest: sim.disk.log_digest(),
        disk_digest: sim.disk.digest(),
    }
}

#[test]
fn the_same_seed_twice_gives_the_same_bytes() {
    for seed in [1, 2, 7_640_891_576_956_012_809] {
        let (first, second) = (run(seed), run(seed));
        assert!(first.transcript.len() > 100, "the clients did something: {}", first.transcript.len());
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn another_seed_gives_other_bytes() {
    assert_ne!(run(1).disk_digest, run(3).disk_digest);
}
