//! The settings of a broker and of its topics: one table, and typed values computed from it.
//!
//! [`table`] says what can be set; [`Settings::new`] reads what was given ([`Layers`]) and checks it;
//! [`Settings::changed`] takes over what was changed since; [`TopicSettings`] is what holds for one topic. Names,
//! defaults, bounds and the words of a refusal are Kafka's; `docs/compatibility.md` lists where they are not.

mod broker_table;
mod changes;
mod described;
mod layers;
pub mod properties;
pub mod table;
mod topic;
mod topic_table;
mod value;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thalweg_wire::BrokerId;

use crate::listeners::{self, Listener, Protocols};
pub use changes::Reach;
pub use described::{Described, Place};
pub use layers::{Given, InvalidSettings, Layers, Origin, Warning, setting_of_variable};
pub use topic::{Cleanup, ConfigSource, Flush, Storage, TopicConfig, TopicSettings};
pub use topic_table::BATCH_BYTES_MAX;
pub use value::{InvalidConfig, Value, parse};

use layers::Values;

/// All that a broker was told at its start, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `node.id`.
    pub node: BrokerId,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// `listeners` and `advertised.listeners`; never empty.
    pub listeners: Vec<Listener>,
    /// Where the data is.
    pub directories: Directories,
    /// How topics come and go.
    pub creation: TopicCreation,
    /// What one request may ask for.
    pub requests: RequestLimits,
    /// How many may connect.
    pub connections: ConnectionLimits,
    /// `__consumer_offsets` and what is in it.
    pub offsets: OffsetSettings,
    /// The classic group protocol.
    pub groups: GroupSettings,
    /// `producer.id.expiration.ms`: how long a silent idempotent producer is remembered.
    pub producer_expiration: Duration,
    values: Values,
    topic_defaults: topic::Defaults,
}

/// Where the data is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directories {
    /// `log.dirs`, or `log.dir`; never empty, none twice.
    pub logs: Vec<PathBuf>,
    /// `metadata.log.dir`: the metadata log.
    pub metadata: PathBuf,
    /// `journal.bytes`: what each log directory's journal grows to, in bytes.
    pub journal_bytes: u64,
    /// `journal.bypass.bytes`: how much of one partition on its way brings it past the journal, in bytes.
    pub journal_bypass_bytes: usize,
}

/// How topics come and go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TopicCreation {
    /// `auto.create.topics.enable`.
    pub automatic: bool,
    /// `delete.topic.enable`.
    pub deletion: bool,
    /// `num.partitions`: of a topic that is created without a count.
    pub partitions: i32,
    /// `default.replication.factor`: of a topic that is created without one.
    pub replication_factor: i32,
}

/// What one request may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestLimits {
    /// `socket.request.max.bytes`: the largest request.
    pub frame_bytes: usize,
    /// `fetch.max.bytes`: the largest answer to a Fetch.
    pub fetch_bytes: usize,
    /// `max.request.partition.size.limit`: partitions in one answer to DescribeTopicPartitions.
    pub partitions: usize,
    /// `max.incremental.fetch.session.cache.slots`: fetch sessions at one time.
    pub fetch_sessions: usize,
    /// `telemetry.max.bytes`: the largest push of a client's metrics.
    pub telemetry_bytes: usize,
}

/// How many may connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
    /// `max.connections`: in all.
    pub total: usize,
    /// `max.connections.per.ip`: from one address.
    pub per_ip: usize,
    /// `max.connections.per.ip.overrides`: from these addresses.
    pub per_ip_overrides: Vec<(IpAddr, usize)>,
    /// `max.connection.creation.rate`: new ones a second.
    pub per_second: u32,
    /// `connections.max.idle.ms`: how long a connection may be silent; `None` is for ever.
    pub idle: Option<Duration>,
}

/// `__consumer_offsets` and what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OffsetSettings {
    /// `offsets.topic.num.partitions`.
    pub partitions: i32,
    /// `offsets.topic.replication.factor`, to be capped at the brokers alive.
    pub replication_factor: i16,
    /// `offsets.topic.segment.bytes`.
    pub segment_bytes: usize,
    /// `offsets.retention.minutes`: how long the offsets of an empty group are kept.
    pub retention: Duration,
    /// `offsets.retention.check.interval.ms`: how often expired ones are looked for.
    pub retention_check_interval: Duration,
    /// `offsets.commit.timeout.ms`: how long a commit waits to be stored.
    pub commit_timeout: Duration,
    /// `offset.metadata.max.bytes`: the longest note beside an offset.
    pub metadata_bytes: usize,
    /// `offsets.load.buffer.size`: bytes read at a time when a coordinator loads.
    pub load_buffer_bytes: usize,
}

/// The classic group protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupSettings {
    /// `group.min.session.timeout.ms`.
    pub session_timeout_min: Duration,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_max: Duration,
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay: Duration,
    /// `group.max.size`: members of a group.
    pub members: usize,
    /// `group.state.bytes`: what all groups may take in memory.
    pub state_bytes: usize,
}

impl Settings {
    /// Reads what was given. `hostname` is the machine's name, advertised by a listener on every interface.
    /// Refuses with all that is wrong; what a person should only know comes back as warnings.
    pub fn new(layers: &Layers, hostname: Option<&str>) -> Result<(Settings, Vec<Warning>), InvalidSettings> {
        let (values, mut warnings, mut problems) = Values::merge(layers);
        check_cluster(&values, &mut problems);
        let node = node(&values, &mut problems);
        let listeners = listeners(&values, hostname, &mut warnings, &mut problems);
        let directories = directories(&values, &mut problems);
        let connections = connections(&values, &mut problems);
        let topic_defaults = topic::defaults(&values);
        check_topic_defaults(&topic_defaults, &values, &mut problems);
        if !problems.is_empty() {
            return Err(InvalidSettings { problems });
        }
        let size = |name| usize::try_from(values.number(name).max(0)).unwrap_or(usize::MAX);
        let span = |name| Duration::from_millis(values.number(name).max(0).unsigned_abs());
        let int = |name| i32::try_from(values.number(name)).expect("the table says that it is an int");
        let settings = Settings {
            node,
            rack: values.text("broker.rack"),
            listeners,
            directories,
            creation: TopicCreation {
                automatic: values.boolean("auto.create.topics.enable"),
                deletion: values.boolean("delete.topic.enable"),
                partitions: int("num.partitions"),
                replication_factor: int("default.replication.factor"),
            },
            requests: RequestLimits {
                frame_bytes: size("socket.request.max.bytes"),
                fetch_bytes: size("fetch.max.bytes"),
                partitions: size("max.request.partition.size.limit"),
                fetch_sessions: size("max.incremental.fetch.session.cache.slots"),
                telemetry_bytes: size("telemetry.max.bytes"),
            },
            connections,
            offsets: OffsetSettings {
                partitions: int("offsets.topic.num.partitions"),
                replication_factor: i16::try_from(values.number("offsets.topic.replication.factor"))
                    .expect("the table says that it is a short"),
                segment_bytes: size("offsets.topic.segment.bytes"),
                retention: Duration::from_mins(values.number("offsets.retention.minutes").unsigned_abs()),
                retention_check_interval: span("offsets.retention.check.interval.ms"),
                commit_timeout: span("offsets.commit.timeout.ms"),
                metadata_bytes: size("offset.metadata.max.bytes"),
                load_buffer_bytes: size("offsets.load.buffer.size"),
            },
            groups: GroupSettings {
                session_timeout_min: span("group.min.session.timeout.ms"),
                session_timeout_max: span("group.max.session.timeout.ms"),
                initial_rebalance_delay: span("group.initial.rebalance.delay.ms"),
                members: size("group.max.size"),
                state_bytes: size("group.state.bytes"),
            },
            producer_expiration: producer_expiration(&values),
            values,
            topic_defaults,
        };
        Ok((settings, warnings))
    }

    /// The defaults, with the data in one directory and one listener on loopback: what a test or a simulated node needs.
    pub fn in_directory(data: &Path, listen: &str) -> Result<Settings, InvalidSettings> {
        let mut flags = data_directory(&data.to_string_lossy(), &Origin::Default);
        let listen = Given { name: "listeners".to_owned(), value: listen.to_owned(), origin: Origin::Default };
        flags.push(listen);
        Settings::new(&Layers { flags, ..Layers::default() }, None).map(|(settings, _)| settings)
    }

    /// A broker's setting as Kafka writes it, and who gave it; `None` if there is no such setting, or it has no value.
    pub fn value(&self, name: &str) -> Option<(String, Origin)> {
        let setting = table::broker_setting(name)?;
        self.values.find(setting.name).map(|value| (value.to_string(), self.values.origin(setting.name)))
    }

    /// The settings that somebody gave, sorted by name.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, Origin)> {
        self.values.names().into_iter().map(|name| (name, self.values.origin(name)))
    }
}

/// What `--data DIR` stands for: `DIR/logs` holds the partitions, `DIR/quorum` the metadata.
pub fn data_directory(data: &str, origin: &Origin) -> Vec<Given> {
    let data = data.trim_end_matches('/');
    let given =
        |name: &str, folder| Given { name: name.to_owned(), value: format!("{data}/{folder}"), origin: origin.clone() };
    vec![given("log.dirs", "logs"), given("metadata.log.dir", "quorum")]
}

type Problems = Vec<(Origin, String)>;

fn node(values: &Values, problems: &mut Problems) -> BrokerId {
    let (name, id) = match (values.given("node.id"), values.given("broker.id")) {
        (Some(node), Some(broker)) if node != broker => {
            let what = "You must set `node.id` to the same value as `broker.id`.".to_owned();
            problems.push((values.origin("broker.id"), what));
            ("node.id", node.number())
        }
        (None, Some(broker)) => ("broker.id", broker.number()),
        _ => ("node.id", values.number("node.id")),
    };
    if id < 0 {
        let what = format!("Invalid value {id} for configuration {name}: Value must be at least 0");
        problems.push((values.origin(name), what));
    }
    BrokerId(i32::try_from(id).expect("the table says that it is an int"))
}

/// A node that was meant as a part of a cluster must not quietly become a cluster of its own.
fn check_cluster(values: &Values, problems: &mut Problems) {
    let roles = values.list("process.roles");
    if roles.len() < 2 {
        let what = format!(
            "process.roles is {}, and so far a node is always both: write process.roles=broker,controller",
            roles.join(",")
        );
        problems.push((values.origin("process.roles"), what));
    }
    for name in ["controller.quorum.voters", "controller.quorum.bootstrap.servers"] {
        let members = values.list(name).len();
        if members > 1 {
            let what =
                format!("{name} names {members} controllers, and so far there are only single nodes: leave it out");
            problems.push((values.origin(name), what));
        }
    }
    let protocol = values.text("security.inter.broker.protocol").unwrap_or_default();
    if protocol != listeners::PLAINTEXT {
        let what =
            format!("security.inter.broker.protocol is {protocol}, and so far only PLAINTEXT is served: leave it out");
        problems.push((values.origin("security.inter.broker.protocol"), what));
    }
}

fn listeners(
    values: &Values,
    hostname: Option<&str>,
    warnings: &mut Vec<Warning>,
    problems: &mut Problems,
) -> Vec<Listener> {
    let map_name = "listener.security.protocol.map";
    let pairs = values.text(map_name).unwrap_or_default();
    let mut map = Vec::new();
    for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((name, protocol)) = pair.split_once(':') else {
            problems.push((values.origin(map_name), format!("{map_name}: {pair} is not NAME:PROTOCOL")));
            continue;
        };
        map.push((name.trim().to_ascii_uppercase(), protocol.trim().to_ascii_uppercase()));
    }
    let mut controllers = values.list("controller.listener.names");
    if controllers.is_empty() {
        controllers.push("CONTROLLER".to_owned());
    }
    let (listening, advertised) = (values.list("listeners"), values.list("advertised.listeners"));
    let protocols = Protocols { map: &map, controllers: &controllers };
    match listeners::listeners(&listening, &advertised, &protocols, hostname) {
        Ok((listeners, ignored)) => {
            let origin = values.origin("listeners");
            warnings.extend(
                ignored.into_iter().map(|listener| Warning::ListenerIgnored { listener, origin: origin.clone() }),
            );
            listeners
        }
        Err(refusal) => {
            // Both settings may be at fault; the one that was given is where a person can act.
            let name = if values.given("listeners").is_some() { "listeners" } else { "advertised.listeners" };
            problems.push((values.origin(name), refusal.to_string()));
            Vec::new()
        }
    }
}

fn directories(values: &Values, problems: &mut Problems) -> Directories {
    let name = if values.given("log.dirs").is_some() { "log.dirs" } else { "log.dir" };
    let logs: Vec<PathBuf> = values.list(name).into_iter().map(PathBuf::from).collect();
    if logs.is_empty() {
        problems.push((values.origin(name), format!("{name} is empty: name a directory")));
    }
    let metadata = match (values.text("metadata.log.dir"), logs.as_slice()) {
        (Some(directory), _) => PathBuf::from(directory),
        (None, [only]) => beside(only),
        (None, _) => {
            let what = "with several log directories metadata.log.dir must say where the metadata log is".to_owned();
            problems.push((values.origin(name), what));
            PathBuf::new()
        }
    };
    if logs.contains(&metadata) {
        let what = "metadata.log.dir is a log directory: the metadata log needs one of its own".to_owned();
        problems.push((values.origin("metadata.log.dir"), what));
    }
    let journal_bypass_bytes = usize::try_from(values.number("journal.bypass.bytes")).unwrap_or(usize::MAX);
    Directories { logs, metadata, journal_bytes: values.number("journal.bytes").unsigned_abs(), journal_bypass_bytes }
}

/// `DATA/logs` has `DATA/quorum` beside it. Under any other name, two brokers may share the parent: `NAME-quorum`.
fn beside(log_directory: &Path) -> PathBuf {
    match log_directory.file_name() {
        Some(name) if name != "logs" => log_directory.with_file_name(format!("{}-quorum", name.to_string_lossy())),
        _ => log_directory.with_file_name("quorum"),
    }
}

fn connections(values: &Values, problems: &mut Problems) -> ConnectionLimits {
    let name = "max.connections.per.ip.overrides";
    let mut per_ip_overrides = Vec::new();
    let overrides = values.text(name).unwrap_or_default();
    for pair in overrides.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let limit = pair.rsplit_once(':').and_then(|(host, count)| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Some((host.parse().ok()?, count.trim().parse().ok()?))
        });
        match limit {
            Some(limit) => per_ip_overrides.push(limit),
            None => problems.push((values.origin(name), format!("{name}: {pair} is not ADDRESS:COUNT"))),
        }
    }
    let count = |name| usize::try_from(values.number(name)).unwrap_or_default();
    let idle = u64::try_from(values.number("connections.max.idle.ms")).ok().map(Duration::from_millis);
    ConnectionLimits {
        total: count("max.connections"),
        per_ip: count("max.connections.per.ip"),
        per_ip_overrides,
        per_second: u32::try_from(values.number("max.connection.creation.rate")).unwrap_or_default(),
        idle,
    }
}

fn producer_expiration(values: &Values) -> Duration {
    Duration::from_millis(values.number("producer.id.expiration.ms").unsigned_abs())
}

fn check_topic_defaults(defaults: &topic::Defaults, values: &Values, problems: &mut Problems) {
    // A topic may drop everything at once; as a broker's default Kafka takes that for a mistake.
    for name in ["log.retention.ms", "log.retention.minutes", "log.retention.hours"] {
        if values.given(name).is_some_and(|value| value.number() == 0) {
            let what = format!("{name} must be unlimited (-1) or, greater than or equal to 1");
            problems.push((values.origin(name), what));
        }
    }
    if let Err(refusal) = topic::check_defaults(defaults) {
        problems.push((Origin::Default, refusal.to_string()));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn layers(set: &[(&str, &str)]) -> Layers {
        let given = |(name, value): &(&str, &str)| Given {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            origin: Origin::Set,
        };
        Layers { set: set.iter().map(given).collect(), ..Layers::default() }
    }

    pub(crate) fn settings(set: &[(&str, &str)]) -> Settings {
        Settings::new(&layers(set), Some("river")).unwrap().0
    }

    fn refusal(set: &[(&str, &str)]) -> String {
        Settings::new(&layers(set), Some("river")).unwrap_err().to_string()
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let settings = settings(&[]);
        assert_eq!(settings.node, BrokerId(1));
        assert_eq!(settings.listeners[0].bind_address(), "127.0.0.1:9092");
        assert_eq!(settings.directories.logs, [Path::new("./thalweg-data/logs")]);
        assert_eq!(settings.directories.metadata, Path::new("./thalweg-data/quorum"));
        assert_eq!(settings.directories.journal_bytes, 1 << 30);
        assert_eq!(settings.requests.frame_bytes, 100 << 20);
        assert_eq!(settings.connections.idle, Some(Duration::from_mins(10)));
        assert_eq!(settings.offsets.retention, Duration::from_hours(168));
        assert_eq!(settings.given().count(), 0);
    }

    #[test]
    fn a_data_directory_holds_the_logs_and_the_quorum() {
        let settings = Settings::in_directory(Path::new("/d/"), "127.0.0.1:0").unwrap();
        assert_eq!(settings.directories.logs, [Path::new("/d/logs")]);
        assert_eq!(settings.directories.metadata, Path::new("/d/quorum"));
        assert_eq!(settings.listeners[0].port, 0);
    }

    /// Two brokers with `/var/a` and `/var/b` must not meet in `/var/quorum`.
    #[test]
    fn the_quorum_stands_beside_the_log_directory_under_a_name_of_its_own() {
        assert_eq!(settings(&[("log.dirs", "/var/a")]).directories.metadata, Path::new("/var/a-quorum"));
        assert_eq!(settings(&[("log.dir", "/d/logs")]).directories.metadata, Path::new("/d/quorum"));
        assert!(refusal(&[("log.dirs", "/a,/b")]).contains("metadata.log.dir must say"));
        let both = settings(&[("log.dirs", "/a,/b,/a"), ("metadata.log.dir", "/q")]).directories;
        assert_eq!((both.logs.len(), both.metadata.as_path()), (2, Path::new("/q")));
        assert!(refusal(&[("log.dirs", "/a"), ("metadata.log.dir", "/a")]).contains("one of its own"));
        assert!(refusal(&[("log.dirs", "")]).contains("log.dirs is empty"));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_with_its_place() {
        assert_eq!(
            refusal(&[("num.partitions", "0"), ("auto.create.topics.enable", "yes"), ("listeners", "SSL://a:1")]),
            "--set: Invalid value yes for configuration auto.create.topics.enable: Expected value to be either true or false\n\
             --set: Invalid value 0 for configuration num.partitions: Value must be at least 1\n\
             --set: listener SSL asks for SSL, and so far only PLAINTEXT is served: map it to PLAINTEXT on a network that you trust, or leave it out"
        );
    }

    #[test]
    fn a_node_knows_its_number_by_either_name_but_not_by_two() {
        assert_eq!(settings(&[("broker.id", "7")]).node, BrokerId(7));
        assert_eq!(settings(&[("broker.id", "7"), ("node.id", "7")]).node, BrokerId(7));
        assert!(refusal(&[("broker.id", "7"), ("node.id", "8")]).contains("same value"));
        assert!(refusal(&[("broker.id", "-1")]).contains("at least 0"));
    }

    /// Three nodes, each a cluster of its own, would each acknowledge and none would copy.
    #[test]
    fn a_part_of_a_cluster_is_refused_rather_than_made_a_cluster_of_its_own() {
        assert!(refusal(&[("process.roles", "broker")]).contains("process.roles=broker,controller"));
        let three = [("controller.quorum.voters", "1@a:1,2@b:1,3@c:1")];
        assert!(refusal(&three).contains("names 3 controllers"));
        assert!(refusal(&[("security.inter.broker.protocol", "SSL")]).contains("only PLAINTEXT"));
    }

    /// The settings of a single node as Kafka's own distribution ships them.
    #[test]
    fn a_kafka_file_for_a_single_node_is_taken_and_its_controller_listener_ignored_aloud() {
        let (settings, warnings) = Settings::new(
            &layers(&[
                ("process.roles", "broker,controller"),
                ("node.id", "1"),
                ("controller.quorum.bootstrap.servers", "localhost:9093"),
                ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
                ("advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
                ("inter.broker.listener.name", "PLAINTEXT"),
                ("controller.listener.names", "CONTROLLER"),
                (
                    "listener.security.protocol.map",
                    "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
                ),
                ("num.network.threads", "3"),
                ("socket.send.buffer.bytes", "102400"),
                ("log.dirs", "/var/kraft-combined-logs"),
                ("log.retention.hours", "168"),
            ]),
            None,
        )
        .unwrap();
        assert_eq!(settings.listeners.len(), 1);
        assert_eq!(settings.listeners[0].advertised_host, "localhost");
        assert_eq!(settings.value("log.retention.hours"), Some(("168".to_owned(), Origin::Set)));
        let lines: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(lines.iter().any(|line| line.contains("CONTROLLER://:9093 is a controllers' listener")), "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("socket.send")), "what is moot is not worth a word: {lines:?}");
    }

    #[test]
    fn some_addresses_may_connect_more_often() {
        let given = "127.0.0.1:5, ::1:6,[fe80::1]:7";
        let limits =
            settings(&[("max.connections.per.ip.overrides", given), ("connections.max.idle.ms", "-1")]).connections;
        let expected = [("127.0.0.1", 5), ("::1", 6), ("fe80::1", 7)].map(|(host, n)| (host.parse().unwrap(), n));
        assert_eq!(limits.per_ip_overrides, expected);
        assert_eq!(limits.idle, None);
        assert!(refusal(&[("max.connections.per.ip.overrides", "127.0.0.1:x")]).contains("is not ADDRESS:COUNT"));
    }

    #[test]
    fn defaults_that_would_drop_everything_or_contradict_each_other_are_refused() {
        assert!(refusal(&[("log.retention.hours", "0")]).contains("must be unlimited (-1)"));
        let lags = [("log.cleaner.min.compaction.lag.ms", "9"), ("log.cleaner.max.compaction.lag.ms", "5")];
        assert!(refusal(&lags).contains("conflict topic config setting"));
    }
}
