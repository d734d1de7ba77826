//! The same world from one seed: a disk that loses what was not synced, a network in memory, time that waits.
//!
//! On a current-thread tokio runtime with paused time a whole node runs inside plain `cargo test`, and the same seed
//! gives the same bytes. Nothing here reads a real clock, a random device or an unordered map.

pub mod clock;
pub mod disk;
pub mod net;
pub mod offload;
pub mod rng;

use std::sync::Arc;
use std::time::Duration;

use thalweg_wire::Timestamp;

use crate::{Clock, World};

pub use clock::SimulatedClock;
pub use disk::{Faults, SimulatedDisk};
pub use net::{SimulatedNet, Traffic};
pub use offload::SimulatedOffload;
pub use rng::{Chance, Rng, SimulatedEntropy};

/// What the wall shows when a world begins: the first of January 2026, UTC.
pub const WALL_AT_START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// A node's world, and the handles by which a test moves it.
#[derive(Clone)]
pub struct SimulatedWorld {
    /// What the node is given.
    pub world: World,
    /// Its disk: crashes, faults, durable bytes.
    pub disk: SimulatedDisk,
    /// Its network: cuts; and the door by which a test's clients come in.
    pub net: SimulatedNet,
    /// Its clock: jumps.
    pub clock: Arc<SimulatedClock>,
    seed: u64,
    traffic: Traffic,
}

impl SimulatedWorld {
    /// A sound world: only power cuts lose anything. To be called inside the runtime, so that its clock starts there.
    pub fn new(seed: u64) -> SimulatedWorld {
        SimulatedWorld::with(seed, Faults::default(), Traffic::default())
    }

    /// A world with faults of its own.
    pub fn with(seed: u64, faults: Faults, traffic: Traffic) -> SimulatedWorld {
        SimulatedWorld::build(seed, SimulatedDisk::new(seed, faults), traffic, WALL_AT_START)
    }

    /// The world of the machine's next boot: the same disk, all else fresh, the wall one second on. How the last boot
    /// ended is the disk's to say: [`SimulatedDisk::crash`] or [`SimulatedDisk::kill`] comes first.
    pub fn reboot(&self) -> SimulatedWorld {
        let wall = Timestamp::from_millis(self.clock.wall().millis() + Duration::from_secs(1).as_millis() as i64);
        // Another boot draws other numbers, else each would make the ids of the one before.
        let seed = Rng::stream(self.seed, "reboot").next_u64();
        SimulatedWorld::build(seed, self.disk.clone(), self.traffic.clone(), wall)
    }

    fn build(seed: u64, disk: SimulatedDisk, traffic: Traffic, wall: Timestamp) -> SimulatedWorld {
        let net = SimulatedNet::new(seed, traffic.clone());
        let clock = Arc::new(SimulatedClock::new(wall));
        let world = World {
            disk: Arc::new(disk.clone()),
            net: Arc::new(net.clone()),
            clock: clock.clone(),
            entropy: Arc::new(SimulatedEntropy::new(seed)),
            offload: Arc::new(SimulatedOffload::new(seed)),
        };
        SimulatedWorld { world, disk, net, clock, seed, traffic }
    }
}
