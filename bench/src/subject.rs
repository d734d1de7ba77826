//! What is measured: a broker of ours or another's binary, our null broker, or one that runs already; always on this
//! machine, since a network would be measured instead.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::journal;
use crate::null_broker::Mode;
use crate::process::{self, Usage};
use crate::{Failure, Outcome};

/// What a ready broker says on stdout, before its address.
const READY: &str = "ready, Kafka protocol on ";

/// Which broker is measured. One of the first three has to be said.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Target {
    /// Start this `thalweg` binary on an empty directory, and stop it afterwards
    #[arg(long, value_name = "PATH", help_heading = "Against", conflicts_with_all = ["null", "address"])]
    pub(crate) broker: Option<PathBuf>,

    /// Start our own null broker
    #[arg(long, value_name = "MODE", help_heading = "Against", conflicts_with = "address")]
    pub(crate) null: Option<Mode>,

    /// Measure what runs at this address, 127.0.0.1:PORT
    #[arg(long, value_name = "ADDR", help_heading = "Against")]
    pub(crate) address: Option<SocketAddr>,

    /// The process at --address: its CPU and memory are read
    #[arg(long, value_name = "PID", help_heading = "Against", requires = "address")]
    pub(crate) broker_pid: Option<u32>,

    /// The data directory of the broker at --address: its journal's frames are counted
    #[arg(long, value_name = "DIR", help_heading = "Against", requires = "address")]
    pub(crate) data: Option<PathBuf>,

    /// Where directories for brokers that we start are made: on the filesystem to measure
    #[arg(long, value_name = "DIR", help_heading = "Against", default_value = "thalweg-data")]
    pub(crate) scratch: PathBuf,

    /// Empty the files of a run when it ends, and leave their removal to whoever made DIR: a filesystem that has just
    /// removed many files may take long to make new ones
    #[arg(long, help_heading = "Against", hide = true)]
    pub(crate) leave_names: bool,

    /// A setting of the broker that we start; may be repeated
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Against")]
    pub(crate) set: Vec<String>,
}

/// A broker that can be measured. What was started is killed, and its directory removed, when this is dropped.
pub(crate) struct Subject {
    target: Target,
    address: SocketAddr,
    child: Option<Child>,
    /// Held open: a broker that can't say something may end.
    stdout: Option<BufReader<ChildStdout>>,
    scratch: Option<Scratch>,
    /// From the start of the process to its ready line; zero if it ran already.
    pub(crate) ready_after: Duration,
}

/// A directory of our own.
struct Scratch {
    path: PathBuf,
    leave_names: bool,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The next run makes another; a leftover is in the way of nobody.
        let _ = if self.leave_names { empty_files(&self.path) } else { fs::remove_dir_all(&self.path) };
    }
}

/// Frees what the files in a folder take.
fn empty_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            empty_files(&entry.path())?;
        } else {
            File::create(entry.path())?;
        }
    }
    Ok(())
}

impl Target {
    /// Starts it, or looks where it runs.
    pub(crate) fn start(&self) -> Outcome<Subject> {
        if let Some(address) = self.address {
            if !address.ip().is_loopback() {
                return Err(Failure::new(format!("{address} is another machine: only 127.0.0.1 is measured")));
            }
            let target = self.clone();
            let ready_after = Duration::ZERO;
            return Ok(Subject { target, address, child: None, stdout: None, scratch: None, ready_after });
        }
        if self.broker.is_none() && self.null.is_none() {
            return Err(Failure::new("say what to measure: --broker PATH, --null MODE or --address 127.0.0.1:PORT"));
        }
        fs::create_dir_all(&self.scratch).map_err(Failure::at("can't make the scratch directory"))?;
        let stamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let path = self.scratch.join(format!("bench-{}-{stamp}", std::process::id()));
        let scratch = Scratch { path, leave_names: self.leave_names };
        fs::create_dir(&scratch.path).map_err(Failure::at("can't make a directory for the broker"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut subject = Subject {
            target: self.clone(),
            address,
            child: None,
            stdout: None,
            scratch: Some(scratch),
            ready_after: Duration::ZERO,
        };
        subject.spawn()?;
        Ok(subject)
    }

    /// What is measured, in a word or two.
    pub(crate) fn name(&self) -> String {
        match (&self.broker, self.null) {
            (Some(_), _) => "thalweg".to_owned(),
            (_, Some(mode)) => format!("null broker, {mode}"),
            _ => self.address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

impl Subject {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn name(&self) -> String {
        self.target.name()
    }

    /// What its process has used; `None` if we don't know its process.
    pub(crate) fn usage(&self) -> Outcome<Option<Usage>> {
        let pid = self.child.as_ref().map(Child::id).or(self.target.broker_pid);
        pid.map(process::usage).transpose()
    }

    /// The number of its journal's newest frame: durable writes so far. `None` if there is no journal to look at.
    pub(crate) fn journal_frames(&self) -> Option<u64> {
        let data = self.target.data.clone().or_else(|| self.data())?;
        journal::newest_frame(&data.join("logs").join("journal"))
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) -> Outcome<()> {
        let child = self.child.as_mut().ok_or_else(|| Failure::new("only a broker that we started is killed"))?;
        child.kill().map_err(Failure::at("the broker can't be killed"))?;
        child.wait().map_err(Failure::at("the broker's end can't be seen"))?;
        self.child = None;
        Ok(())
    }

    /// Ends it as a service manager does, and waits.
    pub(crate) fn stop(&mut self) -> Outcome<()> {
        let child = self.child.as_mut().ok_or_else(|| Failure::new("only a broker that we started is stopped"))?;
        kill_process(Pid::from_child(child), Signal::TERM).map_err(Failure::at("the broker can't be stopped"))?;
        let status = child.wait().map_err(Failure::at("the broker's end can't be seen"))?;
        self.child = None;
        if status.success() { Ok(()) } else { Err(Failure::new(format!("the broker's stop was not clean: {status}"))) }
    }

    /// Starts it, on the directory that it had if it ran before.
    pub(crate) fn spawn(&mut self) -> Outcome<()> {
        let data = self.data();
        let mut command = self.command(data.as_deref())?;
        let begin = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        // Into its place first: whatever fails from here on, it is killed.
        let child = self.child.insert(child.map_err(Failure::at("the broker can't be started"))?);
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(|| Failure::new("no stdout"))?);
        self.address = loop {
            let mut line = String::new();
            let read = stdout.read_line(&mut line).map_err(Failure::at("the broker's stdout"))?;
            if read == 0 {
                return Err(Failure::new("the broker ended before it was ready: start it by hand to see why"));
            }
            if let Some((_, address)) = line.trim_end().split_once(READY) {
                break address.parse().map_err(Failure::at("the address in the ready line"))?;
            }
        };
        self.ready_after = begin.elapsed();
        self.stdout = Some(stdout);
        Ok(())
    }

    /// Its data directory, if we started it.
    pub(crate) fn data(&self) -> Option<PathBuf> {
        self.scratch.as_ref().map(|scratch| scratch.path.join("data"))
    }

    fn command(&self, data: Option<&Path>) -> Outcome<Command> {
        let data = data.ok_or_else(|| Failure::new("only a broker that we started is started again"))?;
        let mut command = match (&self.target.broker, self.target.null) {
            (Some(broker), _) => {
                let mut command = Command::new(broker);
                command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--data"]).arg(data);
                command.args(self.target.set.iter().flat_map(|setting| ["--set", setting]));
                command
            }
            (None, Some(mode)) => {
                let own = std::env::current_exe().map_err(Failure::at("this program can't be found"))?;
                let mut command = Command::new(own);
                command.args(["null-broker", "--listen", "127.0.0.1:0", "--mode", &mode.to_string(), "--file"]);
                command.arg(data);
                command
            }
            (None, None) => return Err(Failure::new("nothing to start")),
        };
        // Settings of the caller's shell are no part of a figure.
        let foreign = std::env::vars_os().map(|(name, _)| name);
        foreign.filter(|name| name.to_string_lossy().starts_with("THALWEG_")).for_each(|name| {
            command.env_remove(name);
        });
        Ok(command)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
