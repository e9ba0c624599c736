//! Requests to where they must not go, and answers that are larger than they look.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use quantum_sdk::http::Response;
use quantum_sdk::prelude::*;

use crate::Target;

/// Redirects that are followed.
const HOPS_MAX: usize = 5;
/// What is unpacked at once.
const PIECE_BYTES: usize = 64 * 1024;
/// More than may be open at once.
const REQUESTS: usize = 40;

/// Asks for what it is told to, follows every redirect, and gives the body back.
#[action(http = slot("targets"))]
pub fn fetch(ctx: &Context, p: Target) -> Result<String> {
    let mut url = p.url;
    for _ in 0..HOPS_MAX {
        let answer = ctx.http().get(&url).send()?;
        match answer.header("location") {
            Some(next) => url = next.to_owned(),
            None => return Ok(text(&answer)),
        }
    }
    Err(Failure::permanent("hops", "there was no end of redirects"))
}

fn text(answer: &Response) -> String {
    String::from_utf8_lossy(answer.bytes()).into_owned()
}

/// Sends a header that is larger than all headers may be.
#[action(http = slot("targets"))]
pub fn header_bomb(ctx: &Context, p: Target) -> Result<()> {
    ctx.http().get(&p.url).header("x-bomb", "x".repeat(70_000)).send()?;
    Ok(())
}

/// Unpacks the answer. The host hands out what came, packed: what a bomb becomes is the guest's own memory.
#[action(http = slot("targets"))]
pub fn decompression_bomb(ctx: &Context, p: Target) -> Result<usize> {
    let answer = ctx.http().get(&p.url).send()?;
    let mut decoder = MultiGzDecoder::new(answer.bytes());
    let (mut piece, mut unpacked) = (vec![0; PIECE_BYTES], Vec::new());
    loop {
        match decoder.read(&mut piece).map_err(unreadable)? {
            0 => return Ok(unpacked.len()),
            read => unpacked.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
    }
}

fn unreadable(error: io::Error) -> Failure {
    Failure::permanent("unreadable", error.to_string())
}

/// Begins more requests than may be open, and reads none of the answers.
#[action(http = slot("targets"))]
pub fn many_requests(ctx: &Context, p: Target) -> Result<usize> {
    let mut open = Vec::new();
    for _ in 0..REQUESTS {
        open.push(ctx.http().get(&p.url).send_streaming()?);
    }
    Ok(open.len())
}
