//! Replicated machines: a leader decides on records, everybody applies them, and all come to the same state.
//!
//! [`machine`] is what they have in common; [`cluster`] is brokers, topics and features; [`groups`] is who reads together,
//! and how far they have read. Everything here is a function of its inputs: time, ids and settings come in with the
//! command, maps are ordered, nothing awaits.
#![forbid(unsafe_code)]

pub mod cluster;
pub mod groups;
pub mod machine;
pub mod ordered;

pub use machine::{Context, Decision, Machine};
pub use ordered::OrderedMap;
