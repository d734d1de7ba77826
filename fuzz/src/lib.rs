//! What is fuzzed: every function that reads bytes which somebody else has written, by family.
//!
//! A target takes any bytes, and ends: it doesn't panic, it doesn't take more memory than the binary allows it, and what it
//! reads it can write again. `cargo xtask fuzz` runs them; `replay` runs one over files, which is how a finding is looked at.
//! Seeds are made of the fixtures (`seeds`), so only what the fuzzer found itself is kept, under `corpus`.
#![forbid(unsafe_code)]

pub mod files;
pub mod messages;
pub mod seeds;
pub mod wire;

/// Something to be fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its corpus.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "frames", run: wire::frames },
    Target { name: "batches", run: wire::batches },
    Target { name: "codecs", run: wire::codecs },
    Target { name: "messages", run: messages::messages },
    Target { name: "records", run: messages::records },
    Target { name: "segments", run: files::segments },
    Target { name: "indexes", run: files::indexes },
    Target { name: "snapshots", run: files::snapshots },
    Target { name: "checkpoints", run: files::checkpoints },
    Target { name: "journal", run: files::journal },
    Target { name: "metadata", run: files::metadata },
    Target { name: "properties", run: files::properties },
];

/// The target of a name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|target| target.name == name).copied()
}
