//! The operating system: the only place in the project that names files, sockets, clocks, threads and chance directly.

mod clock;
mod disk;
mod durable;
mod lock;
mod net;
mod starter;

use std::io;
use std::sync::Arc;

use rustix::rand::{GetRandomFlags, getrandom};

use crate::{BoxFuture, Entropy, Offload, World};

pub use clock::RealClock;
pub use disk::RealDisk;
pub use net::RealNet;
pub use starter::starter_ended;

/// The real world. Its verbs that wait need a tokio runtime with I/O and time; making it needs none.
/// Errors when the system has no random bytes to give.
pub fn world() -> io::Result<World> {
    Ok(World {
        disk: Arc::new(RealDisk::default()),
        net: Arc::new(RealNet),
        clock: Arc::new(RealClock::default()),
        entropy: Arc::new(RealEntropy::new()?),
        offload: Arc::new(RealOffload),
    })
}

/// The kernel's random bytes.
#[derive(Debug)]
pub struct RealEntropy(());

impl RealEntropy {
    /// Tries the source once, so that [`Entropy::fill`] needs no error: `getrandom` that gave once goes on giving.
    pub fn new() -> io::Result<RealEntropy> {
        random(&mut [0])?;
        Ok(RealEntropy(()))
    }
}

impl Entropy for RealEntropy {
    fn fill(&self, into: &mut [u8]) {
        random(into).expect("the kernel gave random bytes before and has stopped");
    }
}

fn random(into: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < into.len() {
        let rest = &mut into[filled..];
        filled += rustix::io::retry_on_intr(|| getrandom(&mut *rest, GetRandomFlags::empty()))?;
    }
    Ok(())
}

/// The runtime's blocking threads, bounded by its `max_blocking_threads`.
#[derive(Debug)]
pub struct RealOffload;

impl Offload for RealOffload {
    fn run(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let running = tokio::task::spawn_blocking(job);
        Box::pin(async move {
            // Cancelled only when the runtime ends, and then nobody is left to ask.
            if let Err(error) = running.await
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_offloaded_job_ends_even_when_nobody_waits_for_it() {
        let world = world().unwrap();
        let (done, ended) = tokio::sync::oneshot::channel();
        drop(world.offload.run(Box::new(move || done.send(7).unwrap())));
        assert_eq!(ended.await.unwrap(), 7);
        assert_eq!(world.offload(|| 6 * 7).await, 42);
    }

    #[test]
    fn random_ids_differ() {
        let entropy = RealEntropy::new().unwrap();
        assert_ne!(entropy.uuid(), entropy.uuid());
    }
}
