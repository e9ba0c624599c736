//! The bodies of an exchange, a piece at a time: neither is ever in memory as a whole.

use super::fault::{of_code, of_stream, taken};
use crate::bindings::wasi::http::types::{
    FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody,
};
use crate::bindings::wasi::io::poll::poll;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::http::{Body, Fault};

/// Bytes of a request's body that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The body of an answer. Its parts are dropped in this order: each belongs to the one below it.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
    /// Of a request that was answered before all of it was sent: dropping it would break the connection.
    _unsent: Option<Unsent>,
}

impl AnswerBody {
    pub(super) fn of(response: IncomingResponse, unsent: Option<Unsent>) -> Result<Self, Fault> {
        let body = response.consume().map_err(|()| taken())?;
        let stream = body.stream().map_err(|()| taken())?;
        Ok(Self { stream, _body: body, _response: response, _unsent: unsent })
    }

    /// Empty: the end.
    pub fn read(&mut self, bytes_max: usize) -> Result<Vec<u8>, Fault> {
        let bytes_max = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        loop {
            match self.stream.blocking_read(bytes_max) {
                // Not the end yet.
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => return Ok(piece),
                Err(StreamError::Closed) => return Ok(Vec::new()),
                Err(error) => return Err(of_stream(error)),
            }
        }
    }
}

/// What is left of a request whose answer came early.
#[derive(Debug)]
pub(super) struct Unsent {
    _stream: OutputStream,
    _body: OutgoingBody,
}

/// Sends a body as fast as it is taken, and stops when the answer is there before its end.
pub(super) fn send(
    outgoing: OutgoingBody,
    body: &mut Body<'_>,
    answer: &FutureIncomingResponse,
) -> Result<Option<Unsent>, Fault> {
    let stream = outgoing.write().map_err(|()| taken())?;
    let mut pieces = body.pieces();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let bytes = pieces.next(&mut buffer)?;
        let piece = buffer.get(..bytes).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        if !write(&stream, piece, answer)? {
            return Ok(Some(Unsent { _stream: stream, _body: outgoing }));
        }
    }
    stream.flush().map_err(of_stream)?;
    if room(&stream, answer)?.is_none() {
        return Ok(Some(Unsent { _stream: stream, _body: outgoing }));
    }
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(of_code)?;
    Ok(None)
}

/// False: the answer came first.
fn write(stream: &OutputStream, mut piece: &[u8], answer: &FutureIncomingResponse) -> Result<bool, Fault> {
    while !piece.is_empty() {
        let Some(room) = room(stream, answer)? else { return Ok(false) };
        let (now, later) = piece.split_at(piece.len().min(room));
        stream.write(now).map_err(of_stream)?;
        piece = later;
    }
    Ok(true)
}

/// Bytes that the host takes now, as soon as it takes any; none when the answer is there and it takes none.
fn room(stream: &OutputStream, answer: &FutureIncomingResponse) -> Result<Option<usize>, Fault> {
    loop {
        let room = stream.check_write().map_err(of_stream)?;
        if room > 0 {
            return Ok(Some(usize::try_from(room).unwrap_or(usize::MAX)));
        }
        let (writable, answered) = (stream.subscribe(), answer.subscribe());
        poll(&[&writable, &answered]);
        if answered.ready() && !writable.ready() {
            return Ok(None);
        }
    }
}
