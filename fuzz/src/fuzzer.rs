//! The fuzzer's binary: libFuzzer around one target, which `THALWEG_FUZZ` names.
//!
//! Its macro exports the symbol that libFuzzer calls, which the lint against unsafe code would refuse.
#![no_main]

use std::alloc::System;
use std::sync::OnceLock;

use cap::Cap;
use libfuzzer_sys::fuzz_target;
use thalweg_fuzz::{Target, target};

/// The most that a target may hold: some 8,000 times the largest input, and what one batch may become. Past it an allocation
/// fails, which ends the process, which libFuzzer takes for what it is.
const BYTES_MAX: usize = 512 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, BYTES_MAX);

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("THALWEG_FUZZ").expect("THALWEG_FUZZ names a target");
        target(&name).expect("there is such a target")
    });
    (target.run)(bytes);
});
