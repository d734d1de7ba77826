//! `thalweg dev`: a broker for the length of a test: in memory, on a free port, gone with whoever started it.
//!
//! Its data is a folder of files, so that it is the same broker as any other; the folder is where files are memory
//! (`/dev/shm`), as far as there is room. What one that was killed has left the next one takes away.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;

use clap::Args;
use serde::Serialize;
use thalweg_broker::Broker;
use thalweg_broker::settings::Settings;
use thalweg_world::disk::{Disk, EntryKind};
use thalweg_world::{World, real};
use tracing::info;

use super::serve::configuration::{self, Environment, Flags};
use super::serve::{logging, name_and_value};
use crate::failure::{Exit, Failure};
use crate::signals::Signals;
use crate::{output, reach};

/// Files are memory here.
const MEMORY: &str = "/dev/shm";

/// Where there is less room than this, in bytes, a test could fill it. A container's is 64 MiB by default.
const ROOM_MIN: u64 = 1 << 30;

/// What its folder's name begins with.
const PREFIX: &str = "thalweg-dev-";

/// In the folder: held as long as it runs.
const LOCK: &str = ".lock";

/// Of a broker that lives for minutes, in bytes.
const JOURNAL_BYTES: &str = "67108864";

/// Run a broker for the length of a test: in memory, on a free port, gone with whoever started it.
///
/// Once it is ready it prints one line of JSON: where it listens (bootstrap), its pid, and where its data is. It ends when its stdin ends, if
/// that is a pipe, when the process that started it ends, and by SIGTERM or Ctrl-C. All that it was told ends with it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Dev {
    /// Listen at HOST:PORT; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    listen: String,

    /// Set one setting; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    set: Vec<(String, String)>,

    /// What is logged on stderr: off, error, warn, info, debug, trace, or TARGET=LEVEL parted by commas
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log_level: String,
}

const EXAMPLES: &str = "\
Examples:
  thalweg dev
      until Ctrl-C
  thalweg dev --set num.partitions=4 --set auto.create.topics.enable=false
      with other settings
  broker = subprocess.Popen([\"thalweg\", \"dev\"], stdin=PIPE, stdout=PIPE)
  bootstrap = json.loads(broker.stdout.readline())[\"bootstrap\"]
      in a test of another program, in Python: it ends with the test, however that ends

Variables of the environment are not looked at: a test is to be the same everywhere.";

/// What it says when it is ready.
#[derive(Serialize)]
struct Ready<'a> {
    bootstrap: String,
    pid: u32,
    /// Its folder, for who wants to look at it while it is there.
    data: &'a str,
}

impl Dev {
    /// Runs the broker until it is to end.
    pub(super) fn run(self) -> Result<(), Failure> {
        logging::start(logging::Format::Text, &self.log_level, false)?;
        let world = reach::world()?;
        let path = place(&world);
        // A command line that can't be used leaves nothing behind.
        let settings = self.settings(&world, &path)?;
        let home = Home::make(&*world.disk, path)?;
        let ended = reach::runtime(serve(world.clone(), settings, &home.path.display().to_string()));
        home.remove(&*world.disk);
        ended
    }

    fn settings(self, world: &World, home: &Path) -> Result<Settings, Failure> {
        let data = home.to_str().map(str::to_owned);
        // What is named later is stronger.
        let set = [("journal.bytes".to_owned(), JOURNAL_BYTES.to_owned())].into_iter().chain(self.set).collect();
        let flags = Flags { listen: Some(self.listen), data, set, ..Flags::default() };
        let nothing = Environment::new(std::iter::empty())?;
        let (settings, warnings) = configuration::gather(&flags, &nothing, &*world.disk)?;
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(settings)
    }
}

async fn serve(world: World, settings: Settings, data: &str) -> Result<(), Failure> {
    let failed = |reason: String| Failure::in_one_line(Exit::Failed, reason);
    let mut signals = Signals::listen()?;
    let mut orphaned = pin!(real::starter_ended());
    let broker = tokio::select! {
        started = Broker::start(world, settings.clone()) => started.map_err(|error| failed(error.to_string()))?,
        _ = signals.next() => return Ok(()),
        () = &mut orphaned => return Ok(()),
    };
    let bound = settings.listeners.iter().zip(broker.listening()).next();
    let bootstrap = bound.map(|(listener, bound)| {
        let (host, port) = listener.advertised(*bound);
        thalweg_broker::listeners::address(host, port)
    });
    let ready = Ready { bootstrap: bootstrap.unwrap_or_default(), pid: std::process::id(), data };
    let line = serde_json::to_string(&ready).map_err(|error| output::not_json(&error))?;
    output::write(&(line + "\n"))?;
    tokio::select! {
        name = signals.next() => info!(signal = name, "ends"),
        () = &mut orphaned => info!("whoever started it has ended"),
        reason = broker.failed() => return Err(failed(reason)),
    }
    // So that nobody writes to files any more that are on their way out; whether all is in them doesn't matter.
    tokio::select! {
        stopped = broker.stop() => drop(stopped),
        _ = signals.next() => {}
    }
    Ok(())
}

/// A folder of its own.
struct Home {
    path: PathBuf,
    /// Says to others that somebody lives there.
    _lock: Box<dyn Send + Sync>,
}

/// Where a new one is to be: in memory, if there is room.
fn place(world: &World) -> PathBuf {
    let memory = Path::new(MEMORY);
    let disk = &*world.disk;
    let is_roomy = disk.list(memory).is_ok() && disk.space(memory).is_ok_and(|space| space.free >= ROOM_MIN);
    let above = if is_roomy { memory.to_owned() } else { std::env::temp_dir() };
    above.join(format!("{PREFIX}{}", world.entropy.uuid()))
}

impl Home {
    /// A new one, and what others have left beside it goes.
    fn make(disk: &dyn Disk, path: PathBuf) -> Result<Home, Failure> {
        sweep(disk, path.parent().unwrap_or(Path::new(MEMORY)));
        let made = disk.create_dir_all(&path).and_then(|()| disk.lock(&path.join(LOCK)));
        let lock = made.map_err(|error| {
            let what = format!("can't make {}: {error}", path.display());
            Failure::new(Exit::Failed, what, "TMPDIR names a directory for temporary files")
        })?;
        Ok(Home { path, _lock: lock })
    }

    /// Takes it away; what stays for whatever reason the next one takes.
    fn remove(self, disk: &dyn Disk) {
        let _left = remove(disk, &self.path);
    }
}

/// Takes away what others have left that were killed: nobody holds their locks.
fn sweep(disk: &dyn Disk, above: &Path) {
    for entry in disk.list(above).unwrap_or_default() {
        let is_ours = entry.name.to_str().is_some_and(|name| name.starts_with(PREFIX));
        let path = above.join(&entry.name);
        // One without a lock's file is only being made.
        let has_lock =
            is_ours && disk.list(&path).is_ok_and(|inside| inside.iter().any(|entry| entry.name == Path::new(LOCK)));
        if let Some(_lock) = has_lock.then(|| disk.lock(&path.join(LOCK)).ok()).flatten() {
            let _left = remove(disk, &path);
        }
    }
}

/// Takes a folder away with all that is in it, its lock last.
fn remove(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let mut entries = disk.list(folder)?;
    entries.sort_by_key(|entry| entry.name == Path::new(LOCK));
    for entry in entries {
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::Directory => remove(disk, &path)?,
            _ => disk.remove_file(&path)?,
        }
    }
    disk.remove_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    #[test]
    fn what_a_killed_one_left_goes_and_what_lives_stays() {
        let disk = SimulatedDisk::new(1, Faults::default());
        for file in ["thalweg-dev-a/.lock", "thalweg-dev-a/logs/x", "thalweg-dev-b/.lock", "thalweg-dev-c/x", "other/x"]
        {
            disk.install(&Path::new("/run").join(file), b"").unwrap();
        }
        let _lives = disk.lock(Path::new("/run/thalweg-dev-b/.lock")).unwrap();
        sweep(&disk, Path::new("/run"));
        let left: Vec<String> = disk.files().iter().map(|path| path.display().to_string()).collect();
        assert_eq!(left, ["/run/other/x", "/run/thalweg-dev-b/.lock", "/run/thalweg-dev-c/x"]);
    }
}
