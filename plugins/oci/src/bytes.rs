//! The bytes of a context: a tar as it is stored, or unpacked from gzip within bounds. Nothing of it is held in memory.

use std::io::{self, BufReader, Read, Write};

use flate2::bufread::MultiGzDecoder;
use quantum_sdk::artifacts::{self, Artifacts, Info, Reader, Writer};
use quantum_sdk::prelude::*;

use crate::archive::{NOT_A_TAR, Source};
use crate::reading;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 64 * 1024;
/// Bytes up to which reading on is cheaper than opening the artifact again.
const NEAR_BYTES: u64 = 128 * 1024;
/// Bytes that are read at once after a jump: a small file and the header behind it.
const JUMP_BYTES: usize = 2 * 1024;
/// How many times larger than its gzip a tar may be. Source and binaries are 2 to 20 times; gzip itself can reach 1032.
const RATIO_MAX: u64 = 200;
/// Unpacked bytes up to which the ratio does not matter.
const RATIO_FREE_BYTES: u64 = 16 * 1024 * 1024;
/// The media type of a tar that was unpacked.
const TAR: &str = "application/x-tar";

/// Beginnings by which files are known.
const GZIP: &[u8] = &[0x1f, 0x8b];
const OTHERS: &[(&[u8], &str)] = &[
    (&[0x28, 0xb5, 0x2f, 0xfd], "packed with zstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "packed with xz"),
    (b"BZh", "packed with bzip2"),
    (b"PK\x03\x04", "a zip"),
];

/// What a context is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Tar,
    Gzip,
}

/// Looks at the first bytes. What is neither gzip nor known to be something else is taken for a tar, and read as one.
pub fn form(artifacts: Artifacts<'_>, reference: &str) -> Result<Form> {
    let mut start = [0; 8];
    let read = reading::fill(&mut artifacts.open(reference)?, &mut start)?;
    let start = start.get(..read).unwrap_or_default();
    if start.starts_with(GZIP) {
        return Ok(Form::Gzip);
    }
    match OTHERS.iter().find(|(beginning, _)| start.starts_with(beginning)) {
        None => Ok(Form::Tar),
        Some((_, what)) => {
            let message = format!(
                "the context \"{reference}\" is {what}: give a tar, plain or packed with gzip; \
                `quantum artifact put NAME DIR` stores a folder as one"
            );
            Err(Failure::permanent(NOT_A_TAR, message))
        }
    }
}

/// Unpacked bytes of a context at most.
pub fn check_size(bytes: u64, bytes_max: u64) -> Result<()> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let message = format!(
        "the context has more than {bytes_max} bytes: leave out what the image does not need, or raise \
        context_bytes_max in the installation's configuration"
    );
    Err(Failure::permanent("context-too-large", message))
}

/// An artifact that is read in any order: forwards at ease, and with another look where it jumps.
pub struct Stored<'a> {
    artifacts: Artifacts<'a>,
    reference: String,
    size: u64,
    reader: Reader,
    /// What was read last, where it begins in the artifact, and how much of it is used.
    window: Vec<u8>,
    start: u64,
    used: usize,
    /// Bytes of the next window: few after a jump, more the longer it goes straight on.
    ahead: usize,
}

impl<'a> Stored<'a> {
    pub fn open(artifacts: Artifacts<'a>, reference: &str, size: u64) -> Result<Self> {
        Ok(Self {
            artifacts,
            reference: reference.to_owned(),
            size,
            reader: artifacts.open(reference)?,
            window: Vec::new(),
            start: 0,
            used: 0,
            ahead: BUFFER_BYTES,
        })
    }

    pub fn go_to(&mut self, offset: u64) -> io::Result<()> {
        let end = self.start + count(self.window.len());
        if offset > self.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if (self.start..=end).contains(&offset) {
            self.used = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
            return Ok(());
        }
        if offset > end && offset - end <= NEAR_BYTES {
            let distance = offset - self.position();
            return reading::copy(self, distance, &mut io::sink());
        }
        self.reader = self.artifacts.open_at(&self.reference, offset)?;
        self.window.clear();
        (self.start, self.used, self.ahead) = (offset, 0, JUMP_BYTES);
        Ok(())
    }

    fn position(&self) -> u64 {
        self.start + count(self.used)
    }

    fn fill(&mut self) -> io::Result<()> {
        self.start += count(self.window.len());
        self.used = 0;
        self.window.resize(self.ahead, 0);
        let read = self.reader.read(&mut self.window);
        self.window.truncate(*read.as_ref().unwrap_or(&0));
        self.ahead = (self.ahead * 2).min(BUFFER_BYTES);
        read.map(|_| ())
    }
}

impl Read for Stored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used >= self.window.len() {
            self.fill()?;
        }
        let read = self.window.get(self.used..).unwrap_or_default().read(buffer)?;
        self.used += read;
        Ok(read)
    }
}

impl Source for Stored<'_> {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.go_to(self.position().saturating_add(bytes))
    }
}

/// Unpacks a gzip, and keeps what comes out as an artifact of its own, since members are read a second time and in
/// another order.
pub struct Unpacked {
    decoder: MultiGzDecoder<BufReader<Counted>>,
    kept: Writer,
    bytes: u64,
    bytes_max: u64,
}

struct Counted {
    reader: Reader,
    bytes: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes += count(read);
        Ok(read)
    }
}

impl Unpacked {
    pub fn open(artifacts: Artifacts<'_>, reference: &str, bytes_max: u64) -> Result<Self> {
        let packed = Counted { reader: artifacts.open(reference)?, bytes: 0 };
        let decoder = MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, packed));
        Ok(Self { decoder, kept: artifacts.create(TAR)?, bytes: 0, bytes_max })
    }

    /// Unpacks the rest, which also checks the sum at the end, and gives the artifact.
    pub fn finish(mut self) -> Result<Info> {
        io::copy(&mut self, &mut io::sink()).map_err(|error| Failure::from_io(error, NOT_A_TAR))?;
        Ok(self.kept.finish(None)?)
    }

    fn check(&self) -> Result<()> {
        check_size(self.bytes, self.bytes_max)?;
        let packed = self.decoder.get_ref().get_ref().bytes;
        if self.bytes <= RATIO_FREE_BYTES || self.bytes / RATIO_MAX <= packed {
            return Ok(());
        }
        let message = format!(
            "the context unpacks to more than {RATIO_MAX} times its size, which only made-up files do; if it is \
            honest, give it as a plain tar"
        );
        Err(Failure::permanent("context-bomb", message))
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer).map_err(damaged)?;
        self.bytes += count(read);
        self.check().map_err(io::Error::other)?;
        self.kept.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

impl Source for Unpacked {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        reading::copy(self, bytes, &mut io::sink())
    }
}

/// What the decoder itself complains of is a damaged file; what the artifact says stays what it is.
fn damaged(error: io::Error) -> io::Error {
    if error.get_ref().is_some_and(|held| held.is::<artifacts::Error>()) {
        return error;
    }
    let message = format!("the context is a damaged gzip: {error}; pack and store it again");
    io::Error::other(Failure::permanent(NOT_A_TAR, message))
}

fn count(read: usize) -> u64 {
    u64::try_from(read).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use quantum_sdk::testing::Host;

    use super::*;

    #[test]
    fn every_jump_leads_to_the_bytes_that_are_there() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let host = Host::new().artifact("a", None, &bytes);
        let ctx = host.context();
        let mut stored = Stored::open(ctx.artifacts(), "a", count(bytes.len())).unwrap();
        let mut at = 0;
        for step in 0..300_usize {
            // Forwards and backwards, near and far, within what was read and behind it.
            at = (at + step * step * 7 + 1) % 999_000;
            let offset = if step % 3 == 0 { at.saturating_sub(3_000) } else { at };
            stored.go_to(count(offset)).unwrap();
            let mut found = vec![0; step * 3];
            stored.read_exact(&mut found).unwrap();
            assert_eq!(found, bytes[offset..offset + found.len()], "step {step} at {offset}");
        }
        stored.go_to(count(bytes.len())).unwrap();
        assert_eq!(stored.read(&mut [0; 8]).unwrap(), 0);
        let beyond = stored.go_to(count(bytes.len()) + 1).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
    }
}
