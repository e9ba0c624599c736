//! Reads a tar member by member. What describes a member is bounded, so that no archive can fill the memory; which
//! members are welcome is the business of `files`.

use std::io::{self, Read};

use quantum_sdk::prelude::*;
use tar::{EntryType, Header, PaxExtensions};

use crate::reading;

/// Everything in a tar is a multiple of it.
const BLOCK_BYTES: u64 = 512;
/// Bytes of a header that only describes the next member: a path of 4096 bytes, its link's target, and times fit many
/// times over. More is refused.
const EXTENSION_BYTES_MAX: u64 = 256 * 1024;

/// Code of an archive that cannot be read.
pub const NOT_A_TAR: &str = "context-not-a-tar";
/// Code of a member that no layer can have.
pub const UNSUPPORTED: &str = "context-unsupported-entry";

/// Bytes that can be passed over cheaper than by reading them.
pub trait Source: Read {
    /// An error when there are fewer.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// As it stands in the archive.
    pub path: String,
    pub kind: MemberKind,
    /// Permissions, with set-user-id, set-group-id and sticky.
    pub mode: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberKind {
    Directory,
    /// Where its bytes are in the archive.
    File {
        offset: u64,
        size: u64,
    },
    Symlink {
        target: String,
    },
    HardLink {
        target: String,
    },
}

pub struct Archive<S> {
    source: S,
    /// Bytes that were read.
    position: u64,
    /// Where the next header begins.
    next: u64,
}

/// What headers before a member say of it.
#[derive(Default)]
struct Extensions {
    path: Option<String>,
    target: Option<String>,
    size: Option<u64>,
    any: bool,
}

impl<S: Source> Archive<S> {
    pub const fn new(source: S) -> Self {
        Self { source, position: 0, next: 0 }
    }

    pub fn into_source(self) -> S {
        self.source
    }

    /// The next member; none at the end.
    pub fn next(&mut self) -> Result<Option<Member>> {
        let mut extensions = Extensions::default();
        loop {
            let Some(header) = self.header()? else {
                let complete = !extensions.any;
                return if complete { Ok(None) } else { Err(self.broken("the member after it is missing")) };
            };
            let kind = header.entry_type();
            match kind {
                EntryType::XGlobalHeader => self.pass_over(&header)?,
                EntryType::GNULongName => extensions.path = Some(self.long_name(&header)?),
                EntryType::GNULongLink => extensions.target = Some(self.long_name(&header)?),
                EntryType::XHeader => self.pax(&header, &mut extensions)?,
                _ => return self.member(&header, extensions).map(Some),
            }
            extensions.any = kind != EntryType::XGlobalHeader;
        }
    }

    /// None: the archive ends here, with a block of zeros or without.
    fn header(&mut self) -> Result<Option<Header>> {
        self.source.skip(self.next - self.position).map_err(|error| self.unreadable(error))?;
        self.position = self.next;
        let mut header = Header::new_old();
        let read =
            reading::fill(&mut self.source, header.as_mut_bytes()).map_err(|error| self.unreadable(error))?;
        if read == 0 && self.position > 0 {
            return Ok(None);
        }
        if read < header.as_bytes().len() {
            return Err(self.broken("it ends within a header"));
        }
        self.position += BLOCK_BYTES;
        self.next = self.position;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if header.cksum().ok() != Some(checksum(&header)) {
            return Err(self.broken("the checksum of a header does not fit"));
        }
        Ok(Some(header))
    }

    fn member(&mut self, header: &Header, extensions: Extensions) -> Result<Member> {
        let path = match extensions.path {
            Some(path) => path,
            None => self.text(header.path_bytes().into_owned())?,
        };
        let target = match (extensions.target, header.link_name_bytes()) {
            (Some(target), _) => target,
            (None, Some(bytes)) => self.text(bytes.into_owned())?,
            (None, None) => String::new(),
        };
        let mode = header.mode().map_err(|_| self.broken("the mode of a member is no number"))? & 0o7777;
        let size = match extensions.size {
            Some(size) => size,
            None => header.entry_size().map_err(|_| self.broken("the size of a member is no number"))?,
        };
        let kind = match header.entry_type() {
            EntryType::Directory => MemberKind::Directory,
            // The oldest tars have no kinds, and know a directory by its name alone.
            EntryType::Regular if path.ends_with('/') && header.as_old().linkflag == [0] => {
                MemberKind::Directory
            }
            EntryType::Regular | EntryType::Continuous => {
                self.extend(size)?;
                MemberKind::File { offset: self.position, size }
            }
            EntryType::Symlink => MemberKind::Symlink { target },
            EntryType::Link => MemberKind::HardLink { target },
            other => return Err(unsupported(&path, other)),
        };
        Ok(Member { path, kind, mode })
    }

    /// Puts the next header behind this many bytes of data. What is no file has none, whatever its size says.
    fn extend(&mut self, size: u64) -> Result<()> {
        let padded = size.checked_next_multiple_of(BLOCK_BYTES);
        let next = padded.and_then(|padded| self.position.checked_add(padded));
        self.next = next.ok_or_else(|| self.broken("the size of a member is larger than any archive"))?;
        Ok(())
    }

    fn pass_over(&mut self, header: &Header) -> Result<()> {
        let size = header.entry_size().map_err(|_| self.broken("the size of a header is no number"))?;
        self.extend(size)
    }

    fn data(&mut self, header: &Header) -> Result<Vec<u8>> {
        self.pass_over(header)?;
        let size = header.entry_size().unwrap_or_default();
        if size > EXTENSION_BYTES_MAX {
            return Err(self.broken("a header that describes the next member is larger than 256 KiB"));
        }
        let mut data = vec![0; usize::try_from(size).unwrap_or_default()];
        let read = reading::fill(&mut self.source, &mut data).map_err(|error| self.unreadable(error))?;
        if read < data.len() {
            return Err(self.broken("it ends within a header"));
        }
        self.position += size;
        Ok(data)
    }

    fn long_name(&mut self, header: &Header) -> Result<String> {
        let mut name = self.data(header)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.truncate(end);
        self.text(name)
    }

    /// The last record of a key counts.
    fn pax(&mut self, header: &Header, extensions: &mut Extensions) -> Result<()> {
        let data = self.data(header)?;
        for record in PaxExtensions::new(&data) {
            let record = record.map_err(|_| self.broken("a pax record is malformed"))?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => extensions.path = Some(self.text(value.to_vec())?),
                b"linkpath" => extensions.target = Some(self.text(value.to_vec())?),
                b"size" => {
                    let size = record.value().ok().and_then(|text| text.parse().ok());
                    extensions.size = Some(size.ok_or_else(|| self.broken("a pax size is no number"))?);
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    let path = extensions.path.as_deref().unwrap_or("a member");
                    return Err(unsupported(path, EntryType::GNUSparse));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn text(&self, bytes: Vec<u8>) -> Result<String> {
        String::from_utf8(bytes).map_err(|error| {
            let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let message = format!("the context has a path that is no UTF-8, about \"{shown}\": rename it");
            Failure::permanent("context-invalid-path", message)
        })
    }

    fn broken(&self, reason: &str) -> Failure {
        let message = format!(
            "the context is not a tar, or a damaged one: at byte {}, {reason}; `quantum artifact put NAME DIR` stores \
            a folder as one",
            self.next
        );
        Failure::permanent(NOT_A_TAR, message)
    }

    fn unreadable(&self, error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.broken("it ends within a member");
        }
        Failure::from_io(error, NOT_A_TAR)
    }
}

/// The sum of a header's bytes with its own field taken as spaces.
fn checksum(header: &Header) -> u32 {
    let own = 148..156;
    let byte = |(at, byte): (usize, &u8)| if own.contains(&at) { u32::from(b' ') } else { u32::from(*byte) };
    header.as_bytes().iter().enumerate().map(byte).sum()
}

fn unsupported(path: &str, kind: EntryType) -> Failure {
    let what = match kind {
        EntryType::Char | EntryType::Block => "a device file",
        EntryType::Fifo => "a named pipe",
        EntryType::GNUSparse => "a sparse file",
        _ => "of a kind that only some programs know",
    };
    let message = format!(
        "\"{path}\" in the context is {what}: an image is made of files, directories and links; leave it out"
    );
    Failure::permanent(UNSUPPORTED, message)
}
