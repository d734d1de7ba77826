//! Offloaded work on the same thread, some time later: the order that a pool of threads gives by chance, from the seed.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::rng::Rng;
use crate::{BoxFuture, Offload};

/// How long a job waits for its turn.
const WAITS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_millis(3);

/// Runs each job as a task of the runtime after a delay from the seed.
#[derive(Debug)]
pub struct SimulatedOffload {
    rng: Mutex<Rng>,
}

impl SimulatedOffload {
    /// The stream "offload" of a seed.
    pub fn new(seed: u64) -> SimulatedOffload {
        SimulatedOffload { rng: Mutex::new(Rng::stream(seed, "offload")) }
    }
}

impl Offload for SimulatedOffload {
    fn run(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let waits = self.rng.lock().unwrap_or_else(PoisonError::into_inner).span(&WAITS);
        let running = tokio::spawn(async move {
            tokio::time::sleep(waits).await;
            job();
        });
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
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn jobs_end_in_an_order_of_the_seed_and_without_being_waited_for() {
        let mut orders = Vec::new();
        for seed in [1, 2, 3, 4, 1] {
            let offload = SimulatedOffload::new(seed);
            let order = Arc::new(Mutex::new(Vec::new()));
            for job in 0..6 {
                let order = order.clone();
                drop(offload.run(Box::new(move || order.lock().unwrap().push(job))));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            orders.push(order.lock().unwrap().clone());
        }
        assert!(orders.iter().all(|order| order.len() == 6));
        assert_eq!(orders[0], orders[4]);
        assert!(orders[..4].iter().any(|order| *order != [0, 1, 2, 3, 4, 5]));
    }
}
