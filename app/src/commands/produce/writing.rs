//! How records are written: the flags, and the producer that they make.

use std::time::Duration;

use clap::{Args, ValueEnum};
use thalweg_client::producer::{self, Acks};
use thalweg_client::{Client, Producer};
use thalweg_wire::batch::Compression;

use crate::failure::{Exit, Failure};

/// The flags.
#[derive(Args, Clone, Debug)]
pub(in crate::commands) struct Writing {
    /// How batches are compressed
    #[arg(long, value_enum, value_name = "CODEC", default_value = "none", help_heading = "Writing")]
    compression: Codec,

    /// Who has to have a record before it counts as there: all replicas in sync, the leader, or nobody
    #[arg(long, value_enum, value_name = "WHO", default_value = "all", help_heading = "Writing")]
    acks: Who,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Who {
    All,
    #[value(name = "1")]
    Leader,
    #[value(name = "0")]
    Nobody,
}

/// What a record may take besides what it is made of: the broker knows best what is too large.
const AROUND_RECORD: usize = 64 << 10;

/// What a producer may hold and how long it may take, where no record is larger.
pub(in crate::commands) fn options(record_bytes_max: usize, timeout: Duration) -> producer::Options {
    let options = producer::Options::default();
    let request_bytes_max = options.request_bytes_max.max(record_bytes_max) + AROUND_RECORD;
    producer::Options {
        request_bytes_max,
        buffer_bytes: options.buffer_bytes.max(request_bytes_max),
        max_block: timeout,
        delivery_timeout: timeout,
        ..options
    }
}

/// Kafka's default level.
const ZSTD_LEVEL: i32 = 3;

impl Writing {
    /// A producer of a client, which writes like this.
    pub(in crate::commands) fn producer(
        &self,
        client: Client,
        options: &producer::Options,
    ) -> Result<Producer, Failure> {
        let acks = match self.acks {
            Who::All => Acks::All,
            Who::Leader => Acks::Leader,
            Who::Nobody => Acks::None,
        };
        let compression = match self.compression {
            Codec::None => Compression::None,
            Codec::Gzip => Compression::Gzip(None),
            Codec::Snappy => Compression::Snappy,
            Codec::Lz4 => Compression::Lz4,
            Codec::Zstd => Compression::Zstd(ZSTD_LEVEL),
        };
        let is_idempotent = acks == Acks::All;
        let options = producer::Options { acks, is_idempotent, compression, ..options.clone() };
        Producer::new(client, options)
            .map_err(|invalid| Failure::new(Exit::Usage, invalid.to_string(), "'--help' says what each flag takes"))
    }
}
