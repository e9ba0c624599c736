//! Makes contexts, good and bad ones, and looks into layers.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

/// A tar that is being made.
pub struct Tar {
    builder: Builder<Vec<u8>>,
}

/// One member as a reader of the tar sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub path: String,
    pub kind: EntryType,
    pub mode: u32,
    pub target: Option<String>,
    pub bytes: Vec<u8>,
}

impl Tar {
    pub fn new() -> Self {
        Self { builder: Builder::new(Vec::new()) }
    }

    pub fn file(self, path: &str, bytes: &[u8]) -> Self {
        self.entry(EntryType::Regular, path, "", bytes)
    }

    pub fn directory(self, path: &str) -> Self {
        self.entry(EntryType::Directory, path, "", b"")
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, target, b"")
    }

    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Link, path, target, b"")
    }

    /// The names are taken as they are: that is the point of most tests.
    pub fn entry(mut self, kind: EntryType, path: &str, target: &str, bytes: &[u8]) -> Self {
        let mut header = header(kind, path, target, bytes.len());
        header.set_cksum();
        self.builder.append(&header, bytes).unwrap();
        self
    }

    /// What differs between machines and says nothing.
    pub fn noisy_file(mut self, path: &str, bytes: &[u8]) -> Self {
        let mut header = header(EntryType::Regular, path, "", bytes.len());
        header.set_mtime(1_700_000_000);
        header.set_uid(1000);
        header.set_gid(1000);
        header.set_username("ada").unwrap();
        header.set_cksum();
        self.builder.append(&header, bytes).unwrap();
        self
    }

    pub fn executable(mut self, path: &str, bytes: &[u8]) -> Self {
        let mut header = header(EntryType::Regular, path, "", bytes.len());
        header.set_mode(0o755);
        header.set_cksum();
        self.builder.append(&header, bytes).unwrap();
        self
    }

    pub fn pax(mut self, records: &[(&str, &str)]) -> Self {
        let records = records.iter().map(|(key, value)| (*key, value.as_bytes()));
        self.builder.append_pax_extensions(records).unwrap();
        self
    }

    pub fn end(self) -> Vec<u8> {
        self.builder.into_inner().unwrap()
    }

    pub fn gzip(self) -> Vec<u8> {
        gzip(&self.end())
    }
}

fn header(kind: EntryType, path: &str, target: &str, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size.try_into().unwrap());
    let old = header.as_old_mut();
    old.name[..path.len()].copy_from_slice(path.as_bytes());
    old.linkname[..target.len()].copy_from_slice(target.as_bytes());
    header
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// Everything in a plain tar, in its order. Owners and times must be nobody's and the given one.
pub fn look(tar: &[u8], modified_s: u64) -> Vec<Seen> {
    let mut archive = Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.username().unwrap(), Some(""));
        assert_eq!(header.mtime().unwrap(), modified_s);
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        Seen {
            path: String::from_utf8(entry.path_bytes().into_owned()).unwrap(),
            kind: header.entry_type(),
            mode: header.mode().unwrap(),
            target: entry.link_name_bytes().map(|bytes| String::from_utf8(bytes.into_owned()).unwrap()),
            bytes,
        }
    });
    entries.collect()
}
