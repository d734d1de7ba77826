//! The settings of a topic: the 33 of Kafka 4.3, names, defaults and bounds as `LogConfig` has them, and two of ours.
//!
//! `<-` names the broker's settings that stand in when a topic says nothing (Kafka's `ServerTopicConfigSynonyms`).

use super::table::Bounds::{Any, AtLeast, Between, BetweenOrMinusOne, Each, OneOf, Replicas};
use super::table::{Setting, rows};

/// The largest batch that one group commit of the journal takes, in bytes. A larger one would need a lane past the
/// journal; until that exists no topic may allow it.
pub const BATCH_BYTES_MAX: i64 = 16 * 1024 * 1024;

/// The codecs by their names in `compression.type`; `producer` keeps what the producer chose.
pub(super) const COMPRESSION_TYPES: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];
pub(super) const CLEANUP_POLICIES: &[&str] = &["compact", "delete"];
pub(super) const TIMESTAMP_TYPES: &[&str] = &["CreateTime", "LogAppendTime"];
pub(super) const FLUSH_MODES: &[&str] = &["sync", "async"];
pub(super) const STORAGE_MODES: &[&str] = &["disk", "memory"];

pub(super) static TOPIC: &[Setting] = rows! {
    "cleanup.policy" List Some("delete"), Each(CLEANUP_POLICIES), Topic, Waits:
        "What makes room: delete drops old segments, compact keeps each key's last record; nothing keeps all for ever."
        <- "log.cleanup.policy" * 1;
    "compression.gzip.level" Int Some("-1"), BetweenOrMinusOne(1, 9), Topic, Acts:
        "How hard gzip tries where the broker compresses; -1 leaves it to the library."
        <- "compression.gzip.level" * 1;
    "compression.lz4.level" Int Some("9"), Between(1, 17), Topic, Waits:
        "How hard lz4 tries where the broker compresses; there is one level so far, Kafka's default."
        <- "compression.lz4.level" * 1;
    "compression.type" String Some("producer"), OneOf(COMPRESSION_TYPES), Topic, Acts:
        "The codec that batches are stored in; producer keeps each as it came."
        <- "compression.type" * 1;
    "compression.zstd.level" Int Some("3"), Between(-131072, 22), Topic, Acts:
        "How hard zstd tries where the broker compresses."
        <- "compression.zstd.level" * 1;
    "delete.retention.ms" Long Some("86400000"), AtLeast(0), Topic, Waits:
        "How long a compacted topic keeps the mark of a deleted key for readers that come late."
        <- "log.cleaner.delete.retention.ms" * 1;
    "file.delete.delay.ms" Long Some("60000"), AtLeast(0), Topic, Waits:
        "How long a dropped segment's files stay under another name before they go."
        <- "log.segment.delete.delay.ms" * 1;
    "flush.messages" Long Some("9223372036854775807"), AtLeast(1), Topic, Waits:
        "Sync an async topic's log after this many records; a sync topic needs no help."
        <- "log.flush.interval.messages" * 1;
    "flush.mode" String Some("sync"), OneOf(FLUSH_MODES), TopicCreation, Acts:
        "When a record counts as stored: sync once it is on stable storage, async once the operating system has it; it can't change."
        <- "flush.mode" * 1;
    "flush.ms" Long Some("9223372036854775807"), AtLeast(0), Topic, Waits:
        "Sync an async topic's log after this long; a sync topic needs no help."
        <- "log.flush.interval.ms" * 1 <- "log.flush.scheduler.interval.ms" * 1;
    "follower.replication.throttled.replicas" List Some(""), Replicas, Topic, Waits:
        "The replicas whose following is slowed to the throttled rate: PARTITION:BROKER, or * for all.";
    "index.interval.bytes" Int Some("4096"), AtLeast(0), Topic, Acts:
        "How many bytes of batches lie between two entries of an offset index."
        <- "log.index.interval.bytes" * 1;
    "leader.replication.throttled.replicas" List Some(""), Replicas, Topic, Waits:
        "The replicas whose leading is slowed to the throttled rate: PARTITION:BROKER, or * for all.";
    "local.retention.bytes" Long Some("-2"), AtLeast(-2), Topic, Waits:
        "How much of a tiered log stays on the local disk; -2 follows retention.bytes."
        <- "log.local.retention.bytes" * 1;
    "local.retention.ms" Long Some("-2"), AtLeast(-2), Topic, Waits:
        "How long a tiered log stays on the local disk; -2 follows retention.ms."
        <- "log.local.retention.ms" * 1;
    "max.compaction.lag.ms" Long Some("9223372036854775807"), AtLeast(1), Topic, Waits:
        "How long a record of a compacted topic may escape the cleaner at most."
        <- "log.cleaner.max.compaction.lag.ms" * 1;
    "max.message.bytes" Int Some("1048588"), Between(0, BATCH_BYTES_MAX), Topic, Acts:
        "The largest batch that is taken, in bytes, as it is stored."
        <- "message.max.bytes" * 1;
    "message.timestamp.after.max.ms" Long Some("3600000"), AtLeast(0), Topic, Acts:
        "How far a producer's timestamp may be ahead of the broker's clock."
        <- "log.message.timestamp.after.max.ms" * 1;
    "message.timestamp.before.max.ms" Long Some("9223372036854775807"), AtLeast(0), Topic, Acts:
        "How far a producer's timestamp may be behind the broker's clock."
        <- "log.message.timestamp.before.max.ms" * 1;
    "message.timestamp.type" String Some("CreateTime"), OneOf(TIMESTAMP_TYPES), Topic, Acts:
        "Whose clock stamps a record: its producer's (CreateTime) or the leader's (LogAppendTime)."
        <- "log.message.timestamp.type" * 1;
    "min.cleanable.dirty.ratio" Double Some("0.5"), Between(0, 1), Topic, Waits:
        "The share of a compacted log that must be uncleaned before the cleaner takes it up."
        <- "log.cleaner.min.cleanable.ratio" * 1;
    "min.compaction.lag.ms" Long Some("0"), AtLeast(0), Topic, Waits:
        "How long the cleaner leaves a new record of a compacted topic alone at least."
        <- "log.cleaner.min.compaction.lag.ms" * 1;
    "min.insync.replicas" Int Some("1"), AtLeast(1), Topic, Waits:
        "How many in-sync replicas must hold a record before acks=all is answered; never more than the topic has."
        <- "min.insync.replicas" * 1;
    "preallocate" Boolean Some("false"), Any, Topic, Waits:
        "Whether a new segment's file gets its full size at once."
        <- "log.preallocate" * 1;
    "remote.log.copy.disable" Boolean Some("false"), Any, Topic, Waits:
        "Whether a tiered topic stops copying segments to the remote store.";
    "remote.log.delete.on.disable" Boolean Some("false"), Any, Topic, Waits:
        "Whether turning tiering off deletes what is in the remote store.";
    "remote.storage.enable" Boolean Some("false"), Any, Topic, Waits:
        "Whether old segments move to a remote store; there is none yet, so true is refused.";
    "retention.bytes" Long Some("-1"), Any, Topic, Acts:
        "How large a partition may grow before its oldest segments are dropped; below 0 there is no limit."
        <- "log.retention.bytes" * 1;
    "retention.ms" Long Some("604800000"), AtLeast(-1), Topic, Waits:
        "How long records are kept; -1 is for ever."
        <- "log.retention.ms" * 1 <- "log.retention.minutes" * 60000 <- "log.retention.hours" * 3600000;
    "segment.bytes" Int Some("1073741824"), AtLeast(1048576), Topic, Acts:
        "The size at which a log starts its next file; also the most that one request may bring to a partition."
        <- "log.segment.bytes" * 1;
    "segment.index.bytes" Int Some("10485760"), AtLeast(4), Topic, Acts:
        "The size at which an index is full and its log starts the next file."
        <- "log.index.size.max.bytes" * 1;
    "segment.jitter.ms" Long Some("0"), AtLeast(0), Topic, Waits:
        "The most by which a roll by age is brought forward, so that not all logs roll together."
        <- "log.roll.jitter.ms" * 1 <- "log.roll.jitter.hours" * 3600000;
    "segment.ms" Long Some("604800000"), AtLeast(1), Topic, Acts:
        "The age at which a log starts its next file although the last is not full."
        <- "log.roll.ms" * 1 <- "log.roll.hours" * 3600000;
    "storage.mode" String Some("disk"), OneOf(STORAGE_MODES), TopicCreation, Acts:
        "Where a topic lives: disk, or memory, which a restart empties; it can't change.";
    "unclean.leader.election.enable" Boolean Some("false"), Any, Topic, Waits:
        "Whether a replica that may lack acknowledged records may lead when nobody better is left."
        <- "unclean.leader.election.enable" * 1;
};
