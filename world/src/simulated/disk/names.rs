//! Names and what they stand for: now, and after a power cut.
//!
//! A change of names is durable once one of the directories that it touches was synced. A power cut chooses among the
//! others; a rename is seen whole or not at all, and the changes of one file's name survive in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use super::super::rng::Rng;
use super::file::FileNode;

/// What a name stands for, for as long as anything knows of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeId(u64);

const ROOT: NodeId = NodeId(0);

pub(super) enum Node {
    File(FileNode),
    Directory(Directory),
}

#[derive(Default)]
pub(super) struct Directory {
    pub(super) now: BTreeMap<OsString, NodeId>,
    durable: BTreeMap<OsString, NodeId>,
}

/// Which of the two lives of the names is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Now,
    Durable,
}

/// A name in a directory.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) directory: NodeId,
    pub(super) name: OsString,
}

/// One node got a name, lost it, or changed it.
struct Change {
    node: NodeId,
    from: Option<Place>,
    to: Option<Place>,
}

pub(super) struct Tree {
    nodes: BTreeMap<NodeId, Node>,
    next: u64,
    pending: Vec<Change>,
}

impl Tree {
    pub(super) fn new() -> Tree {
        Tree { nodes: BTreeMap::from([(ROOT, Node::Directory(Directory::default()))]), next: 1, pending: Vec::new() }
    }

    /// What a path names. `NotFound`, or `NotADirectory` where a file stands in the way.
    pub(super) fn find(&self, path: &Path, life: Life) -> io::Result<NodeId> {
        let mut here = ROOT;
        for name in names(path)? {
            let Some(Node::Directory(directory)) = self.nodes.get(&here) else { return Err(Errno::NOTDIR.into()) };
            here = *directory.names(life).get(name).ok_or(Errno::NOENT)?;
        }
        Ok(here)
    }

    /// The directory that holds, or would hold, the path's last name. `InvalidInput` for a path without one.
    pub(super) fn place(&self, path: &Path) -> io::Result<Place> {
        let mut names = names(path)?;
        let name = names.pop().ok_or(Errno::INVAL)?.to_owned();
        let directory = self.find(&names.iter().collect::<PathBuf>(), Life::Now)?;
        self.directory(directory)?;
        Ok(Place { directory, name })
    }

    pub(super) fn at(&self, place: &Place) -> Option<NodeId> {
        self.directory(place.directory).ok()?.now.get(&place.name).copied()
    }

    pub(super) fn node(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(&node)
    }

    pub(super) fn directory(&self, node: NodeId) -> io::Result<&Directory> {
        match self.nodes.get(&node) {
            Some(Node::Directory(directory)) => Ok(directory),
            Some(Node::File(_)) => Err(Errno::NOTDIR.into()),
            None => Err(Errno::NOENT.into()),
        }
    }

    pub(super) fn file(&self, node: NodeId) -> io::Result<&FileNode> {
        match self.nodes.get(&node) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Directory(_)) => Err(Errno::ISDIR.into()),
            None => Err(Errno::NOENT.into()),
        }
    }

    pub(super) fn file_mut(&mut self, node: NodeId) -> io::Result<&mut FileNode> {
        match self.nodes.get_mut(&node) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Directory(_)) => Err(Errno::ISDIR.into()),
            None => Err(Errno::NOENT.into()),
        }
    }

    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut FileNode> {
        self.nodes.values_mut().filter_map(|node| match node {
            Node::File(file) => Some(file),
            Node::Directory(_) => None,
        })
    }

    /// A new node under a name that is free.
    pub(super) fn link(&mut self, mut node: Node, place: Place) -> NodeId {
        if let Node::File(file) = &mut node {
            file.named = true;
        }
        let id = NodeId(self.next);
        self.next += 1;
        self.nodes.insert(id, node);
        self.change(Change { node: id, from: None, to: Some(place) });
        id
    }

    /// Takes away a name.
    pub(super) fn unlink(&mut self, node: NodeId, place: Place) {
        if let Ok(file) = self.file_mut(node) {
            file.named = false;
        }
        self.change(Change { node, from: Some(place), to: None });
    }

    /// Moves a name; what had the new one has none any more.
    pub(super) fn rename(&mut self, node: NodeId, from: Place, to: Place) {
        let replaced = self.at(&to);
        if let Some(Ok(file)) = replaced.map(|node| self.file_mut(node)) {
            file.named = false;
        }
        self.change(Change { node, from: Some(from), to: Some(to) });
    }

    /// Makes the names in a directory durable, and what a rename ties to them.
    pub(super) fn sync_directory(&mut self, directory: NodeId) {
        let mut touched = BTreeSet::from([directory]);
        let mut settled = Vec::new();
        // Backwards: a rename in from another directory pulls that one's earlier changes along, as one transaction of
        // a filesystem's journal does.
        for change in mem::take(&mut self.pending).into_iter().rev() {
            let directories = [&change.from, &change.to].map(|place| place.as_ref().map(|place| place.directory));
            if directories.iter().flatten().any(|directory| touched.contains(directory)) {
                touched.extend(directories.iter().flatten());
                settled.push(change);
            } else {
                self.pending.push(change);
            }
        }
        self.pending.reverse();
        for change in settled.into_iter().rev() {
            self.apply(&change, Life::Durable);
            self.forget_if_gone(&change);
        }
    }

    pub(super) fn sync_all(&mut self) {
        for change in mem::take(&mut self.pending) {
            self.apply(&change, Life::Durable);
            self.forget_if_gone(&change);
        }
    }

    /// The power was cut: names and bytes that survive are all there is.
    pub(super) fn lose(&mut self, rng: &mut Rng) {
        let odds = rng.below(5);
        let mut lost = BTreeSet::new();
        for change in mem::take(&mut self.pending) {
            // 0: all lost; 4: all kept; between them a coin with that many of four sides.
            if rng.below(4) < odds && !lost.contains(&change.node) {
                self.apply(&change, Life::Durable);
            } else {
                lost.insert(change.node);
            }
        }
        for node in self.nodes.values_mut() {
            match node {
                Node::File(file) => {
                    file.lose(rng);
                    file.named = false;
                }
                Node::Directory(directory) => directory.now = directory.durable.clone(),
            }
        }
        let reached: BTreeSet<NodeId> = self.walk(Life::Durable).into_iter().map(|(_, node)| node).collect();
        self.nodes.retain(|id, _| *id == ROOT || reached.contains(id));
        for file in self.files_mut() {
            file.named = true;
        }
    }

    /// All paths with their nodes, sorted by path; the root is not among them.
    pub(super) fn walk(&self, life: Life) -> Vec<(PathBuf, NodeId)> {
        let mut found = Vec::new();
        let mut open = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, node)) = open.pop() {
            let Ok(directory) = self.directory(node) else { continue };
            for (name, node) in directory.names(life) {
                found.push((path.join(name), *node));
                open.push((path.join(name), *node));
            }
        }
        found.sort();
        found
    }

    fn change(&mut self, change: Change) {
        self.apply(&change, Life::Now);
        self.pending.push(change);
    }

    fn apply(&mut self, change: &Change, life: Life) {
        if let Some(from) = &change.from
            && let Some(names) = self.names_mut(from.directory, life)
            && names.get(&from.name) == Some(&change.node)
        {
            names.remove(&from.name);
        }
        if let Some(to) = &change.to
            && let Some(names) = self.names_mut(to.directory, life)
        {
            names.insert(to.name.clone(), change.node);
        }
    }

    fn names_mut(&mut self, directory: NodeId, life: Life) -> Option<&mut BTreeMap<OsString, NodeId>> {
        match (self.nodes.get_mut(&directory), life) {
            (Some(Node::Directory(directory)), Life::Now) => Some(&mut directory.now),
            (Some(Node::Directory(directory)), Life::Durable) => Some(&mut directory.durable),
            _ => None,
        }
    }

    /// Frees a file whose removal is durable. What else nothing names any more goes with the next power cut.
    fn forget_if_gone(&mut self, change: &Change) {
        let is_gone = change.to.is_none()
            && matches!(self.nodes.get(&change.node), Some(Node::File(file)) if !file.named && file.open == 0)
            && !self.pending.iter().any(|pending| pending.node == change.node);
        if is_gone {
            self.nodes.remove(&change.node);
        }
    }
}

impl Directory {
    fn names(&self, life: Life) -> &BTreeMap<OsString, NodeId> {
        match life {
            Life::Now => &self.now,
            Life::Durable => &self.durable,
        }
    }
}

/// The names of a path from the root down; a relative path starts at the root too.
fn names(path: &Path) -> io::Result<Vec<&OsStr>> {
    let named = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(Ok(name)),
        Component::RootDir | Component::CurDir => None,
        Component::ParentDir | Component::Prefix(_) => Some(Err(Errno::INVAL.into())),
    });
    named.collect()
}
