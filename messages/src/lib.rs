//! Kafka's requests, responses and stored records as structs that read and write themselves.
//!
//! `messages/schema` describes each message in a file to be read by people; `cargo xtask generate` makes Rust of it.
//! Only what every record passes through is written by hand: [`produce`] and [`fetch`] also offer views that borrow
//! from the frame and allocate nothing, and writers that put records by reference.
#![forbid(unsafe_code)]

pub mod api;
pub mod consumer_protocol;
pub mod control_records;
pub mod fetch;
mod generated;
pub mod group_log;
#[cfg(feature = "json")]
pub mod json;
mod keyed;
mod message;
pub mod metadata_log;
mod prelude;
pub mod produce;
mod view;

pub use generated::*;
pub use message::{Message, Record, Request, Response};
