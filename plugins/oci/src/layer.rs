//! Writes a layer: a tar of a context's files at their place in the image, packed with gzip, as an artifact. The same
//! files give the same bytes.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use quantum_sdk::artifacts::Writer;
use quantum_sdk::prelude::*;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use crate::bytes::Stored;
use crate::digest::Digest;
use crate::files::{Entry, Files, Node};
use crate::image::{Descriptor, LAYER};
use crate::reading;

/// Code of a layer that could not be written.
const UNWRITABLE: &str = "layer-unwritable";
/// Bytes of a name in a header; a longer one, or one that is not ASCII, goes into a pax record.
const NAME_BYTES_MAX: usize = 100;
/// Bytes of files from which packing is fast rather than tight: an attempt has 30 s of processor time by default, and
/// packing tightly takes about a second for 15 MiB. It depends on the files alone, so the digest still does.
const FAST_FROM_BYTES: u64 = 64 * 1024 * 1024;
/// Permissions of the directories above a context's place.
const DIRECTORY_MODE: u32 = 0o755;
/// Permissions of a symbolic link, which mean nothing.
const LINK_MODE: u32 = 0o777;
/// Directories that a base has. No layer of ours says anything of them: their permissions (as of `/tmp`) are the base's
/// business, and one that is a link there (as `/lib` is) would be replaced by a directory.
const OF_BASE: &[&str] = &[
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "usr/bin",
    "usr/lib",
    "usr/lib64",
    "usr/local",
    "usr/local/bin",
    "usr/local/lib",
    "usr/local/sbin",
    "usr/local/share",
    "usr/sbin",
    "usr/share",
    "var",
    "var/lib",
    "var/lock",
    "var/log",
    "var/run",
    "var/tmp",
];

/// Where the files go, and what is the same for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// A directory of the image, without slashes around it; empty for its root.
    pub prefix: String,
    /// Seconds since 1970 that every file was changed at.
    pub modified_s: u64,
    pub over_base: bool,
}

/// A stored layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub descriptor: Descriptor,
    /// The digest of the tar, unpacked.
    pub diff_id: Digest,
}

pub fn write(ctx: &Context, files: &Files, placement: &Placement) -> Result<Layer> {
    let artifact = ctx.artifacts().create(LAYER)?;
    let mut tar = files.open(ctx.artifacts())?;
    let level = if files.bytes() < FAST_FROM_BYTES { Compression::default() } else { Compression::fast() };
    let mut out = Out::new(artifact, level, placement.modified_s);
    let mut progress = Progress { ctx, done: 0, all: files.bytes() };
    for directory in ancestors(&placement.prefix) {
        if !placement.leaves(directory) {
            out.directory(directory, DIRECTORY_MODE)?;
        }
    }
    for (path, entry) in files.entries() {
        let path = placement.place(path);
        match &entry.node {
            Node::Directory if placement.leaves(&path) => {}
            Node::Directory => out.directory(&path, entry.mode)?,
            Node::Symlink { target } => out.link(EntryType::Symlink, LINK_MODE, &path, target)?,
            Node::File { offset, size } => {
                progress.tell(*size)?;
                out.file(&path, entry.mode, &mut At { tar: &mut tar, offset: *offset, size: *size })?;
            }
            Node::HardLink { .. } => {}
        }
    }
    hard_links(files, placement, &mut out)?;
    out.finish()
}

/// Behind everything else, so that what they name is there. With that file's permissions: readers set them again, for
/// the link and so for the file.
fn hard_links(files: &Files, placement: &Placement, out: &mut Out) -> Result<()> {
    for (path, Entry { node, .. }) in files.entries() {
        if let Node::HardLink { target } = node {
            let mode = files.mode(target);
            out.link(EntryType::Link, mode, &placement.place(path), &placement.place(target))?;
        }
    }
    Ok(())
}

impl Placement {
    fn place(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    fn leaves(&self, directory: &str) -> bool {
        self.over_base && OF_BASE.contains(&directory)
    }
}

/// `a`, `a/b` and `a/b/c` of `a/b/c`.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain((!path.is_empty()).then_some(path.len()));
    ends.filter_map(|end| path.get(..end))
}

/// A file's bytes in the tar of the context.
struct At<'s, 'a> {
    tar: &'s mut Stored<'a>,
    offset: u64,
    size: u64,
}

struct Progress<'a> {
    ctx: &'a Context,
    done: u64,
    all: u64,
}

impl Progress<'_> {
    /// Before so many bytes are packed.
    fn tell(&mut self, bytes: u64) -> Result<()> {
        if self.ctx.cancelled() {
            return Err(Failure::Cancelled);
        }
        let before = percent(self.done, self.all);
        self.done += bytes;
        let now = percent(self.done, self.all);
        if now != before {
            self.ctx.progress(now.min(99), "packing the files");
        }
        Ok(())
    }
}

pub fn percent(done: u64, all: u64) -> u8 {
    let percent = u128::from(done) * 100 / u128::from(all.max(1));
    u8::try_from(percent.min(100)).unwrap_or(100)
}

/// The tar's bytes are hashed on their way to gzip.
struct Out {
    tar: Builder<Hashed>,
    modified_s: u64,
}

struct Hashed {
    gzip: GzEncoder<Writer>,
    hash: Sha256,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.gzip.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gzip.flush()
    }
}

impl Out {
    fn new(artifact: Writer, level: Compression, modified_s: u64) -> Self {
        // No time, no name, and a constant for the system it was made on.
        let gzip = GzBuilder::new().mtime(0).operating_system(255).write(artifact, level);
        Self { tar: Builder::new(Hashed { gzip, hash: Sha256::new() }), modified_s }
    }

    fn directory(&mut self, path: &str, mode: u32) -> Result<()> {
        let mut header = self.header(EntryType::Directory, mode);
        self.append(&mut header, &format!("{path}/"), None).map_err(unwritable)
    }

    fn link(&mut self, kind: EntryType, mode: u32, path: &str, target: &str) -> Result<()> {
        let mut header = self.header(kind, mode);
        self.append(&mut header, path, Some(target)).map_err(unwritable)
    }

    fn file(&mut self, path: &str, mode: u32, at: &mut At<'_, '_>) -> Result<()> {
        let mut header = self.header(EntryType::Regular, mode);
        header.set_size(at.size);
        let mut write = || {
            self.append(&mut header, path, None)?;
            at.tar.go_to(at.offset)?;
            let out = self.tar.get_mut();
            reading::copy(at.tar, at.size, out)?;
            let padding = at.size.next_multiple_of(512) - at.size;
            reading::copy(&mut io::repeat(0), padding, out)
        };
        write().map_err(unwritable)
    }

    fn header(&self, kind: EntryType, mode: u32) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        header.set_mtime(self.modified_s);
        header
    }

    /// The header with its names, and before it what does not fit into it.
    fn append(&mut self, header: &mut Header, path: &str, target: Option<&str>) -> io::Result<()> {
        let mut records = Vec::new();
        let old = header.as_old_mut();
        if !fits(&mut old.name, path) {
            records.push(("path", path.as_bytes()));
        }
        if let Some(target) = target
            && !fits(&mut old.linkname, target)
        {
            records.push(("linkpath", target.as_bytes()));
        }
        self.tar.append_pax_extensions(records)?;
        header.set_cksum();
        self.tar.get_mut().write_all(header.as_bytes())
    }

    fn finish(self) -> Result<Layer> {
        let finish = || {
            let Hashed { gzip, hash } = self.tar.into_inner()?;
            Ok((gzip.finish()?, hash))
        };
        let (artifact, hash) = finish().map_err(unwritable)?;
        let info = artifact.finish(None)?;
        let descriptor = Descriptor::of(LAYER, &info)?;
        Ok(Layer { descriptor, diff_id: Digest::from_hash(hash) })
    }
}

/// Writes as much of a name as fits. Whether it is all of it, in a form that every reader understands.
fn fits(field: &mut [u8; NAME_BYTES_MAX], name: &str) -> bool {
    for (to, from) in field.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    name.len() <= NAME_BYTES_MAX && name.is_ascii()
}

fn unwritable(error: io::Error) -> Failure {
    Failure::from_io(error, UNWRITABLE)
}
