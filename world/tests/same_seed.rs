//! The promise on which every seeded test of a node rests: the same seed gives the same bytes, over crashes too.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thalweg_world::disk::{BLOCK_BYTES, Block, Open};
use thalweg_world::net::Stream;
use thalweg_world::simulated::disk::{Operation, PowerOff};
use thalweg_world::simulated::{Chance, Faults, Rng, SimulatedWorld, Traffic};
use thalweg_world::{Clock, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn a_little_node_does_the_same_twice() {
    for seed in 0..10 {
        let (first, second) = (run(seed), run(seed));
        assert_eq!(first.operations, second.operations);
        assert_eq!(first, second);
        assert_ne!(first.durable, run(seed + 1000).durable);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reboot_finds_the_disk_and_draws_other_numbers() {
    let before = SimulatedWorld::new(1);
    before.disk.install(Path::new("/logs/meta.properties"), b"version=1").unwrap();
    before.clock.sleep(Duration::from_secs(90)).await;
    before.disk.crash();
    let after = before.reboot();
    assert!(after.world.disk.open(Path::new("/logs/meta.properties"), Open::Read).is_ok());
    assert_eq!(after.world.clock.wall().millis() - before.clock.wall().millis(), 1000);
    assert_eq!(after.world.clock.now().nanos(), 0);
    assert_ne!(before.world.entropy.uuid(), after.world.entropy.uuid());
}

#[derive(PartialEq, Debug)]
struct Trace {
    operations: Vec<Operation>,
    durable: u64,
    files: Vec<PathBuf>,
    answers: Vec<(u64, u8)>,
}

/// Four boots of a node that journals what a client says, each ended by a power cut somewhere in its work.
fn run(seed: u64) -> Trace {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let faults = Faults { slow_write: Chance::one_in(10), rot_on_read: Chance::one_in(50), ..Faults::default() };
        let mut simulated = SimulatedWorld::with(seed, faults, Traffic::default());
        let mut rng = Rng::stream(seed, "test");
        let mut answers = Vec::new();
        for _ in 0..4 {
            simulated.disk.crash_at(simulated.disk.operations() + 5 + rng.below(40));
            let node = tokio::spawn(node(simulated.world.clone()));
            // It may lose its power before it listens.
            if let Ok(mut client) = retry(&simulated.world).await {
                let mut answer = [0];
                for say in 0..60 {
                    if client.write_all(&[say]).await.is_err() || client.read_exact(&mut answer).await.is_err() {
                        break;
                    }
                    answers.push((simulated.world.clock.now().nanos(), answer[0]));
                }
            }
            let ended = node.await.unwrap();
            assert!(PowerOff::is(&ended.unwrap_err()));
            simulated.disk.crash();
            simulated = simulated.reboot();
        }
        let disk = simulated.disk;
        Trace { operations: disk.log(), durable: disk.digest(), files: disk.files(), answers }
    })
}

async fn retry(world: &World) -> std::io::Result<Stream> {
    let mut outcome = world.net.connect("node:9092").await;
    for _ in 0..20 {
        if outcome.is_ok() {
            break;
        }
        world.clock.sleep(Duration::from_millis(5)).await;
        outcome = world.net.connect("node:9092").await;
    }
    outcome
}

async fn node(world: World) -> std::io::Result<()> {
    let disk = world.disk.clone();
    let journal = world
        .offload(move || {
            disk.create_dir_all(Path::new("/data"))?;
            disk.sync_dir(Path::new("/"))?;
            let id = disk.open(Path::new("/data/id"), Open::Create)?;
            id.write_at(&[IoSlice::new(&[1; 16])], id.size()?)?;
            let journal = disk.open(Path::new("/data/journal"), Open::Create)?;
            journal.set_size(64 * BLOCK_BYTES as u64)?;
            journal.sync()?;
            disk.sync_dir(Path::new("/data"))?;
            disk.open(Path::new("/data/journal"), Open::Durable)
        })
        .await?;
    let mut listener = world.net.listen("node:9092").await?;
    let (mut client, _) = listener.accept().await?;
    let mut block = Block::with_capacity(BLOCK_BYTES);
    for sequence in 0.. {
        let mut said = [0];
        client.read_exact(&mut said).await?;
        block.clear();
        block.put(world.entropy.uuid().0.as_slice());
        block.put(&said);
        block.pad_to(BLOCK_BYTES);
        let (back, outcome) = journal.write_durable(sequence % 64 * BLOCK_BYTES as u64, block).await;
        outcome?;
        block = back;
        client.write_all(&said).await?;
    }
    Ok(())
}
