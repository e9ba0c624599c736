//! Reading what may end too early.

use std::io::{self, Read};

/// As many bytes as there are, up to the buffer's length.
pub fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Copies exactly so many bytes; an error when there are fewer.
pub fn copy(source: &mut impl Read, bytes: u64, to: &mut impl io::Write) -> io::Result<()> {
    let copied = io::copy(&mut source.take(bytes), to)?;
    if copied == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
