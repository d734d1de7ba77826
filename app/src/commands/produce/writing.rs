//! How records are written: the flags, and the producer that they make.

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
        Producer::new(client, options).map_err(|invalid| {
            Failure::new(Exit::Usage, invalid.to_string(), "'thalweg produce --help' says what each flag takes")
        })
    }
}
