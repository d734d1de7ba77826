//! What a person sees when the broker runs: where it listens, where the data is, what "durable" means on this disk, and
//! what to try next.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use thalweg_broker::listeners;
use thalweg_broker::settings::Settings;
use thalweg_world::disk::DurableMethod;

/// The banner, without the ready line. `listening` are the addresses that were bound, in the order of the listeners.
pub(crate) fn banner(settings: &Settings, listening: &[SocketAddr], durable: DurableMethod) -> String {
    let mut text = format!("thalweg {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |label: &str, what: &str| {
        // Writing to a string can't fail.
        let _infallible = writeln!(text, "  {label:<12}{what}");
    };
    let mut bootstrap = String::new();
    for (listener, bound) in settings.listeners.iter().zip(listening) {
        let (host, port) = listener.advertised(*bound);
        let advertised = listeners::address(host, port);
        line("listens on", &format!("{bound} ({}), clients are sent to {advertised}", listener.name));
        if bootstrap.is_empty() {
            bootstrap = advertised;
        }
    }
    let directories = &settings.directories;
    let logs: Vec<String> = directories.logs.iter().map(|directory| shown(directory)).collect();
    line("data in", &logs.join(", "));
    line("metadata in", &shown(&directories.metadata));
    line("durable by", method(durable));
    line("try", &format!("echo hello | kcat -b {bootstrap} -t greetings -P"));
    line("", &format!("kcat -b {bootstrap} -t greetings -C -e"));
    line("stop", "Ctrl-C or SIGTERM: finishes what it took, then ends; a second one ends it at once");
    text
}

/// The line that scripts wait for.
pub(crate) fn ready_line(listening: &[SocketAddr]) -> String {
    let address = listening.first().map(ToString::to_string).unwrap_or_default();
    format!("thalweg: ready, Kafka protocol on {address}\n")
}

fn shown(directory: &Path) -> String {
    let directory: PathBuf = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    directory.display().to_string()
}

fn method(durable: DurableMethod) -> &'static str {
    match durable {
        DurableMethod::DirectSync => {
            "direct synchronous writes (O_DIRECT, O_DSYNC) into the journal, before each acknowledgement"
        }
        DurableMethod::BufferedSync => "buffered writes and fdatasync of the journal, before each acknowledgement",
        DurableMethod::Simulated => "a simulated disk: nothing outlives this process",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_shows_what_was_bound_and_a_line_that_can_be_pasted() {
        let settings = Settings::in_directory(Path::new("/d"), "127.0.0.1:0").unwrap();
        let bound = ["127.0.0.1:40001".parse().unwrap()];
        let text = banner(&settings, &bound, DurableMethod::BufferedSync);
        for part in [
            "127.0.0.1:40001 (PLAINTEXT)",
            "data in     /d/logs\n",
            "metadata in /d/quorum\n",
            "fdatasync",
            "echo hello | kcat -b 127.0.0.1:40001 -t greetings -P\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(ready_line(&bound), "thalweg: ready, Kafka protocol on 127.0.0.1:40001\n");
    }
}
