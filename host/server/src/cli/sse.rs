//! Reading an event stream: the `data` of each event, however the bytes are cut.

use std::collections::VecDeque;

use futures::{Stream, StreamExt};
use serde_json::Value;

use super::error::CliError;

/// Bytes of one event; a host sends none that is larger.
const EVENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Collects bytes and gives events.
#[derive(Default)]
struct Reader {
    buffer: Vec<u8>,
    ready: VecDeque<String>,
}

impl Reader {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.buffer.extend(bytes.iter().filter(|byte| **byte != b'\r'));
        while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&event);
            let data: Vec<&str> =
                text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect();
            if !data.is_empty() {
                self.ready.push_back(data.join("\n"));
            }
        }
        if self.buffer.len() > EVENT_BYTES_MAX {
            return Err(CliError::Answer { what: "an event of the stream is too large".into() });
        }
        Ok(())
    }
}

/// The events of a response, as JSON.
pub(crate) fn events(response: reqwest::Response) -> impl Stream<Item = Result<Value, CliError>> {
    let bytes = Box::pin(response.bytes_stream());
    futures::stream::try_unfold((bytes, Reader::default()), |(mut bytes, mut reader)| async move {
        loop {
            if let Some(data) = reader.ready.pop_front() {
                let event = serde_json::from_str(&data)
                    .map_err(|source| CliError::Json { what: "an event".into(), source })?;
                return Ok(Some((event, (bytes, reader))));
            }
            match bytes.next().await {
                Some(Ok(chunk)) => reader.feed(&chunk)?,
                Some(Err(error)) => {
                    return Err(CliError::Answer { what: format!("the stream broke: {error}") });
                }
                None => return Ok(None),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_the_bytes_are_cut() {
        let stream = ": hello\n\nid: 1\ndata: {\"a\":1}\n\nid: 2\r\ndata: {\"b\":\r\ndata: 2}\r\n\r\n";
        for size in [1, 3, 7, 100] {
            let mut reader = Reader::default();
            stream.as_bytes().chunks(size).for_each(|chunk| reader.feed(chunk).unwrap());
            assert_eq!(reader.ready, ["{\"a\":1}", "{\"b\":\n2}"], "{size}");
        }
    }
}
