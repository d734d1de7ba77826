//! Work that would hold up an async worker: blocking calls of [`crate::Disk`], verifying a large batch.

use crate::{BoxFuture, World};

/// Somewhere else to run.
pub trait Offload: Send + Sync + 'static {
    /// Runs the job elsewhere; ready once it has ended. The job runs to its end even if the future is dropped.
    fn run(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;
}

impl World {
    /// Runs `work` where it may block, and gives its result. A panic inside goes on here.
    pub async fn offload<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (give, result) = tokio::sync::oneshot::channel();
        let job = Box::new(move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // The asker may have gone; then nobody wants the result.
            let _ = give.send(outcome);
        });
        self.offload.run(job).await;
        match result.await {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => panic!("an offloaded job ended without a result"),
        }
    }
}
