//! What a process has used so far, as Linux tells it under `/proc`.

use std::fs;
use std::ops::Sub;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{Failure, Outcome};

/// What a process has used since it started, and what it holds now.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Usage {
    /// CPU of all its threads, user and system; counted in steps of a clock tick, mostly 10 ms.
    pub(crate) cpu: Duration,
    /// Calls that write: files, sockets written by `write` and `writev`, and wake-ups through an eventfd.
    pub(crate) write_calls: u64,
    /// Bytes that it sent to disks.
    pub(crate) disk_bytes: u64,
    /// Times that a thread of it went to sleep: as many wake-ups.
    pub(crate) sleeps: u64,
    /// Its memory now, bytes.
    pub(crate) resident: u64,
    /// The most that it ever had, bytes.
    pub(crate) peak: u64,
}

impl Sub for Usage {
    type Output = Usage;

    /// What was used since `earlier`; memory is what it is now.
    fn sub(self, earlier: Usage) -> Usage {
        Usage {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            write_calls: self.write_calls.saturating_sub(earlier.write_calls),
            disk_bytes: self.disk_bytes.saturating_sub(earlier.disk_bytes),
            sleeps: self.sleeps.saturating_sub(earlier.sleeps),
            resident: self.resident,
            peak: self.peak,
        }
    }
}

/// What a process has used. An error says that it is gone, or not ours to look at.
pub(crate) fn usage(pid: u32) -> Outcome<Usage> {
    let read = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        fs::read_to_string(&path).map_err(Failure::at(&path))
    };
    let malformed = || Failure::new(format!("/proc/{pid} isn't what Linux writes"));
    let ticks = cpu_ticks(&read("stat")?).ok_or_else(malformed)?;
    let io = read("io")?;
    let mut sleeps = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).map_err(Failure::at("the process's threads"))?.flatten() {
        // A thread may end while we look.
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        sleeps += field(&status, "voluntary_ctxt_switches:").unwrap_or(0);
    }
    let status = read("status")?;
    Ok(Usage {
        cpu: Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64),
        write_calls: field(&io, "syscw:").ok_or_else(malformed)?,
        disk_bytes: field(&io, "write_bytes:").ok_or_else(malformed)?,
        sleeps,
        resident: field(&status, "VmRSS:").unwrap_or(0) * 1024,
        peak: field(&status, "VmHWM:").unwrap_or(0) * 1024,
    })
}

/// What this process itself has used.
pub(crate) fn own_usage() -> Outcome<Usage> {
    usage(std::process::id())
}

/// Lets this process, and those that it starts, open as many files as it may.
pub(crate) fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // A verb that needs more says so when a connection fails.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// utime and stime of `/proc/PID/stat`. The name in parentheses may hold anything, so the fields count from its end.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The number behind a name at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_moves_no_field() {
        let stat = "42 (a) R (b 7) S 1 42 42 0 -1 4194560 11 12 13 14 150 50 17 18 20 0 4 0 100 200 300";
        assert_eq!(cpu_ticks(stat), Some(200));
        assert_eq!(cpu_ticks("42 (a"), None);
    }

    #[test]
    fn a_field_is_found_at_the_start_of_its_line_only() {
        let io = "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n";
        assert_eq!((field(io, "syscw:"), field(io, "write_bytes:"), field(io, "bytes:")), (Some(4), Some(6), None));
        assert_eq!(field("Name:\tx\nVmRSS:\t  5120 kB\n", "VmRSS:"), Some(5120));
    }

    #[test]
    fn work_shows_in_the_usage_of_this_process() {
        let before = own_usage().unwrap();
        let mut sum = 0u64;
        while own_usage().unwrap().cpu < before.cpu + Duration::from_millis(30) {
            (0..1_000_000u64).for_each(|n| sum = std::hint::black_box(sum.wrapping_add(n)));
        }
        let used = own_usage().unwrap() - before;
        assert!(used.cpu >= Duration::from_millis(30) && used.resident > 0, "{used:?}");
    }
}
