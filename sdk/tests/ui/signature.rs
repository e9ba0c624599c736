//! Functions of another shape.

use quantum_sdk::prelude::*;

/// Waits.
#[action]
async fn waits(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Has no parameters.
#[action]
fn has_no_parameters(_ctx: &Context) -> Result<u8> {
    Ok(0)
}

/// Has one argument too many.
#[action]
fn has_too_many(_ctx: &Context, _p: u8, _q: u8) -> Result<u8> {
    Ok(0)
}

/// Cannot fail.
#[action]
fn cannot_fail(_ctx: &Context, _p: u8) -> u8 {
    0
}

/// Has a type parameter.
#[action]
fn general<T>(_ctx: &Context, _p: T) -> Result<u8> {
    Ok(0)
}

/// Takes its parameters first.
#[action]
fn the_other_way_round(_p: u8, _ctx: &Context) -> Result<u8> {
    Ok(0)
}

/// Has parameters and nothing else.
#[action]
fn has_no_context(_p: u8) -> Result<u8> {
    Ok(0)
}

fn main() {}
