//! Who started this process, and whether they are still there: for a process that is to end with them.

use std::io::{self, Read, Stdin};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::retry_on_intr;
use rustix::process::{PidfdFlags, getppid, pidfd_open};

/// Ends when whoever started this process has: when our stdin ends, if that is a pipe or a socket that they hold the other
/// end of, or when their process does. Where neither can be known it never ends. Needs a runtime.
pub async fn starter_ended() {
    // A thread that may block until the process ends: a pipe that others read, too, must stay as it is.
    let watched = tokio::task::spawn_blocking(|| watch(parent().as_ref(), held().as_ref()));
    match watched.await {
        Ok(Ok(())) => {}
        Ok(Err(_)) | Err(_) => std::future::pending().await,
    }
}

/// An event, not a number that is looked at now and then; and no other process can take its place.
fn parent() -> Option<OwnedFd> {
    pidfd_open(getppid()?, PidfdFlags::empty()).ok()
}

/// Our stdin, if somebody holds its other end. A terminal or `/dev/null` says nothing about who started us.
fn held() -> Option<Stdin> {
    let stdin = io::stdin();
    let kind = fstat(stdin.as_fd()).map(|found| FileType::from_raw_mode(found.st_mode));
    kind.is_ok_and(|kind| matches!(kind, FileType::Fifo | FileType::Socket)).then_some(stdin)
}

/// Blocks until one of the two has ended.
fn watch(parent: Option<&OwnedFd>, stdin: Option<&Stdin>) -> io::Result<()> {
    loop {
        let mut watched: Vec<PollFd<'_>> = Vec::with_capacity(2);
        watched.extend(stdin.map(|stdin| PollFd::new(stdin, PollFlags::IN)));
        watched.extend(parent.map(|parent| PollFd::new(parent, PollFlags::IN)));
        if watched.is_empty() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        retry_on_intr(|| poll(&mut watched, None))?;
        let has_news = |place: usize| watched.get(place).is_some_and(|watched| !watched.revents().is_empty());
        let Some(mut stdin) = stdin else { return Ok(()) };
        if has_news(1) {
            return Ok(());
        }
        // What comes means nothing, only that nothing more can come does.
        if has_news(0) && matches!(stdin.read(&mut [0; 4096]), Ok(0) | Err(_)) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rustix::process::Pid;

    use super::*;

    #[test]
    fn a_process_that_has_ended_is_seen() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let watched = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        drop(child.stdin.take());
        watch(Some(&watched), None).unwrap();
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn of_nobody_nothing_is_known() {
        assert!(watch(None, None).is_err());
    }
}
