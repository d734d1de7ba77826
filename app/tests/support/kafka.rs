//! A real Kafka, where `interop/kafka/kafka.py` has installed one.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A real Kafka that runs until it is dropped.
pub struct Kafka {
    home: PathBuf,
    pub address: String,
}

impl Kafka {
    /// Starts one; `None`, said aloud, where there is none. With `INTEROP_REQUIRE_KAFKA=1` that is a failure.
    pub fn start(home: PathBuf) -> Option<Kafka> {
        if !jars().is_some_and(|jars| jars.join("whole").exists()) {
            assert!(std::env::var_os("INTEROP_REQUIRE_KAFKA").is_none_or(|word| word != "1"), "no Kafka is installed");
            eprintln!("SKIPPED: a real Kafka is not installed: interop/kafka/kafka.py install");
            return None;
        }
        let port = free_ports();
        let kafka = Kafka { home, address: format!("127.0.0.1:{port}") };
        kafka.tell(&["start", kafka.home.to_str().unwrap(), &port.to_string(), "num.partitions=1"]);
        Some(kafka)
    }

    fn tell(&self, arguments: &[&str]) {
        let python = std::env::var("INTEROP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/kafka/kafka.py");
        let done = Command::new(python).arg(script).args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.tell(&["kill", self.home.to_str().unwrap()]);
    }
}

/// Where the jars are, as `kafka.py` has it.
fn jars() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    folder("INTEROP_KAFKA_HOME").or_else(|| Some(cache?.join("thalweg-kafka-4.3.0")))
}

/// A port that is free, as is the next one, for its controller. Below the range from which the system takes ports for
/// connections.
fn free_ports() -> u16 {
    let begin = 10_000 + u16::try_from(std::process::id() % 20_000).unwrap();
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (begin..32_000).step_by(2).find(|port| is_free(*port) && is_free(port + 1)).unwrap()
}
