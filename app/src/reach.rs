//! How a verb reaches a cluster: its flags, its client, and the end that comes by itself, by time or by Ctrl-C.

use std::time::Duration;

use clap::Args;
use thalweg_client::{Client, Options};
use thalweg_world::{World, real};

use crate::failure::{Exit, Failure};
use crate::quantities;
use crate::signals::Signals;

/// The longest that a connection may take of the time there is: another broker may answer.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// The flags by which a cluster is reached.
#[derive(Args, Clone)]
pub(crate) struct Reach {
    /// Brokers to begin with, with commas between; one that answers is enough
    #[arg(
        short,
        long,
        value_name = "HOST:PORT",
        env = "THALWEG_BOOTSTRAP",
        hide_env_values = true,
        default_value = "127.0.0.1:9092",
        value_parser = addresses,
        help_heading = "Cluster"
    )]
    bootstrap: String,

    /// How long the cluster may take to answer, such as 500ms or 2m
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        value_parser = quantities::duration,
        help_heading = "Cluster"
    )]
    timeout: Duration,
}

/// Whether asking for a topic that isn't there may make it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Missing {
    /// It is missing.
    StayMissing,
    /// It is made, where the broker allows that.
    AreMade,
}

impl Reach {
    /// A client of the cluster. It has asked nobody yet.
    pub(crate) fn client(&self, topics: Missing) -> Result<Client, Failure> {
        let options = Options {
            connect_timeout: self.timeout.min(CONNECT_MAX),
            request_timeout: self.timeout,
            creates_topics: topics == Missing::AreMade,
            ..Options::to(&self.bootstrap)
        };
        Ok(Client::new(world()?, options))
    }

    /// How long the cluster may take to answer.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Does something with a cluster, which may take as long as `--timeout` says in all, and ends at Ctrl-C.
    pub(crate) fn ask(&self, verb: impl AsyncFnOnce(Client) -> Result<(), Failure>) -> Result<(), Failure> {
        let client = self.client(Missing::StayMissing)?;
        run(async {
            let late = client.world().clock.sleep(self.timeout);
            tokio::select! {
                biased;
                done = verb(client.clone()) => done,
                () = late => {
                    let what = format!("no answer from {} within {:?}", self.bootstrap, self.timeout);
                    let next = "--timeout gives it longer; what was asked for may still be done: look before asking again";
                    Err(Failure::new(Exit::Unreachable, what, next))
                }
            }
        })
    }
}

/// Runs to the end, or to the first Ctrl-C (or SIGTERM).
pub(crate) fn run(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    runtime(async {
        let mut signals = Signals::listen()?;
        tokio::select! {
            biased;
            done = verb => done,
            _ = signals.next() => Err(Failure::interrupted()),
        }
    })
}

/// Runs to the end. What is still blocked in the kernel doesn't hold it up.
pub(crate) fn runtime(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        let next = "does this system let a process have threads?";
        Failure::new(Exit::Failed, format!("can't start worker threads: {error}"), next)
    })?;
    let ended = runtime.block_on(verb);
    runtime.shutdown_background();
    ended
}

/// The operating system.
pub(crate) fn world() -> Result<World, Failure> {
    real::world().map_err(|error| {
        let what = format!("the system has no random bytes: {error}");
        Failure::new(Exit::Failed, what, "try again once it has")
    })
}

/// Checks `HOST:PORT[,HOST:PORT...]`.
fn addresses(text: &str) -> Result<String, String> {
    for address in text.split(',') {
        let (host, port) = address.trim().rsplit_once(':').unwrap_or((address, ""));
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err("write HOST:PORT, for example 127.0.0.1:9092; several with commas between".to_owned());
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for good in ["a:1", "a:1,b:2", "a:1, [::1]:9092"] {
            assert!(addresses(good).is_ok(), "{good}");
        }
        for bad in ["", "a", ":1", "a:b", "a:1,", "a:70000"] {
            assert!(addresses(bad).is_err(), "{bad}");
        }
    }
}
