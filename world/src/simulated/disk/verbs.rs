//! The seam's verbs on a simulated disk: what each does to names and bytes, and what each fault makes of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::super::rng::Chance;
use super::faults::{Fault, Kind, PowerOff};
use super::file::{FileNode, Ticket};
use super::names::{Directory, Life, Node, NodeId};
use super::{SimulatedDisk, State, above, end_of};
use crate::BoxFuture;
use crate::disk::{BLOCK_BYTES, Block, Disk, DiskFile, DurableMethod, Entry, EntryKind, Open, Space};

/// How often what is read is in memory: both roads are to be taken.
const CACHED: Chance = Chance::one_in(2);

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.powered()?;
        let place = state.tree.place(path)?;
        let node = match (state.tree.at(&place), how) {
            (Some(_), Open::CreateNew) => return Err(Errno::EXIST.into()),
            (Some(node), _) => {
                state.tree.file(node)?;
                node
            }
            (None, Open::Create | Open::CreateNew) => {
                let after = state.begin_whole(Kind::Create, path, 0, 0)?;
                let node = state.tree.link(Node::File(FileNode::default()), place);
                after?;
                node
            }
            (None, _) => return Err(Errno::NOENT.into()),
        };
        state.tree.file_mut(node)?.open += 1;
        let (disk, boot) = (self.clone(), state.boot);
        Ok(Arc::new(SimulatedFile { disk, node, boot, path: path.to_owned(), how }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.powered()?;
        for directory in above(path).into_iter().chain([path]) {
            match state.tree.find(directory, Life::Now) {
                Ok(node) if state.tree.directory(node).is_ok() => {}
                Ok(_) if directory == path => return Err(Errno::EXIST.into()),
                Ok(_) => return Err(Errno::NOTDIR.into()),
                Err(_) => {
                    let place = state.tree.place(directory)?;
                    let after = state.begin_whole(Kind::MakeDir, directory, 0, 0)?;
                    state.tree.link(Node::Directory(Directory::default()), place);
                    after?;
                }
            }
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let state = self.state();
        state.powered()?;
        let directory = state.tree.directory(state.tree.find(path, Life::Now)?)?;
        let entries = directory.now.iter().map(|(name, node)| {
            let kind = if state.tree.file(*node).is_ok() { EntryKind::File } else { EntryKind::Directory };
            Entry { name: PathBuf::from(name), kind }
        });
        Ok(entries.collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.powered()?;
        let (from_place, to_place) = (state.tree.place(from)?, state.tree.place(to)?);
        let node = state.tree.at(&from_place).ok_or(Errno::NOENT)?;
        let is_file = state.tree.file(node).is_ok();
        let replaced = state.tree.at(&to_place);
        match replaced.and_then(|replaced| state.tree.node(replaced)) {
            Some(_) if replaced == Some(node) => return Ok(()),
            Some(Node::Directory(_)) if is_file => return Err(Errno::ISDIR.into()),
            Some(Node::Directory(directory)) if !directory.now.is_empty() => return Err(Errno::NOTEMPTY.into()),
            Some(Node::File(_)) if !is_file => return Err(Errno::NOTDIR.into()),
            _ if to.starts_with(from) => return Err(Errno::INVAL.into()),
            _ => {}
        }
        let after = state.begin_whole(Kind::Rename, to, 0, 0)?;
        state.tree.rename(node, from_place, to_place);
        if let Some(replaced) = replaced {
            state.free_if_gone(replaced);
        }
        after
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.powered()?;
        let place = state.tree.place(path)?;
        let node = state.tree.at(&place).ok_or(Errno::NOENT)?;
        state.tree.file(node)?;
        let after = state.begin_whole(Kind::RemoveFile, path, 0, 0)?;
        state.tree.unlink(node, place);
        state.free_if_gone(node);
        after
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.powered()?;
        let place = state.tree.place(path)?;
        let node = state.tree.at(&place).ok_or(Errno::NOENT)?;
        if !state.tree.directory(node)?.now.is_empty() {
            return Err(Errno::NOTEMPTY.into());
        }
        let after = state.begin_whole(Kind::RemoveDir, path, 0, 0)?;
        state.tree.unlink(node, place);
        after
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.powered()?;
        let node = state.tree.find(path, Life::Now)?;
        state.tree.directory(node)?;
        // An error or a power cut leaves the names as they were: pending, each for the cut to choose.
        state.begin_whole(Kind::SyncDir, path, 0, 0)??;
        state.tree.sync_directory(node);
        Ok(())
    }

    fn sync_filesystem(&self, _file: &dyn DiskFile) -> io::Result<()> {
        let mut state = self.state();
        let outcome = state.begin_whole(Kind::SyncFilesystem, Path::new("/"), 0, 0).flatten();
        let State { tree, cut, .. } = &mut *state;
        match &outcome {
            Ok(()) => {
                tree.files_mut().for_each(FileNode::sync);
                tree.sync_all();
            }
            // Everything stays pending, for the cut to choose.
            Err(error) if PowerOff::is(error) => {}
            Err(_) => tree.files_mut().for_each(|file| file.failed_sync(cut)),
        }
        outcome
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        // Holding the file open keeps its name's node alive.
        let file = self.open(path, Open::Create)?;
        let mut state = self.state();
        let node = state.tree.find(path, Life::Now)?;
        if !state.locks.insert(node) {
            drop(state);
            return Err(Errno::AGAIN.into());
        }
        Ok(Box::new(Lock { disk: self.clone(), node, boot: state.boot, _file: file }))
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let state = self.state();
        state.powered()?;
        state.tree.find(path, Life::Now)?;
        Ok(Space { free: state.room(), total: state.faults.capacity })
    }

    fn absolute(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(Path::new("/").join(path))
    }
}

struct Lock {
    disk: SimulatedDisk,
    node: NodeId,
    boot: u64,
    _file: Arc<dyn DiskFile>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.boot == self.boot {
            state.locks.remove(&self.node);
        }
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    node: NodeId,
    boot: u64,
    path: PathBuf,
    how: Open,
}

impl DiskFile for SimulatedFile {
    fn size(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.alive(self.boot)?;
        Ok(state.tree.file(self.node)?.now.size())
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.alive(self.boot)?;
        let there = state.tree.file(self.node)?.now.read(into, at);
        let chance = state.faults.rot_on_read;
        if state.rot.happens(chance) && there > 0 && self.path.starts_with(&state.faults.within) {
            let bit = state.rot.below(there as u64 * 8);
            into[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
        Ok(there)
    }

    fn read_cached(&self, into: &mut [u8], at: u64) -> io::Result<Option<usize>> {
        let is_there = self.disk.state().cache.happens(CACHED);
        if is_there { self.read_at(into, at).map(Some) } else { Ok(None) }
    }

    fn write_at(&self, parts: &[io::IoSlice<'_>], at: u64) -> io::Result<()> {
        let mut bytes = parts.iter().flat_map(|part| part.iter()).copied().collect::<Vec<u8>>();
        self.writable()?;
        let end = end_of(at, bytes.len())?;
        let mut state = self.disk.state();
        state.alive(self.boot)?;
        let fault = state.begin(Kind::Write, &self.path, at, bytes.len() as u64)?;
        let mut outcome = Ok(());
        let size = state.tree.file(self.node)?.now.size();
        let fits = size.saturating_add(state.room()).saturating_sub(at).min(bytes.len() as u64);
        if fits < bytes.len() as u64 {
            bytes.truncate(fits as usize);
            outcome = Err(Errno::NOSPC.into());
        }
        match fault {
            Some(fault @ (Fault::NoSpace | Fault::Io)) => {
                // A part may get in.
                let some = state.chance.below(bytes.len() as u64 + 1);
                bytes.truncate(some as usize);
                outcome = Err(if fault == Fault::Io { Errno::IO } else { Errno::NOSPC }.into());
            }
            Some(Fault::PowerOff) => outcome = Err(PowerOff.into()),
            Some(Fault::Lost | Fault::Misdirected) => {
                // The page cache shows the bytes where they belong; only the medium lacks them.
                let elsewhere = state.beside(self.node, at, bytes.len()).filter(|_| fault == Some(Fault::Misdirected));
                state.resize(self.node, size.max(end))?;
                let file = state.tree.file_mut(self.node)?;
                file.now.write(&bytes, at);
                if let Some(elsewhere) = elsewhere {
                    file.pending.push(super::file::Pending::Write { at: elsewhere, bytes, ticket: None });
                }
                return outcome;
            }
            Some(Fault::Slow) | None => {}
        }
        if !bytes.is_empty() {
            let end = at + bytes.len() as u64;
            state.used += end.saturating_sub(size);
            state.tree.file_mut(self.node)?.write(bytes, at, None);
        }
        outcome
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.writable()?;
        end_of(size, 0)?;
        let mut state = self.disk.state();
        state.alive(self.boot)?;
        let old = state.tree.file(self.node)?.now.size();
        let after = state.begin_whole(Kind::SetSize, &self.path, size, 0)?;
        if size.saturating_sub(old) > state.room() {
            return Err(Errno::NOSPC.into());
        }
        state.resize(self.node, size)?;
        after
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.alive(self.boot)?;
        let outcome = state.begin_whole(Kind::Sync, &self.path, 0, 0).flatten();
        let State { tree, cut, .. } = &mut *state;
        let file = tree.file_mut(self.node)?;
        match &outcome {
            Ok(()) => file.sync(),
            Err(error) if PowerOff::is(error) => {}
            Err(_) => file.failed_sync(cut),
        }
        outcome
    }

    fn write_durable(&self, at: u64, block: Block) -> BoxFuture<'static, (Block, io::Result<()>)> {
        // As on a real disk, the write is on its way before anybody waits for it.
        let departed = self.depart(at, &block);
        let (disk, boot, node) = (self.disk.clone(), self.boot, self.node);
        Box::pin(async move {
            let (flight, takes) = match departed {
                Ok(departed) => departed,
                Err(error) => return (block, Err(error)),
            };
            tokio::time::sleep(takes).await;
            let mut state = disk.state();
            let outcome = state.alive(boot).and_then(|()| state.arrive(node, flight));
            drop(state);
            (block, outcome)
        })
    }

    fn block_bytes(&self) -> usize {
        BLOCK_BYTES
    }

    fn durable_method(&self) -> DurableMethod {
        DurableMethod::Simulated
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.boot == self.boot
            && let Ok(file) = state.tree.file_mut(self.node)
        {
            file.open -= 1;
            state.free_if_gone(self.node);
        }
    }
}

/// A durable write on its way.
enum Flight {
    Lands(Ticket),
    Fails(Ticket),
    NeverLands,
}

impl SimulatedFile {
    fn writable(&self) -> io::Result<()> {
        if self.how == Open::Read { Err(Errno::BADF.into()) } else { Ok(()) }
    }

    fn depart(&self, at: u64, block: &Block) -> io::Result<(Flight, std::time::Duration)> {
        let mut state = self.disk.state();
        state.alive(self.boot)?;
        let size = state.tree.file(self.node)?.now.size();
        let aligned = at.is_multiple_of(BLOCK_BYTES as u64) && block.len().is_multiple_of(BLOCK_BYTES);
        let inside = end_of(at, block.len()).is_ok_and(|end| end <= size);
        if self.how != Open::Durable || !aligned || block.is_empty() || !inside {
            return Err(Errno::INVAL.into());
        }
        let fault = state.begin(Kind::WriteDurable, &self.path, at, block.len() as u64)?;
        let State { faults, latency, .. } = &mut *state;
        let takes = match fault {
            Some(Fault::Slow) => latency.span(&faults.slow_write_takes),
            _ => latency.span(&faults.durable_write_takes),
        };
        let place = match fault {
            Some(Fault::NoSpace) => return Err(Errno::NOSPC.into()),
            Some(Fault::Lost) => None,
            Some(Fault::Misdirected) => state.beside(self.node, at, block.len()),
            Some(Fault::Io | Fault::PowerOff | Fault::Slow) | None => Some(at),
        };
        let Some(place) = place else { return Ok((Flight::NeverLands, takes)) };
        state.tickets += 1;
        let ticket = Ticket(state.tickets);
        state.tree.file_mut(self.node)?.write(block.bytes().to_vec(), place, Some(ticket));
        match fault {
            Some(Fault::PowerOff) => Err(PowerOff.into()),
            Some(Fault::Io) => Ok((Flight::Fails(ticket), takes)),
            _ => Ok((Flight::Lands(ticket), takes)),
        }
    }
}

impl State {
    /// Fails while the power is off, and for a handle of an earlier boot.
    fn alive(&self, boot: u64) -> io::Result<()> {
        if boot == self.boot { self.powered() } else { Err(PowerOff.into()) }
    }

    fn arrive(&mut self, node: NodeId, flight: Flight) -> io::Result<()> {
        // A file that was taken away meanwhile has nothing left to show.
        let file = self.tree.file_mut(node);
        match (flight, file) {
            (Flight::Lands(ticket), Ok(file)) => file.arrived(ticket),
            (Flight::Fails(ticket), Ok(file)) => {
                file.failed(ticket, &mut self.chance);
                return Err(Errno::IO.into());
            }
            (Flight::NeverLands, _) | (_, Err(_)) => {}
        }
        Ok(())
    }

    fn resize(&mut self, node: NodeId, size: u64) -> io::Result<()> {
        let file = self.tree.file_mut(node)?;
        let old = file.now.size();
        if size != old {
            file.set_size(size);
            self.used = self.used + size - old;
        }
        Ok(())
    }

    /// A place some blocks beside the right one and inside the file; `None` where there is none.
    fn beside(&mut self, node: NodeId, at: u64, length: usize) -> Option<u64> {
        let block = BLOCK_BYTES as u64;
        let size = self.tree.file(node).ok()?.now.size();
        let last = size.checked_sub(length as u64)?;
        let candidates = (last + block - at % block) / block;
        let place = at % block + self.chance.below(candidates) * block;
        (candidates > 0 && place != at && place <= last).then_some(place)
    }

    /// Gives back the room of a file that neither a name nor a handle holds.
    fn free_if_gone(&mut self, node: NodeId) {
        if let Ok(file) = self.tree.file(node)
            && !file.named
            && file.open == 0
        {
            self.used -= file.now.size();
        }
    }
}
