//! Types without their derives.

use quantum_sdk::prelude::*;

struct Bare {
    _n: u8,
}

#[derive(Deserialize)]
struct Unschematic {
    _n: u8,
}

#[derive(JsonSchema)]
struct Unreadable {
    _n: u8,
}

/// Takes what cannot be read.
#[action]
fn takes_bare(_ctx: &Context, _p: Bare) -> Result<u8> {
    Ok(0)
}

/// Takes what has no schema.
#[action]
fn takes_unschematic(_ctx: &Context, _p: Unschematic) -> Result<u8> {
    Ok(0)
}

/// Takes what has only a schema.
#[action]
fn takes_unreadable(_ctx: &Context, _p: Unreadable) -> Result<u8> {
    Ok(0)
}

/// Gives what cannot be written.
#[action]
fn gives_bare(_ctx: &Context, n: u8) -> Result<Bare> {
    Ok(Bare { _n: n })
}

fn main() {}
