//! The power goes off at every operation of a quorum's life, founding, growing and shortening included, and again while
//! it recovers. What was acknowledged is there afterwards, in order; what is there was proposed; each life is a new term.

mod stage;

use stage::*;
use thalweg_quorum::{LocalMetaLog, MetaLog, OpenError, ProposeError, Term};
use thalweg_world::simulated::disk::{Kind, Operation};
use thalweg_world::simulated::{Rng, SimulatedWorld};

/// Entries of each life: enough frames to take the ring round.
const PROPOSALS: u32 = 250;

/// What the world outside knows of a node.
#[derive(Default)]
struct Outside {
    /// Everything ever proposed, in order.
    proposed: Vec<u32>,
    /// How many of them, at least, were acknowledged.
    acknowledged: usize,
    /// The newest term that anybody saw.
    term: Term,
}

/// One life: boot, propose, shorten, stop. Ends early when the power goes off.
async fn live(world: &SimulatedWorld, rng: &mut Rng, outside: &mut Outside) -> Result<(), OpenError> {
    let mut node = Node::boot(world).await?;
    outside.check(&node);
    // What was not acknowledged may be gone for good: from here on, what is there is what counts.
    outside.proposed.clone_from(&node.numbers);
    outside.acknowledged = node.numbers.len();
    outside.term = node.term();
    let mut next = outside.proposed.last().copied().unwrap_or(0);
    let end = next + PROPOSALS;
    while next < end {
        let (at, image) = (node.at, node.image());
        let wanted = node.log.snapshot_is_due() || rng.below(20) == 0;
        // Entries go on arriving while a snapshot is taken: some land in frames before its vote, some behind.
        let group = propose(&node.log, rng, outside, &mut next);
        let snapshot = async { !wanted || node.log.snapshot(at, image).await.is_ok() };
        if tokio::join!(group, snapshot) != (true, true) {
            return Ok(());
        }
        while node.numbers.len() < outside.acknowledged {
            node.hear().await;
        }
        assert_eq!(node.numbers, outside.proposed);
    }
    node.log.stop().await;
    Ok(())
}

/// Proposes a few numbers together, and waits for the answers. Says whether the log still lives.
async fn propose(log: &LocalMetaLog, rng: &mut Rng, outside: &mut Outside, next: &mut u32) -> bool {
    for _ in 0..rng.between(1..=2) {
        let group: Vec<_> = (0..rng.between(1..=4))
            .map(|_| {
                *next += 1;
                outside.proposed.push(*next);
                (*next, log.propose(vec![payload(*next, rng.below(1500) as usize)]))
            })
            .collect();
        for (number, answer) in group {
            match answer.await {
                Ok(range) => {
                    assert_eq!(range.end.0 - range.start.0, 1);
                    assert_eq!(range.start.0 as usize, outside.acknowledged + 1, "indexes are dense");
                    outside.acknowledged += 1;
                }
                Err(ProposeError::Failed) => return false,
                // The next round takes a snapshot first. Nothing was written.
                Err(ProposeError::Busy) => outside.proposed.retain(|&other| other != number),
                Err(error) => panic!("{error}"),
            }
        }
    }
    true
}

impl Outside {
    /// Whether a node that has just booted remembers what it owes to the world.
    fn check(&self, node: &Node) {
        let there = node.numbers.len();
        assert!(there >= self.acknowledged, "{there} entries are there, {} were acknowledged", self.acknowledged);
        assert_eq!(Some(&node.numbers[..]), self.proposed.get(..there), "what is there was proposed, in that order");
        assert!(node.term() > self.term, "{:?} after {:?}", node.term(), self.term);
    }
}

/// Lives until the power goes off at that operation (or does not), then once more in full. The operations of the first
/// life, if it wasn't cut.
async fn lives(seed: u64, cut_at: Option<u64>) -> u64 {
    let world = SimulatedWorld::new(seed);
    let mut rng = Rng::stream(seed, "workload");
    let mut outside = Outside::default();
    if let Some(operation) = cut_at {
        world.disk.crash_at(operation);
    }
    let first = live(&world, &mut rng, &mut outside).await;
    let operations = world.disk.operations();
    if cut_at.is_none() {
        let written: u64 = writes(&world).map(|write| write.length).sum();
        assert!(written > small_journal().bytes, "{written} bytes don't take the ring round");
        assert!(!snapshots(&world).is_empty());
    }
    assert!(first.is_ok() || cut_at.is_some(), "{}", first.err().map_or_else(String::new, |error| error.to_string()));
    world.disk.crash();
    // The second boot is cut too, somewhere in its recovery or soon after; the third is not.
    let mut world = world.reboot();
    world.disk.crash_at(world.disk.operations() + rng.between(1..=12));
    let second = live(&world, &mut rng, &mut outside).await;
    if let Err(error) = &second {
        assert!(error.to_string().contains("power is off"), "a power cut is no reason for suspicion: {error}");
    }
    world.disk.crash();
    world = world.reboot();
    live(&world, &mut rng, &mut outside).await.expect("a node whose disk works boots after any power cut");
    world.disk.kill();
    let node = Node::boot(&world.reboot()).await.expect("a killed process loses nothing");
    outside.check(&node);
    operations
}

fn writes(world: &SimulatedWorld) -> impl Iterator<Item = Operation> {
    world.disk.log().into_iter().filter(|operation| operation.kind == Kind::WriteDurable)
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_and_invents_nothing() {
    for seed in 0..2 {
        let operations = play(async || lives(seed, None).await);
        for cut_at in 1..=operations {
            play(async || lives(seed, Some(cut_at)).await);
        }
    }
}

/// Seeds instead of places: other sizes, other groups, other latencies, the cut anywhere.
#[test]
fn a_power_cut_anywhere_over_many_seeds() {
    for seed in 100..200 {
        let operations = play(async || lives(seed, None).await);
        let cut_at = Rng::stream(seed, "cut").between(1..=operations);
        play(async || lives(seed, Some(cut_at)).await);
    }
}
