//! One partition's rules: which offset a batch gets, when it counts as acknowledged, who may read how far.
//!
//! Nothing here waits, reads a clock or touches a disk. A [`Leader`] is told what happened and says what follows from
//! it; whoever owns it does the rest.
#![forbid(unsafe_code)]

pub mod epochs;
pub mod high_watermark;
pub mod leader;
pub mod producers;

pub use epochs::{EpochEnd, EpochStart, Epochs};
pub use high_watermark::{Mark, Standing};
pub use leader::{Admitted, AppendError, Effects, Isolation, Leader, LogStartError, Recovered, Reign};
pub use producers::SequenceError;
