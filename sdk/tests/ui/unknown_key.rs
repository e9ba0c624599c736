//! A misspelt key.

use quantum_sdk::prelude::*;

/// Does something.
#[action(idempotnt)]
fn something(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Does something else.
#[action(frobnicate)]
fn something_else(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

fn main() {}
