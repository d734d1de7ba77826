//! The binary, a broker that it runs, and transcripts of what it says.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

pub mod files;
pub mod kafka;
pub mod script;
pub mod stage;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A folder of its own for one test, empty at its start.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The binary, with nothing of ours in its environment.
pub fn thalweg(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running broker on a free port.
pub struct Running {
    pub child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    pub banner: String,
    pub address: String,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let mut banner = String::new();
        let address = loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let mut log = String::new();
                stderr.read_to_string(&mut log).unwrap();
                panic!("it ended before it was ready: {banner}{log}");
            }
            if let Some(address) = line.strip_prefix("thalweg: ready, Kafka protocol on ") {
                break address.trim_end().to_owned();
            }
            banner.push_str(&line);
        };
        Running { child, stdout, stderr, banner, address }
    }

    pub fn tell(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; gives the exit code, what stdout got after the ready line, and the log.
    pub fn end(mut self) -> (Option<i32>, String, String) {
        let (mut rest, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        self.stderr.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), rest, log)
    }
}

/// A test that fails leaves no broker behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _is_gone = self.child.kill().and_then(|()| self.child.wait());
    }
}
