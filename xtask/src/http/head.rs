//! The first line and the headers of a message.

use std::io::{BufRead, Read};

/// Bytes of one line; a longer one is cut, and what follows is not HTTP.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// Lines of a head. More is an error.
const LINES_MAX: usize = 200;

/// Names of headers in lowercase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub first_line: String,
    pub headers: Vec<(String, String)>,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Of an answer.
    pub fn status(&self) -> Option<u16> {
        self.first_line.split(' ').nth(1).and_then(|word| word.parse().ok())
    }

    pub fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked"))
    }
}

/// None: the other side closed the connection before a first line.
pub fn read_head(stream: &mut impl BufRead) -> std::io::Result<Option<Head>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let end = stream.by_ref().take(LINE_BYTES_MAX).read_line(&mut line)? == 0;
        let line = line.trim_end().to_owned();
        if end || line.is_empty() {
            break;
        }
        if lines.len() == LINES_MAX {
            return Err(std::io::Error::other(format!("a head has more than {LINES_MAX} lines")));
        }
        lines.push(line);
    }
    let mut lines = lines.into_iter();
    let Some(first_line) = lines.next() else { return Ok(None) };
    let header =
        |line: String| line.split_once(':').map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()));
    Ok(Some(Head { first_line, headers: lines.filter_map(header).collect() }))
}
