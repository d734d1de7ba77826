//! The broker: composes the pillars, the log and the quorum into a node that clients can talk to.
//!
//! [`broker`] puts a node together; [`server`] and [`connection`] are its border; [`handlers`] has a file for each API;
//! [`partition`] ties the replica's rules to the log's bytes; [`cluster`] is the metadata as handlers see it.
#![forbid(unsafe_code)]

pub mod broker;
pub mod budgets;
pub mod cluster;
pub mod connection;
pub mod deletion;
mod dormant;
pub mod fetch_session;
mod follow;
pub mod frames;
pub mod groups;
pub mod handlers;
pub mod listeners;
pub mod metrics;
pub mod pace;
pub mod partition;
pub mod partitions;
pub mod producer_ids;
pub mod reply;
pub mod rulebook;
pub mod server;
pub mod settings;
pub mod waiters;

pub use broker::{Broker, StartError, StopError};
