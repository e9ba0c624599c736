//! Hosts and slots that are not written as they should be.

use quantum_sdk::prelude::*;

/// Has no scheme.
#[action(http = "api.example.com")]
fn no_scheme(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Has another word.
#[action(http = hosts("api"))]
fn other_word(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Has a slot with an odd name.
#[action(http = slot("The API"))]
fn odd_slot(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Bounds answers that it cannot get.
#[action(response_bytes_max = 1_000_000)]
fn no_http(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

/// Bounds answers by nothing.
#[action(http = "https://api.example.com", response_bytes_max = 0)]
fn no_bytes(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

fn main() {}
