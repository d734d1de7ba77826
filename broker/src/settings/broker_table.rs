//! The settings of a broker: Kafka 4.3's names, defaults and bounds for all that this project knows, and ours.
//!
//! Defaults that differ from Kafka's, because Kafka's hurt a single node: `node.id` (Kafka has none), `listeners`
//! (loopback instead of every interface), `log.dir`, `group.initial.rebalance.delay.ms` (0 instead of 3000) and
//! `replica.lag.time.max.ms` (10 s instead of 30 s). `message.max.bytes` has an upper bound that Kafka lacks.
//! Kafka can change `listeners` and `listener.security.protocol.map` while it runs; here they need a start.
//! Names that stand in neither table are Kafka's security, tiering, quota and share-group settings; they are taken and
//! warned about, as Kafka takes names that it does not know.

use super::table::Bounds::{Any, AtLeast, Between, BetweenOrMinusOne, Each, OneOf, OneOfAnyCase, SomeOf};
use super::table::{Setting, rows};
use super::topic_table::{BATCH_BYTES_MAX, CLEANUP_POLICIES, COMPRESSION_TYPES, FLUSH_MODES, TIMESTAMP_TYPES};

const PROTOCOLS: &[&str] = &["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
const ROLES: &[&str] = &["broker", "controller"];
const REBALANCE_PROTOCOLS: &[&str] = &["consumer", "classic", "share", "streams"];
const MIGRATION_POLICIES: &[&str] = &["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"];

pub(super) static BROKER: &[Setting] = rows! {
    "advertised.listeners" List None, Any, Static, Acts:
        "Where clients are told to come; by default where the broker listens.";
    "allow.everyone.if.no.acl.found" Boolean Some("false"), Any, Static, Waits:
        "Whether a resource without any ACL is open to all.";
    "authorizer.class.name" String Some(""), Any, Static, Waits:
        "Who decides what a caller may do; there is no access control yet.";
    "auto.create.topics.enable" Boolean Some("true"), Any, Static, Acts:
        "Whether asking for a topic that does not exist makes it.";
    "auto.leader.rebalance.enable" Boolean Some("true"), Any, Static, Waits:
        "Whether leadership goes back to the preferred replicas by itself.";
    "background.threads" Int Some("10"), AtLeast(1), Cluster, Moot:
        "Kafka's threads for housekeeping.";
    "broker.heartbeat.interval.ms" Int Some("2000"), Any, Static, Waits:
        "How often a broker reports to the controller.";
    "broker.id" Int Some("-1"), Any, Static, Acts:
        "The older name of node.id; where both are set they must agree.";
    "broker.rack" String None, Any, Static, Acts:
        "Where this broker stands, told to clients and used to spread replicas.";
    "broker.session.timeout.ms" Int Some("9000"), Any, Static, Waits:
        "How long a broker may be silent before the controller fences it.";
    "compression.gzip.level" Int Some("-1"), BetweenOrMinusOne(1, 9), Cluster, Acts:
        "The topics' default of the same name.";
    "compression.lz4.level" Int Some("9"), Between(1, 17), Cluster, Waits:
        "The topics' default of the same name.";
    "compression.type" String Some("producer"), OneOf(COMPRESSION_TYPES), Cluster, Acts:
        "The topics' default of the same name.";
    "compression.zstd.level" Int Some("3"), Between(-131072, 22), Cluster, Acts:
        "The topics' default of the same name.";
    "connection.failed.authentication.delay.ms" Int Some("100"), AtLeast(0), Static, Waits:
        "How long a failed authentication waits for its answer.";
    "connections.max.idle.ms" Long Some("600000"), Any, Static, Acts:
        "A connection that was silent for this long is closed; below 0 never.";
    "connections.max.reauth.ms" Long Some("0"), Any, Static, Waits:
        "How long an authentication holds; 0 for as long as the connection.";
    "controlled.shutdown.enable" Boolean Some("true"), Any, Static, Waits:
        "Whether a broker hands its leaderships over before it stops.";
    "controller.listener.names" List None, Any, Static, Acts:
        "Listeners that only controllers use; they are read and ignored.";
    "controller.quorum.bootstrap.servers" List Some(""), Any, Static, Waits:
        "Where to find the controllers of a cluster.";
    "controller.quorum.election.backoff.max.ms" Int Some("1000"), AtLeast(0), Static, Waits:
        "The longest wait before a controller stands for election again.";
    "controller.quorum.election.timeout.ms" Int Some("1000"), AtLeast(0), Static, Waits:
        "How long a controller collects votes.";
    "controller.quorum.fetch.timeout.ms" Int Some("2000"), AtLeast(0), Static, Waits:
        "How long a controller waits for word of its leader before it stands for election.";
    "controller.quorum.request.timeout.ms" Int Some("2000"), AtLeast(0), Static, Waits:
        "How long a controller waits for another one's answer.";
    "controller.quorum.retry.backoff.ms" Int Some("20"), AtLeast(0), Static, Waits:
        "How long a controller waits before it asks another one again.";
    "controller.quorum.voters" List Some(""), Any, Static, Waits:
        "The controllers of a cluster, as ID@HOST:PORT.";
    "controller.socket.timeout.ms" Int Some("30000"), Any, Static, Waits:
        "How long a broker waits for the controller's answer.";
    "cordoned.log.dirs" List Some(""), Any, PerBroker, Waits:
        "Log directories that get no new partitions.";
    "default.replication.factor" Int Some("1"), Any, Static, Acts:
        "Replicas of a topic that is created without a count.";
    "delete.records.purgatory.purge.interval.requests" Int Some("1"), Any, Static, Moot:
        "Kafka's housekeeping of waiting requests.";
    "delete.topic.enable" Boolean Some("true"), Any, Static, Acts:
        "Whether topics can be deleted.";
    "fetch.max.bytes" Int Some("57671680"), AtLeast(1024), Static, Acts:
        "The most that one Fetch is answered with, in bytes.";
    "fetch.purgatory.purge.interval.requests" Int Some("1000"), Any, Static, Moot:
        "Kafka's housekeeping of waiting requests.";
    "flush.mode" String Some("sync"), OneOf(FLUSH_MODES), Static, Acts:
        "The topics' default of the same name; Kafka has no such setting and always acts as async.";
    "group.consumer.assignment.interval.ms" Int Some("1000"), AtLeast(0), Cluster, Waits:
        "How often a consumer group's assignment is computed at most.";
    "group.consumer.assignors" List Some("uniform,range"), Any, Static, Waits:
        "How a consumer group may share partitions out, the default first.";
    "group.consumer.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), Static, Waits:
        "How often the members of a consumer group report.";
    "group.consumer.max.heartbeat.interval.ms" Int Some("15000"), AtLeast(1), Static, Waits:
        "The longest heartbeat interval that a consumer group may set.";
    "group.consumer.max.session.timeout.ms" Int Some("60000"), AtLeast(1), Static, Waits:
        "The longest session that a consumer group may set.";
    "group.consumer.max.size" Int Some("2147483647"), AtLeast(1), Static, Waits:
        "Members that a consumer group may have.";
    "group.consumer.migration.policy" String Some("bidirectional"), OneOfAnyCase(MIGRATION_POLICIES), Static, Waits:
        "Whether a group may change between the classic and the consumer protocol while it runs.";
    "group.consumer.min.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), Static, Waits:
        "The shortest heartbeat interval that a consumer group may set.";
    "group.consumer.min.session.timeout.ms" Int Some("45000"), AtLeast(1), Static, Waits:
        "The shortest session that a consumer group may set.";
    "group.consumer.session.timeout.ms" Int Some("45000"), AtLeast(1), Static, Waits:
        "How long a member of a consumer group may be silent.";
    "group.coordinator.append.linger.ms" Int Some("-1"), AtLeast(-1), Static, Moot:
        "How long Kafka's coordinator gathers records before it writes; here what queued goes out together.";
    "group.coordinator.rebalance.protocols" List Some("classic,consumer,streams"), Each(REBALANCE_PROTOCOLS), Static, Waits:
        "The group protocols that are served.";
    "group.coordinator.threads" Int Some("4"), AtLeast(1), Static, Moot:
        "Kafka's threads for groups.";
    "group.initial.rebalance.delay.ms" Int Some("0"), Any, Static, Acts:
        "How long a new classic group waits for more members before its first rebalance.";
    "group.max.session.timeout.ms" Int Some("1800000"), Any, Static, Acts:
        "The longest session that a member of a classic group may ask for.";
    "group.max.size" Int Some("2147483647"), AtLeast(1), Static, Acts:
        "Members that a classic group may have; 10,000 at most.";
    "group.min.session.timeout.ms" Int Some("6000"), Any, Static, Acts:
        "The shortest session that a member of a classic group may ask for.";
    "group.state.bytes" Long Some("268435456"), AtLeast(0), Static, Acts:
        "Memory for groups, their members and their offsets, in bytes; past it nobody and no offset is added, and members go on.";
    "initial.broker.registration.timeout.ms" Int Some("60000"), Any, Static, Waits:
        "How long a starting broker tries to reach the controller.";
    "inter.broker.listener.name" String None, Any, Static, Waits:
        "The listener that brokers use among themselves.";
    "journal.bypass.bytes" Long Some("262144"), AtLeast(1), Static, Acts:
        "With so many bytes of one partition on their way through the journal, the next go past it: to the partition's files, which are synced.";
    "journal.bytes" Long Some("1073741824"), AtLeast(65536), Static, Acts:
        "The size of a log directory's journal once it has grown, in bytes; less is taken on a small disk.";
    "leader.imbalance.check.interval.seconds" Long Some("300"), AtLeast(1), Static, Waits:
        "How often the balance of leaderships is looked at.";
    "listener.security.protocol.map" String Some("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"), Any, Static, Acts:
        "Which protocol each listener speaks, as NAME:PROTOCOL.";
    "listeners" List Some("PLAINTEXT://127.0.0.1:9092"), Any, Static, Acts:
        "Where the broker listens, as NAME://HOST:PORT; no host, or 0.0.0.0, is every interface, port 0 any free one.";
    "log.cleaner.backoff.ms" Long Some("15000"), AtLeast(0), Cluster, Waits:
        "How long the cleaner sleeps when nothing is to clean.";
    "log.cleaner.dedupe.buffer.size" Long Some("134217728"), Any, Cluster, Waits:
        "The memory for the cleaner's table of keys, in bytes.";
    "log.cleaner.delete.retention.ms" Long Some("86400000"), AtLeast(0), Cluster, Waits:
        "The topics' default for delete.retention.ms.";
    "log.cleaner.enable" Boolean Some("true"), Any, Static, Waits:
        "Whether compacted topics are cleaned.";
    "log.cleaner.io.buffer.load.factor" Double Some("0.9"), Any, Cluster, Moot:
        "How full the table of Kafka's cleaner may get.";
    "log.cleaner.io.buffer.size" Int Some("524288"), AtLeast(0), Cluster, Waits:
        "The memory for the bytes that pass through the cleaner.";
    "log.cleaner.io.max.bytes.per.second" Double Some("1.7976931348623157E308"), Any, Cluster, Waits:
        "How fast the cleaner may read and write.";
    "log.cleaner.max.compaction.lag.ms" Long Some("9223372036854775807"), AtLeast(1), Cluster, Waits:
        "The topics' default for max.compaction.lag.ms.";
    "log.cleaner.min.cleanable.ratio" Double Some("0.5"), Between(0, 1), Cluster, Waits:
        "The topics' default for min.cleanable.dirty.ratio.";
    "log.cleaner.min.compaction.lag.ms" Long Some("0"), AtLeast(0), Cluster, Waits:
        "The topics' default for min.compaction.lag.ms.";
    "log.cleaner.threads" Int Some("1"), AtLeast(0), Cluster, Waits:
        "How many logs are cleaned at a time.";
    "log.cleanup.policy" List Some("delete"), Each(CLEANUP_POLICIES), Cluster, Waits:
        "The topics' default for cleanup.policy.";
    "log.dir" List Some("./thalweg-data/logs"), Any, Static, Acts:
        "The log directory where log.dirs says nothing.";
    "log.dir.failure.timeout.ms" Long Some("30000"), AtLeast(1), Static, Waits:
        "How long a broker may fail to report a failed log directory before it stops.";
    "log.dirs" List None, Any, Static, Acts:
        "The directories that hold the partitions; each has a journal of its own.";
    "log.flush.interval.messages" Long Some("9223372036854775807"), AtLeast(1), Cluster, Waits:
        "The topics' default for flush.messages.";
    "log.flush.interval.ms" Long None, Any, Cluster, Waits:
        "The topics' default for flush.ms.";
    "log.flush.offset.checkpoint.interval.ms" Int Some("60000"), AtLeast(0), Static, Waits:
        "How often recovery points are written down.";
    "log.flush.scheduler.interval.ms" Long Some("9223372036854775807"), Any, Static, Waits:
        "The topics' default for flush.ms where log.flush.interval.ms says nothing.";
    "log.flush.start.offset.checkpoint.interval.ms" Int Some("60000"), AtLeast(0), Static, Waits:
        "How often log start offsets are written down.";
    "log.index.interval.bytes" Int Some("4096"), AtLeast(0), Cluster, Acts:
        "The topics' default for index.interval.bytes.";
    "log.index.size.max.bytes" Int Some("10485760"), AtLeast(4), Cluster, Acts:
        "The topics' default for segment.index.bytes.";
    "log.local.retention.bytes" Long Some("-2"), AtLeast(-2), Cluster, Waits:
        "The topics' default for local.retention.bytes.";
    "log.local.retention.ms" Long Some("-2"), AtLeast(-2), Cluster, Waits:
        "The topics' default for local.retention.ms.";
    "log.message.timestamp.after.max.ms" Long Some("3600000"), AtLeast(0), Cluster, Acts:
        "The topics' default for message.timestamp.after.max.ms.";
    "log.message.timestamp.before.max.ms" Long Some("9223372036854775807"), AtLeast(0), Cluster, Acts:
        "The topics' default for message.timestamp.before.max.ms.";
    "log.message.timestamp.type" String Some("CreateTime"), OneOf(TIMESTAMP_TYPES), Cluster, Acts:
        "The topics' default for message.timestamp.type.";
    "log.preallocate" Boolean Some("false"), Any, Cluster, Waits:
        "The topics' default for preallocate.";
    "log.retention.bytes" Long Some("-1"), Any, Cluster, Waits:
        "The topics' default for retention.bytes.";
    "log.retention.check.interval.ms" Long Some("300000"), AtLeast(1), Static, Waits:
        "How often old segments are looked for.";
    "log.retention.hours" Int Some("168"), Any, Static, Waits:
        "The topics' default for retention.ms, in hours, where log.retention.minutes says nothing.";
    "log.retention.minutes" Int None, Any, Static, Waits:
        "The topics' default for retention.ms, in minutes, where log.retention.ms says nothing.";
    "log.retention.ms" Long None, Any, Cluster, Waits:
        "The topics' default for retention.ms.";
    "log.roll.hours" Int Some("168"), AtLeast(1), Static, Acts:
        "The topics' default for segment.ms, in hours, where log.roll.ms says nothing.";
    "log.roll.jitter.hours" Int Some("0"), AtLeast(0), Static, Waits:
        "The topics' default for segment.jitter.ms, in hours, where log.roll.jitter.ms says nothing.";
    "log.roll.jitter.ms" Long None, AtLeast(0), Cluster, Waits:
        "The topics' default for segment.jitter.ms.";
    "log.roll.ms" Long None, AtLeast(1), Cluster, Acts:
        "The topics' default for segment.ms.";
    "log.segment.bytes" Int Some("1073741824"), AtLeast(1048576), Cluster, Acts:
        "The topics' default for segment.bytes.";
    "log.segment.delete.delay.ms" Long Some("60000"), AtLeast(0), Cluster, Waits:
        "The topics' default for file.delete.delay.ms; also how long a deleted topic's files stay.";
    "max.connection.creation.rate" Int Some("2147483647"), AtLeast(0), Cluster, Acts:
        "New connections a second; the next have to wait.";
    "max.connections" Int Some("2147483647"), AtLeast(0), Cluster, Acts:
        "Connections at one time; the next is closed.";
    "max.connections.per.ip" Int Some("2147483647"), AtLeast(0), Cluster, Acts:
        "Connections from one address at one time; the next is closed.";
    "max.connections.per.ip.overrides" String Some(""), Any, Cluster, Acts:
        "Other limits for some addresses, as HOST:COUNT parted by commas.";
    "max.incremental.fetch.session.cache.slots" Int Some("1000"), AtLeast(0), Static, Acts:
        "Fetch sessions at one time.";
    "max.request.partition.size.limit" Int Some("2000"), AtLeast(1), Static, Acts:
        "Partitions that one DescribeTopicPartitions is answered with.";
    "message.max.bytes" Int Some("1048588"), Between(0, BATCH_BYTES_MAX), Cluster, Acts:
        "The topics' default for max.message.bytes.";
    "metadata.log.dir" String None, Any, Static, Acts:
        "The directory of the metadata log; by default quorum beside the log directory.";
    "metadata.log.max.record.bytes.between.snapshots" Long Some("20971520"), AtLeast(1), Static, Waits:
        "How much metadata is written before the next snapshot.";
    "metadata.log.max.snapshot.interval.ms" Long Some("3600000"), AtLeast(0), Static, Waits:
        "How old the last snapshot of the metadata may get while something changes.";
    "metadata.log.segment.bytes" Int Some("1073741824"), AtLeast(8388608), Static, Moot:
        "The size of a file of Kafka's metadata log.";
    "metadata.log.segment.ms" Long Some("604800000"), Any, Static, Moot:
        "The age of a file of Kafka's metadata log.";
    "metadata.max.idle.interval.ms" Int Some("500"), AtLeast(0), Static, Moot:
        "How often an idle controller of Kafka writes an empty record.";
    "metadata.max.retention.bytes" Long Some("104857600"), Any, Static, Waits:
        "How much metadata is kept beside the last snapshot.";
    "metadata.max.retention.ms" Long Some("604800000"), Any, Static, Waits:
        "How long metadata is kept beside the last snapshot.";
    "metric.reporters" List Some("org.apache.kafka.common.metrics.JmxReporter"), Any, Cluster, Moot:
        "Java classes that carry metrics away.";
    "min.insync.replicas" Int Some("1"), AtLeast(1), Cluster, Waits:
        "The topics' default of the same name.";
    "node.id" Int Some("1"), AtLeast(0), Static, Acts:
        "The number of this node, its own in the cluster and for ever.";
    "num.io.threads" Int Some("8"), AtLeast(1), Cluster, Moot:
        "Kafka's threads for requests; here there is one worker for each core.";
    "num.network.threads" Int Some("3"), AtLeast(1), Cluster, Moot:
        "Kafka's threads for sockets; here there is one worker for each core.";
    "num.partitions" Int Some("1"), AtLeast(1), Static, Acts:
        "Partitions of a topic that is created without a count.";
    "num.recovery.threads.per.data.dir" Int Some("2"), AtLeast(1), Cluster, Moot:
        "Kafka's threads for recovery; here a directory recovers from its journal.";
    "num.replica.fetchers" Int Some("1"), AtLeast(1), Cluster, Waits:
        "Connections over which a follower follows one leader.";
    "offset.metadata.max.bytes" Int Some("4096"), Any, Static, Acts:
        "The longest note that may come with a committed offset.";
    "offsets.commit.timeout.ms" Int Some("5000"), AtLeast(1), Static, Waits:
        "How long a commit of offsets waits to be stored.";
    "offsets.load.buffer.size" Int Some("5242880"), AtLeast(1), Static, Acts:
        "How many bytes are read at a time when a coordinator loads.";
    "offsets.retention.check.interval.ms" Long Some("600000"), AtLeast(1), Static, Acts:
        "How often expired offsets are looked for.";
    "offsets.retention.minutes" Int Some("10080"), AtLeast(1), Static, Acts:
        "How long the offsets of an empty group are kept.";
    "offsets.topic.compression.codec" Int Some("0"), Any, Static, Waits:
        "The codec of __consumer_offsets, as a number; 0 is none.";
    "offsets.topic.num.partitions" Int Some("50"), AtLeast(1), Static, Acts:
        "Partitions of __consumer_offsets; it can't change once the topic exists.";
    "offsets.topic.replication.factor" Short Some("3"), AtLeast(1), Static, Waits:
        "Replicas of __consumer_offsets, at most as many as there are brokers.";
    "offsets.topic.segment.bytes" Int Some("104857600"), AtLeast(1), Static, Acts:
        "The segment.bytes of __consumer_offsets.";
    "principal.builder.class" Class Some("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"), Any, PerBroker, Waits:
        "How a connection's principal is made out.";
    "process.roles" List Some("broker,controller"), SomeOf(ROLES), Static, Acts:
        "What this node is; so far always both.";
    "producer.id.expiration.ms" Int Some("86400000"), AtLeast(1), Cluster, Acts:
        "How long a silent idempotent producer is remembered.";
    "producer.purgatory.purge.interval.requests" Int Some("1000"), Any, Static, Moot:
        "Kafka's housekeeping of waiting requests.";
    "queued.max.request.bytes" Long Some("-1"), Any, Static, Waits:
        "Bytes of requests in hand at one time; so far the memory budget decides.";
    "queued.max.requests" Int Some("500"), AtLeast(1), Static, Moot:
        "Requests in hand at one time in Kafka; here their bytes decide.";
    "replica.fetch.backoff.ms" Int Some("1000"), AtLeast(0), Static, Waits:
        "How long a follower waits after an error.";
    "replica.fetch.max.bytes" Int Some("1048576"), AtLeast(0), Static, Waits:
        "How much a follower asks for of one partition.";
    "replica.fetch.min.bytes" Int Some("1"), Any, Static, Waits:
        "How much a leader gathers before it answers a follower.";
    "replica.fetch.response.max.bytes" Int Some("10485760"), AtLeast(0), Static, Waits:
        "How much a follower asks for in all.";
    "replica.fetch.wait.max.ms" Int Some("500"), Any, Static, Waits:
        "How long a leader may keep a follower waiting.";
    "replica.high.watermark.checkpoint.interval.ms" Long Some("5000"), Any, Static, Waits:
        "How often high watermarks are written down.";
    "replica.lag.time.max.ms" Long Some("10000"), Any, Static, Waits:
        "How long a follower may lag before it leaves the in-sync set.";
    "replica.selector.class" String None, Any, Static, Waits:
        "Which replica a consumer is sent to.";
    "replica.socket.receive.buffer.bytes" Int Some("65536"), Any, Static, Moot:
        "The receive buffer of a follower's connection; the operating system sizes it.";
    "replica.socket.timeout.ms" Int Some("30000"), Any, Static, Waits:
        "How long a follower waits for its leader's answer.";
    "request.timeout.ms" Int Some("30000"), Any, Static, Waits:
        "How long a request among nodes may take.";
    "sasl.enabled.mechanisms" List Some("GSSAPI"), Any, PerBroker, Waits:
        "How callers may authenticate.";
    "security.inter.broker.protocol" String Some("PLAINTEXT"), OneOf(PROTOCOLS), Static, Acts:
        "The protocol among brokers; so far only PLAINTEXT.";
    "socket.connection.setup.timeout.max.ms" Long Some("30000"), Any, Static, Waits:
        "The longest wait for a connection to another node after several failed.";
    "socket.connection.setup.timeout.ms" Long Some("10000"), Any, Static, Waits:
        "How long to wait for a connection to another node.";
    "socket.listen.backlog.size" Int Some("50"), AtLeast(1), Static, Moot:
        "Connections that wait in the kernel to be accepted; the operating system's limit is taken.";
    "socket.receive.buffer.bytes" Int Some("102400"), Any, Static, Moot:
        "The receive buffer of a connection; the operating system sizes it.";
    "socket.request.max.bytes" Int Some("104857600"), AtLeast(1), Static, Acts:
        "The largest request that is taken, in bytes.";
    "socket.send.buffer.bytes" Int Some("102400"), Any, Static, Moot:
        "The send buffer of a connection; the operating system sizes it.";
    "ssl.key.password" Password None, Any, PerBroker, Waits:
        "What opens the private key.";
    "ssl.keystore.location" String None, Any, PerBroker, Waits:
        "The file of this broker's certificate and key.";
    "ssl.keystore.password" Password None, Any, PerBroker, Waits:
        "What opens the keystore.";
    "ssl.truststore.location" String None, Any, PerBroker, Waits:
        "The file of the certificates that are trusted.";
    "ssl.truststore.password" Password None, Any, PerBroker, Waits:
        "What opens the truststore.";
    "super.users" String None, Any, Static, Waits:
        "Principals that may do everything, parted by semicolons.";
    "telemetry.max.bytes" Int Some("1048576"), AtLeast(1), Static, Acts:
        "The largest push of a client's metrics.";
    "transaction.abort.timed.out.transaction.cleanup.interval.ms" Int Some("10000"), AtLeast(1), Static, Waits:
        "How often transactions past their time are looked for.";
    "transaction.max.timeout.ms" Int Some("900000"), AtLeast(1), Static, Waits:
        "The longest that a producer may leave a transaction open.";
    "transaction.partition.verification.enable" Boolean Some("true"), Any, Cluster, Waits:
        "Whether a partition asks the coordinator before it takes a transaction's first records.";
    "transaction.remove.expired.transaction.cleanup.interval.ms" Int Some("3600000"), AtLeast(1), Static, Waits:
        "How often expired transactional ids are looked for.";
    "transaction.state.log.load.buffer.size" Int Some("5242880"), AtLeast(1), Static, Waits:
        "How many bytes are read at a time when a coordinator loads.";
    "transaction.state.log.min.isr" Int Some("2"), AtLeast(1), Static, Waits:
        "The min.insync.replicas of __transaction_state.";
    "transaction.state.log.num.partitions" Int Some("50"), AtLeast(1), Static, Waits:
        "Partitions of __transaction_state; it can't change once the topic exists.";
    "transaction.state.log.replication.factor" Short Some("3"), AtLeast(1), Static, Waits:
        "Replicas of __transaction_state, at most as many as there are brokers.";
    "transaction.state.log.segment.bytes" Int Some("104857600"), AtLeast(1), Static, Waits:
        "The segment.bytes of __transaction_state.";
    "transaction.two.phase.commit.enable" Boolean Some("false"), Any, Static, Waits:
        "Whether a producer may keep a prepared transaction open without a limit.";
    "transactional.id.expiration.ms" Int Some("604800000"), AtLeast(1), Static, Waits:
        "How long an unused transactional id is remembered.";
    "unclean.leader.election.enable" Boolean Some("false"), Any, Cluster, Waits:
        "The topics' default of the same name.";
};
