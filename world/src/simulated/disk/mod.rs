//! A disk in memory that forgets what was not synced.
//!
//! Bytes, sizes and names each have two lives: what a process sees now, and what a power cut leaves. A cut
//! ([`SimulatedDisk::crash`]) chooses, from the seed, among all that was not synced: kept, lost, torn at sector borders,
//! the later without the earlier. What was synced stays. Faults come by chance ([`Faults`]) or on order
//! ([`SimulatedDisk::crash_at`], [`SimulatedDisk::fault_at`], [`SimulatedDisk::fault_next`]).
//!
//! Paths start at the disk's root, relative ones too; `..` is refused. Durable writes take simulated time and therefore
//! need a tokio runtime with paused time; the blocking verbs take none.

mod faults;
mod file;
mod names;
mod pages;
mod verbs;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

pub use faults::{Fault, Faults, Kind, Operation, PowerOff};

use super::rng::{Digest, Rng};
use file::FileNode;
use names::{Life, Node, NodeId, Tree};

/// How many operations the record holds; older ones live on only in [`SimulatedDisk::log_digest`].
pub const LOG_MAX: usize = 1 << 16;

/// A disk from a seed. Clones are the same disk.
#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new(seed: u64, faults: Faults) -> SimulatedDisk {
        let stream = |name| Rng::stream(seed, name);
        let state = State {
            tree: Tree::new(),
            faults,
            power: Power::On,
            boot: 0,
            used: 0,
            tickets: 0,
            operations: 0,
            log: VecDeque::new(),
            log_digest: Digest::EMPTY,
            at: BTreeMap::new(),
            next: Vec::new(),
            locks: BTreeSet::new(),
            latency: stream("disk latency"),
            chance: stream("disk faults"),
            cut: stream("disk power cut"),
            rot: stream("disk rot"),
            cache: stream("disk cache"),
        };
        SimulatedDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// Cuts the power, and turns it on again for the next boot. What was not synced is kept, lost or torn as the seed
    /// says; every handle, lock and durable write on its way ends with [`PowerOff`].
    pub fn crash(&self) {
        self.state().crash();
    }

    /// Turns the power off and leaves it off: everything fails with [`PowerOff`] until [`SimulatedDisk::crash`].
    pub fn power_off(&self) {
        self.state().power = Power::Off;
    }

    /// Turns the power on, and nothing was lost: where [`SimulatedDisk::crash_at`] ended a process's operations it was killed,
    /// once [`SimulatedDisk::kill`] has ended its handles.
    pub fn power_on(&self) {
        self.state().power = Power::On;
    }

    /// Ends the process, not the machine (`kill -9`): handles and locks end, nothing is lost, nothing becomes durable.
    pub fn kill(&self) {
        self.state().end_boot();
    }

    /// Turns the power off in the middle of an operation, counted as in [`Operation::number`]; the next one is
    /// [`SimulatedDisk::operations`] + 1. It and all after it fail with [`PowerOff`] until [`SimulatedDisk::crash`].
    pub fn crash_at(&self, operation: u64) {
        self.fault_at(operation, Fault::PowerOff);
    }

    /// Orders a fault for the operation of that number.
    pub fn fault_at(&self, operation: u64, fault: Fault) {
        self.state().at.insert(operation, fault);
    }

    /// Orders a fault for the next operation of a kind on a path that contains a text. Several orders are used up in
    /// turn, one per operation.
    pub fn fault_next(&self, kind: Kind, path_contains: &str, fault: Fault) {
        self.state().next.push((kind, path_contains.to_owned(), fault));
    }

    /// Takes back every order that was not used up.
    pub fn forget_orders(&self) {
        let mut state = self.state();
        state.at.clear();
        state.next.clear();
    }

    /// Replaces what goes wrong by chance; orders stay.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// The last [`LOG_MAX`] operations, oldest first.
    pub fn log(&self) -> Vec<Operation> {
        self.state().log.iter().cloned().collect()
    }

    /// A hash over all operations there were.
    pub fn log_digest(&self) -> u64 {
        self.state().log_digest.value()
    }

    /// A hash over all that is durable: names, sizes, bytes.
    pub fn digest(&self) -> u64 {
        let state = self.state();
        let mut digest = Digest::EMPTY;
        for (path, node) in state.tree.walk(Life::Durable) {
            digest.bytes(path.as_os_str().as_encoded_bytes());
            match state.tree.node(node) {
                Some(Node::File(file)) => file.durable.digest(&mut digest),
                Some(Node::Directory(_)) | None => digest.number(u64::MAX),
            }
        }
        digest.value()
    }

    /// The files that have a name now, sorted by path.
    pub fn files(&self) -> Vec<PathBuf> {
        self.state().files(Life::Now)
    }

    /// The files whose names a power cut can't take, sorted by path.
    pub fn durable_files(&self) -> Vec<PathBuf> {
        self.state().files(Life::Durable)
    }

    /// The bytes that a power cut can't take, under the name that it can't take. `NotFound` if there is no such name.
    pub fn durable_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.state();
        Ok(state.tree.file(state.tree.find(path, Life::Durable)?)?.durable.to_vec())
    }

    /// Damages a file as the medium does: what is written here is there at once, durable, and no operation. Goes by
    /// the present name. `NotFound` without such a file, `InvalidInput` past its end.
    pub fn patch(&self, path: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let node = state.tree.find(path, Life::Now)?;
        let file = state.tree.file_mut(node)?;
        if end_of(at, bytes.len())? > file.now.size() {
            return Err(Errno::INVAL.into());
        }
        file.now.write(bytes, at);
        // Only what the medium has can be damaged on it; the rest is still on its way.
        let there = file.durable.size().saturating_sub(at).min(bytes.len() as u64);
        file.durable.write(&bytes[..there as usize], at);
        Ok(())
    }

    /// Puts a durable file there, with the directories above it, as if it had always been; no operation.
    /// `AlreadyExists` if the name is taken.
    pub fn install(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        for above in above(path) {
            if state.tree.find(above, Life::Now).is_err() {
                let place = state.tree.place(above)?;
                state.tree.link(Node::Directory(names::Directory::default()), place.clone());
                state.tree.sync_directory(place.directory);
            }
        }
        let place = state.tree.place(path)?;
        if state.tree.at(&place).is_some() {
            return Err(Errno::EXIST.into());
        }
        let mut file = FileNode::default();
        file.write(bytes.to_vec(), 0, None);
        file.sync();
        state.used += bytes.len() as u64;
        state.tree.link(Node::File(file), place.clone());
        state.tree.sync_directory(place.directory);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    Off,
}

struct State {
    tree: Tree,
    faults: Faults,
    power: Power,
    /// Counts power cuts and kills: a handle of an earlier boot is dead.
    boot: u64,
    /// The sum of the sizes of all files that are named or open.
    used: u64,
    tickets: u64,
    operations: u64,
    log: VecDeque<Operation>,
    log_digest: Digest,
    at: BTreeMap<u64, Fault>,
    next: Vec<(Kind, String, Fault)>,
    locks: BTreeSet<NodeId>,
    latency: Rng,
    chance: Rng,
    cut: Rng,
    rot: Rng,
    cache: Rng,
}

impl State {
    fn crash(&mut self) {
        self.end_boot();
        self.power = Power::On;
        self.tree.lose(&mut self.cut);
        let mut used = 0;
        for (path, node) in self.tree.walk(Life::Now) {
            let Ok(file) = self.tree.file_mut(node) else { continue };
            used += file.now.size();
            let rots = self.rot.happens(self.faults.rot_at_rest) && path.starts_with(&self.faults.within);
            if rots && file.now.size() > 0 {
                let at = self.rot.below(file.now.size());
                let mut byte = [0];
                file.now.read(&mut byte, at);
                byte[0] ^= 1 << self.rot.below(8);
                file.now.write(&byte, at);
                file.durable.write(&byte, at);
            }
        }
        self.used = used;
    }

    fn end_boot(&mut self) {
        self.boot += 1;
        self.locks.clear();
        let mut freed = 0;
        for file in self.tree.files_mut() {
            if file.open > 0 && !file.named {
                freed += file.now.size();
            }
            file.open = 0;
        }
        self.used -= freed;
    }

    /// Fails while the power is off.
    fn powered(&self) -> io::Result<()> {
        match self.power {
            Power::On => Ok(()),
            Power::Off => Err(PowerOff.into()),
        }
    }

    /// Numbers an operation and says what goes wrong with it.
    fn begin(&mut self, kind: Kind, path: &Path, at: u64, length: u64) -> io::Result<Option<Fault>> {
        self.powered()?;
        self.operations += 1;
        let operation = Operation { number: self.operations, kind, path: path.to_owned(), at, length };
        operation.digest(&mut self.log_digest);
        if self.log.len() == LOG_MAX {
            self.log.pop_front();
        }
        self.log.push_back(operation);
        let chance = self.faults.strike(kind, path, &mut self.chance);
        let text = path.to_string_lossy();
        let fault = match self.at.remove(&self.operations) {
            Some(ordered) => Some(ordered),
            None => match self.next.iter().position(|(of, part, _)| *of == kind && text.contains(part.as_str())) {
                Some(order) => Some(self.next.remove(order).2),
                None => chance,
            },
        };
        if fault == Some(Fault::PowerOff) {
            self.power = Power::Off;
        }
        Ok(fault)
    }

    /// Begins an operation that happens or doesn't. Errors before it happens; what is given back is to be returned
    /// after it has happened.
    fn begin_whole(&mut self, kind: Kind, path: &Path, at: u64, length: u64) -> io::Result<io::Result<()>> {
        match self.begin(kind, path, at, length)? {
            Some(Fault::Io) => Err(Errno::IO.into()),
            Some(Fault::NoSpace) => Err(Errno::NOSPC.into()),
            Some(Fault::PowerOff) => Ok(Err(PowerOff.into())),
            Some(Fault::Lost | Fault::Misdirected | Fault::Slow) | None => Ok(Ok(())),
        }
    }

    fn room(&self) -> u64 {
        self.faults.capacity.saturating_sub(self.used)
    }

    fn files(&self, life: Life) -> Vec<PathBuf> {
        let named = self.tree.walk(life).into_iter();
        named.filter(|(_, node)| self.tree.file(*node).is_ok()).map(|(path, _)| path).collect()
    }
}

/// The directories above a path, topmost first, without the root.
fn above(path: &Path) -> Vec<&Path> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).filter(|above| above.file_name().is_some()).collect();
    above.reverse();
    above
}

/// Where a piece ends. `FileTooLarge` where no file can reach.
fn end_of(at: u64, length: usize) -> io::Result<u64> {
    at.checked_add(length as u64).filter(|end| *end <= i64::MAX as u64).ok_or(Errno::FBIG.into())
}
