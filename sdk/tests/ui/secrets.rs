//! Secrets without names, with odd ones, and in odd places.

use quantum_sdk::prelude::*;

/// Names none.
#[action(secrets)]
fn names_none(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Has an empty list.
#[action(secrets())]
fn empty(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Has only a place.
#[action(secrets(in = "header"))]
fn only_a_place(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Has an odd name.
#[action(secrets("registry token"))]
fn odd_name(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Has an odd place.
#[action(secrets("TOKEN", in = "header,cookie"))]
fn odd_place(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Reveals none.
#[action(reveal())]
fn reveals_none(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

fn main() {}
