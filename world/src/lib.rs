//! Everything that is not a function of its inputs: disk, network, time, chance, and threads that may block.
//!
//! Each is a seam, a small trait: [`disk`], [`net`], [`time`], [`rng`], [`offload`]. [`real`] is the only place in the
//! project that names the operating system; [`simulated`] is the same world out of one seed, on a current-thread
//! runtime with paused time. A node is given a [`World`] and can't tell which one it got.
#![deny(unsafe_code)]

pub mod disk;
pub mod net;
pub mod offload;
pub mod real;
pub mod rng;
pub mod simulated;
pub mod time;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use disk::{Disk, DiskFile};
pub use net::Net;
pub use offload::Offload;
pub use rng::Entropy;
pub use time::Clock;

/// A future behind a border where two implementations meet.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// All that a node knows of the outside. Cheap to clone.
#[derive(Clone)]
pub struct World {
    /// Files and directories.
    pub disk: Arc<dyn Disk>,
    /// Listeners and connections.
    pub net: Arc<dyn Net>,
    /// What time it is, and waiting.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Work that would hold up an async worker.
    pub offload: Arc<dyn Offload>,
}
