//! Groups: transcripts, what a real Kafka left behind, and whatever chance comes up with.
#![allow(clippy::unwrap_used)]

mod chance;
mod kafka;
mod stage;
mod transcripts;
