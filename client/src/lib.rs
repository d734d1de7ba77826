//! A client of Kafka's protocol, for Thalweg and for any Kafka from 2.1 on.
//!
//! A [`Client`] knows the cluster: it holds the connections, finds out who leads which partition, and asks again, with a
//! growing pause, where that has changed. A [`Producer`] writes through it: records gather into batches, batches go to
//! their leaders in order, and each record's [`Delivery`] tells where it is, once it is there. A [`Consumer`] reads the
//! partitions that it is told to, ahead of the program; a [`GroupConsumer`] those that its group gives it. An [`Admin`]
//! changes what the cluster is.
//!
//! Everything is bounded: records on their way, requests on a connection, bytes of an answer. Nothing panics on what a
//! broker sends. All that is not a function of its inputs comes from a [`thalweg_world::World`], so that a client runs
//! against a simulated broker as it does against a real one.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use thalweg_client::{Client, Options, Producer, Record, producer};
//!
//! let client = Client::new(thalweg_world::real::world()?, Options::to("127.0.0.1:9092"));
//! let producer = Producer::new(client, producer::Options::default())?;
//! let delivery = producer.send(Record::to("greetings").key("k").value("hello")).await?;
//! println!("at offset {}", delivery.await?.offset);
//! producer.close().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod admin;
mod backoff;
mod cluster;
mod connection;
pub mod consumer;
mod coordinator;
pub mod group;
mod offsets;
pub mod producer;

pub use admin::Admin;
pub use cluster::{Client, ClientError, Leader, Options};
pub use connection::CallError;
pub use consumer::{ConsumeError, ConsumedRecord, Consumer, Records};
pub use group::{Assignor, CommitError, GroupConsumer, Polled};
pub use offsets::{Isolation, Start};
pub use producer::{Delivery, DeliveryError, Producer, Receipt, Record, SendError};
