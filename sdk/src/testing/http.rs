//! Requests that are answered from the script.

use super::answer::Answer;
use super::host::Host;
use super::record::SentRequest;
use crate::http::{Body, ErrorKind, Fault, Head, Outgoing, Url};

/// Bytes that are taken of a request's body at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The rest of a scripted body.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    left: Vec<u8>,
    read_bytes: usize,
    breaks_at: Option<usize>,
}

impl AnswerBody {
    /// Empty: the end.
    pub fn read(&mut self, bytes_max: usize) -> Result<Vec<u8>, Fault> {
        let until_break = self.breaks_at.map_or(usize::MAX, |at| at.saturating_sub(self.read_bytes));
        if until_break == 0 {
            return Err(Fault::new(ErrorKind::Connection, "the connection broke"));
        }
        let bytes = bytes_max.min(until_break).min(self.left.len());
        self.read_bytes += bytes;
        Ok(self.left.drain(..bytes).collect())
    }
}

impl Host {
    pub(crate) fn send(
        &self,
        outgoing: &Outgoing,
        _url: Url<'_>,
        body: &mut Body<'_>,
    ) -> Result<(Head, AnswerBody), Fault> {
        let Outgoing { method, url, headers, timeout } = outgoing.clone();
        let answer = self.next_answer(&method, &url);
        let body = read(body)?;
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let mut state = self.change();
        state.sent.push(SentRequest { method: method.clone(), url: url.clone(), headers, body });
        state.now_ms += answer.takes_ms.min(timeout_ms);
        if answer.takes_ms > timeout_ms {
            return Err(Fault::new(ErrorKind::Timeout, "no answer in time"));
        }
        let status = answer.outcome.map_err(|kind| Fault::new(kind, "scripted to fail"))?;
        let head = Head { method, url, status, headers: answer.headers };
        Ok((head, AnswerBody { left: answer.body, read_bytes: 0, breaks_at: answer.breaks_at }))
    }

    #[expect(clippy::panic, reason = "a request that no test scripted must fail the test")]
    fn next_answer(&self, method: &str, url: &str) -> Answer {
        let mut state = self.change();
        let at = state.script.iter().position(|(m, u, _)| m == method && u == url);
        match at.and_then(|at| state.script.remove(at)) {
            Some((_, _, answer)) => answer,
            None => panic!(
                "no answer is left for {method} {url}; script one with host.answer(\"{method}\", \"{url}\", …)"
            ),
        }
    }
}

fn read(body: &mut Body<'_>) -> Result<Vec<u8>, Fault> {
    let mut pieces = body.pieces();
    let (mut all, mut buffer) = (Vec::new(), vec![0; PIECE_BYTES]);
    loop {
        let bytes = pieces.next(&mut buffer)?;
        if bytes == 0 {
            return Ok(all);
        }
        all.extend(buffer.iter().take(bytes));
    }
}
