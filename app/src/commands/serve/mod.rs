//! `thalweg serve`: starts a broker, says so, and stops it when it is told to.

mod banner;
pub(super) mod configuration;
pub(super) mod logging;

use clap::Args;
use thalweg_broker::settings::Settings;
use thalweg_world::World;
use tracing::{info, warn};

use thalweg_broker::Broker;

use crate::failure::{Exit, Failure};
use crate::signals::Signals;
use crate::{reach, terminal};
use configuration::{Environment, Flags};
use logging::Format;

/// Run a broker.
///
/// No flag is needed: it listens on 127.0.0.1:9092 and keeps its data in ./thalweg-data. Settings have Kafka's names;
/// the strongest word about each wins: a flag, then --set, then the environment, then the file, then the default.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Listen at HOST:PORT; port 0 takes any free one [default: 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT", help_heading = "Where")]
    listen: Option<String>,

    /// Tell clients to come to HOST:PORT; needed when listening on 0.0.0.0 [default: as --listen]
    #[arg(long, value_name = "HOST:PORT", help_heading = "Where")]
    advertise: Option<String>,

    /// Keep the data in DIR: the logs in DIR/logs, the metadata in DIR/quorum [default: ./thalweg-data]
    #[arg(long, value_name = "DIR", help_heading = "Where")]
    data: Option<String>,

    /// Read settings from FILE, in the format of Kafka's server.properties
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    config: Option<String>,

    /// Set one setting; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value, help_heading = "Settings")]
    set: Vec<(String, String)>,

    /// How lines of the log look, on stderr [default: text]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Log")]
    log_format: Option<Format>,

    /// What is logged: off, error, warn, info, debug, trace, or TARGET=LEVEL parted by commas [default: info]
    #[arg(long, value_name = "FILTER", help_heading = "Log")]
    log_level: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  thalweg serve
      a broker for this machine
  thalweg serve --listen 0.0.0.0:9092 --advertise log.example.org:9092 --data /var/lib/thalweg
      a broker for others; clients are told the advertised name, so they must be able to resolve it
  thalweg serve --config server.properties --set num.partitions=8
      Kafka's own configuration file, one setting changed
  THALWEG_LOG_RETENTION_MS=3600000 THALWEG_DATA=/data thalweg serve
      settings and flags from the environment: log.retention.ms and --data

Environment:
  THALWEG_LISTEN, THALWEG_ADVERTISE, THALWEG_DATA, THALWEG_CONFIG, THALWEG_LOG_FORMAT and THALWEG_LOG_LEVEL stand for
  the flags; any other THALWEG_NAME_OF_SETTING is name.of.setting. RUST_LOG is the log's filter where neither
  --log-level nor THALWEG_LOG_LEVEL says one.

Exit codes: 0 stopped cleanly, 1 failed, 2 the command line or a setting can't be used.";

/// Runs the broker until it is told to stop.
pub(crate) fn run(options: Serve) -> Result<(), Failure> {
    let environment = Environment::new(std::env::vars_os())?;
    start_log(options.log_format, options.log_level.as_deref(), &environment)?;
    let Serve { listen, advertise, data, config, set, .. } = options;
    let flags = Flags { listen, advertise, data, config, set };

    let world = reach::world()?;
    let (settings, warnings) = configuration::gather(&flags, &environment, &*world.disk)?;
    for warning in warnings {
        warn!("{warning}");
    }

    // What is still blocked in the kernel must not hold up an end that was asked for.
    reach::runtime(serve(world, settings))
}

async fn serve(world: World, settings: Settings) -> Result<(), Failure> {
    let failed = |reason: String| Failure::in_one_line(Exit::Failed, reason);
    let mut signals = Signals::listen()?;

    let broker = tokio::select! {
        started = Broker::start(world, settings.clone()) => started.map_err(|error| failed(error.to_string()))?,
        name = signals.next() => {
            info!(signal = name, "stopped before it was ready");
            return Ok(());
        }
    };
    terminal::say(&banner::banner(&settings, broker.listening(), broker.durable_method()));
    info!(listening = ?broker.listening(), node = %settings.node, version = env!("CARGO_PKG_VERSION"), "ready");
    terminal::say(&banner::ready_line(broker.listening()));

    tokio::select! {
        name = signals.next() => info!(signal = name, "stopping: no new connections, finishing what was taken"),
        reason = broker.failed() => return Err(failed(reason)),
    }
    tokio::select! {
        stopped = broker.stop() => stopped.map_err(|error| failed(error.to_string()))?,
        name = signals.next() => {
            return Err(failed(format!("ended at once by a second {name}: the next start recovers, as after a crash")));
        }
    }
    info!("stopped");
    Ok(())
}

fn start_log(format: Option<Format>, level: Option<&str>, environment: &Environment) -> Result<(), Failure> {
    let format = match (format, environment.variable("THALWEG_LOG_FORMAT")) {
        (Some(format), _) => format,
        (None, None) => Format::default(),
        (None, Some(word)) => <Format as clap::ValueEnum>::from_str(word, true).map_err(|_| {
            Failure::in_one_line(Exit::Usage, format!("THALWEG_LOG_FORMAT: {word} is neither text nor json"))
        })?,
    };
    let rust_log = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = level.or_else(|| environment.variable("THALWEG_LOG_LEVEL")).or(rust_log.as_deref()).unwrap_or("info");
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    logging::start(format, filter, is_plain)
}

pub(super) fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE, for example num.partitions=8")?;
    match name.trim() {
        "" => Err("the name before the = is missing".to_owned()),
        name => Ok((name.to_owned(), value.to_owned())),
    }
}
