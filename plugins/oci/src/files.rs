//! The files of a context: which members are welcome, what they are called, and where their bytes are.

use std::collections::BTreeMap;
use std::ops::Bound;

use quantum_sdk::artifacts::Artifacts;
use quantum_sdk::prelude::*;

use crate::archive::{Archive, Member, MemberKind, Source};
use crate::bytes::{self, Form, Stored, Unpacked};
use crate::path;

/// Files, directories and links of a context at most; with the next one the memory of an attempt would be at stake. More
/// is refused.
const ENTRIES_MAX: usize = 100_000;
/// Bytes of all their paths and targets together, for the same reason.
const NAMES_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Permissions of a directory that is only named by what lies in it.
const DIRECTORY_MODE: u32 = 0o755;
/// Hard links in a row: tars name the first file, so one is usual. More is refused, which also ends circles.
const LINKS_MAX: usize = 16;
/// Members between two looks at whether the execution was cancelled.
const CANCEL_INTERVAL: usize = 256;

/// What is in a context, by normal path.
pub struct Files {
    /// The tar that the offsets belong to, and its bytes.
    tar: String,
    tar_bytes: u64,
    entries: BTreeMap<String, Entry>,
    names_bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub mode: u32,
    pub node: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Directory,
    File {
        offset: u64,
        size: u64,
    },
    Symlink {
        target: String,
    },
    /// Another path of the context.
    HardLink {
        target: String,
    },
}

impl Files {
    /// Reads and checks a context. Nothing is stored but, of a gzip, the tar in it.
    pub fn read(ctx: &Context, reference: &str, bytes_max: u64) -> Result<Self> {
        let artifacts = ctx.artifacts();
        let Some(info) = artifacts.stat(reference)? else { return Err(missing(reference)) };
        bytes::check_size(info.size, bytes_max)?;
        let mut files =
            Self { tar: info.digest, tar_bytes: info.size, entries: BTreeMap::new(), names_bytes: 0 };
        match bytes::form(artifacts, &files.tar)? {
            Form::Tar => {
                let stored = files.open(artifacts)?;
                files.take_all(ctx, stored)?;
            }
            Form::Gzip => {
                let unpacked = Unpacked::open(artifacts, &files.tar, bytes_max)?;
                let tar = files.take_all(ctx, unpacked)?.finish()?;
                (files.tar, files.tar_bytes) = (tar.digest, tar.size);
            }
        }
        files.complete()?;
        Ok(files)
    }

    /// By path, so that a directory comes before what is in it.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    pub fn contains(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// Permissions; none of what is not there.
    pub fn mode(&self, path: &str) -> u32 {
        self.entries.get(path).map_or(0, |entry| entry.mode)
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        let size = |entry: &Entry| if let Node::File { size, .. } = entry.node { size } else { 0 };
        self.entries.values().map(size).sum()
    }

    /// The tar that the files' bytes are in.
    pub fn open<'a>(&self, artifacts: Artifacts<'a>) -> Result<Stored<'a>> {
        Stored::open(artifacts, &self.tar, self.tar_bytes)
    }

    fn take_all<S: Source>(&mut self, ctx: &Context, source: S) -> Result<S> {
        let mut archive = Archive::new(source);
        for number in 0.. {
            if number % CANCEL_INTERVAL == 0 && ctx.cancelled() {
                return Err(Failure::Cancelled);
            }
            let Some(member) = archive.next()? else { break };
            self.take(member)?;
        }
        Ok(archive.into_source())
    }

    fn take(&mut self, member: Member) -> Result<()> {
        let path = path::normal(&member.path)?;
        let node = match member.kind {
            MemberKind::Directory => Node::Directory,
            MemberKind::File { offset, size } => Node::File { offset, size },
            MemberKind::Symlink { target } => {
                path::check_target(&path, &target)?;
                Node::Symlink { target }
            }
            MemberKind::HardLink { target } => Node::HardLink { target: path::normal(&target)? },
        };
        match (path.is_empty(), &node) {
            (true, Node::Directory) => Ok(()),
            (true, _) => Err(path::invalid(&member.path, "is the root and no directory")),
            (false, _) => self.insert(path, Entry { mode: member.mode, node }),
        }
    }

    /// A later member of the same path replaces the earlier one, as when a tar is unpacked.
    fn insert(&mut self, path: String, entry: Entry) -> Result<()> {
        let target = match &entry.node {
            Node::Symlink { target } | Node::HardLink { target } => target.len(),
            Node::Directory | Node::File { .. } => 0,
        };
        self.names_bytes += path.len() + target;
        self.entries.insert(path, entry);
        if self.entries.len() <= ENTRIES_MAX && self.names_bytes <= NAMES_BYTES_MAX {
            return Ok(());
        }
        let message = format!(
            "the context has more than {ENTRIES_MAX} files, or {NAMES_BYTES_MAX} bytes of names: leave out what the \
            image does not need, such as .git, or pack parts of it"
        );
        Err(Failure::permanent("context-too-many-entries", message))
    }

    /// What only shows when everything is known. One path at a time: all of them twice would be much memory.
    fn complete(&mut self) -> Result<()> {
        let mut next = self.entries.keys().next().cloned();
        while let Some(path) = next {
            self.ensure_parents(&path)?;
            let behind = (Bound::Excluded(path.as_str()), Bound::Unbounded);
            next = self.entries.range::<str, _>(behind).next().map(|(path, _)| path.clone());
        }
        self.resolve_hard_links()
    }

    /// Every path lies in directories; those that no member names are added.
    fn ensure_parents(&mut self, path: &str) -> Result<()> {
        let mut path = path;
        while let Some(parent) = path::parent(path) {
            match self.entries.get(parent).map(|entry| &entry.node) {
                Some(Node::Directory) => return Ok(()),
                Some(_) => {
                    return Err(path::invalid(path, &format!("lies in \"{parent}\", which is no directory")));
                }
                None => {
                    self.insert(parent.to_owned(), Entry { mode: DIRECTORY_MODE, node: Node::Directory })?
                }
            }
            path = parent;
        }
        Ok(())
    }

    /// Afterwards every hard link names a file.
    fn resolve_hard_links(&mut self) -> Result<()> {
        let mut resolved = Vec::new();
        for (path, entry) in &self.entries {
            if let Node::HardLink { target } = &entry.node {
                resolved.push((path.clone(), self.file_behind(path, target)?.to_owned()));
            }
        }
        for (path, target) in resolved {
            if let Some(entry) = self.entries.get_mut(&path) {
                entry.node = Node::HardLink { target };
            }
        }
        Ok(())
    }

    fn file_behind<'f>(&'f self, path: &str, target: &'f str) -> Result<&'f str> {
        let mut target = target;
        for _ in 0..LINKS_MAX {
            match self.entries.get(target).map(|entry| &entry.node) {
                Some(Node::File { .. }) => return Ok(target),
                Some(Node::HardLink { target: next }) => target = next,
                _ => break,
            }
        }
        Err(path::invalid(path, &format!("is a hard link to \"{target}\", which is no file of the context")))
    }
}

fn missing(reference: &str) -> Failure {
    let message = format!(
        "there is no artifact \"{reference}\": store the folder with the image's files by \
        `quantum artifact put {reference} DIR`, or name another artifact as context"
    );
    Failure::permanent("context-missing", message)
}
