//! Bodies: by length, in chunks, or to the end of the connection; and chunks as they are written.

use std::io::{BufRead, Error, Read, Result, Write};

use super::head::Head;

/// What follows a head.
pub fn read(stream: &mut impl BufRead, head: &Head, bytes_max: u64) -> Result<Vec<u8>> {
    if head.is_chunked() {
        return read_chunks(stream, bytes_max);
    }
    let length = head.header("content-length").map(|text| text.parse().map_err(Error::other)).transpose()?;
    let mut body = Vec::new();
    let read = stream.take(length.unwrap_or(bytes_max).min(bytes_max)).read_to_end(&mut body)?;
    match length {
        Some(length) if length > bytes_max => Err(too_large(bytes_max)),
        Some(length) if (read as u64) < length => Err(Error::other("the body ends too early")),
        _ => Ok(body),
    }
}

fn read_chunks(stream: &mut impl BufRead, bytes_max: u64) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        stream.by_ref().take(64).read_line(&mut size)?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let bytes = u64::from_str_radix(digits, 16).map_err(Error::other)?;
        if bytes > bytes_max.saturating_sub(body.len() as u64) {
            return Err(too_large(bytes_max));
        }
        let read = stream.by_ref().take(bytes).read_to_end(&mut body)?;
        if (read as u64) < bytes {
            return Err(Error::other("the body ends too early"));
        }
        stream.read_line(&mut String::new())?;
        if bytes == 0 {
            return Ok(body);
        }
    }
}

fn too_large(bytes_max: u64) -> Error {
    Error::other(format!("the body has more than {bytes_max} bytes"))
}

/// The bytes of a body in chunks, as they come. A body that is cut is an error after what came of it.
pub struct ChunkReader<R> {
    inner: R,
    /// Bytes of the present chunk that are not read yet.
    left: u64,
    ended: bool,
}

impl<R: BufRead> ChunkReader<R> {
    pub const fn new(inner: R) -> Self {
        Self { inner, left: 0, ended: false }
    }

    fn next_chunk(&mut self) -> Result<()> {
        let mut size = String::new();
        while size.trim().is_empty() {
            size.clear();
            // The line end of the chunk before is an empty line here.
            if self.inner.by_ref().take(64).read_line(&mut size)? == 0 {
                return Err(Error::other("the body ends too early"));
            }
        }
        let digits = size.split(';').next().unwrap_or_default().trim();
        self.left = u64::from_str_radix(digits, 16).map_err(Error::other)?;
        self.ended = self.left == 0;
        Ok(())
    }
}

impl<R: BufRead> Read for ChunkReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.left == 0 && !self.ended {
            self.next_chunk()?;
        }
        if self.ended {
            return Ok(0);
        }
        let read = self.inner.by_ref().take(self.left).read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            return Err(Error::other("the body ends too early"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Makes a chunk of each write, and sends it at once.
pub struct ChunkWriter<W: Write> {
    inner: W,
}

impl<W: Write> ChunkWriter<W> {
    pub const fn new(inner: W) -> Self {
        Self { inner }
    }

    /// The last chunk; without it the reader knows that the body is not whole.
    pub fn end(mut self) -> Result<()> {
        self.inner.write_all(b"0\r\n\r\n")?;
        self.inner.flush()
    }
}

impl<W: Write> Write for ChunkWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        // An empty chunk would be the last one.
        if !bytes.is_empty() {
            write!(self.inner, "{:x}\r\n", bytes.len())?;
            self.inner.write_all(bytes)?;
            self.inner.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::read_head;

    fn check(wire: &str, expected: Option<&str>) {
        let mut stream = wire.as_bytes();
        let head = read_head(&mut stream).unwrap().unwrap();
        let body = read(&mut stream, &head, 10).ok().map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(body.as_deref(), expected, "{wire}");
    }

    #[test]
    fn a_body_is_read_by_length_by_chunks_or_to_the_end() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more", Some("hi"));
        check("x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", Some("abcde"));
        check("HTTP/1.1 200 OK\r\n\r\nto the end", Some("to the end"));
    }

    #[test]
    fn a_body_that_is_cut_or_too_large_is_an_error() {
        check("x\r\ncontent-length: 5\r\n\r\nabc", None);
        check("x\r\ncontent-length: 11\r\n\r\n12345678901", None);
        check("x\r\ncontent-length: many\r\n\r\n", None);
        check("x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc", None);
        check("x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", None);
        check("x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nabc", None);
    }

    #[test]
    fn what_came_of_a_body_that_is_cut_is_read_before_the_error() {
        let check = |wire: &str| {
            let mut bytes = Vec::new();
            let end = ChunkReader::new(wire.as_bytes()).read_to_end(&mut bytes);
            (String::from_utf8(bytes).unwrap(), end.is_ok())
        };
        assert_eq!(check("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), ("abcde".to_owned(), true));
        assert_eq!(check("3\r\nabc\r\n2\r\nd"), ("abcd".to_owned(), false));
        assert_eq!(check("3\r\nabc\r\n"), ("abc".to_owned(), false));
    }

    #[test]
    fn what_is_written_in_chunks_is_read_as_it_was() {
        let mut wire = b"x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        let mut writer = ChunkWriter::new(&mut wire);
        for part in ["ab", "", "cde"] {
            writer.write_all(part.as_bytes()).unwrap();
        }
        writer.end().unwrap();
        check(std::str::from_utf8(&wire).unwrap(), Some("abcde"));
    }
}
