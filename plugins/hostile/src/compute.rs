//! Processor time and memory, without a word to the host.

use std::hint::black_box;

use quantum_sdk::prelude::*;

use crate::Nothing;

/// Does nothing, for ever.
#[action]
pub fn spin(_: &Context, _: Nothing) -> Result<()> {
    loop {
        black_box(());
    }
}

/// Calls itself until there is no stack left.
#[action]
pub fn recursion(_: &Context, _: Nothing) -> Result<u64> {
    Ok(deeper(0))
}

/// What is added after the call keeps a frame for each.
#[expect(unconditional_recursion, reason = "that is what it does")]
fn deeper(depth: u64) -> u64 {
    black_box(deeper(black_box(depth + 1))) + 1
}

/// Takes memory until there is none.
#[action]
pub fn memory_bomb(_: &Context, _: Nothing) -> Result<()> {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1024 * 1024]));
    }
}

/// Panics.
#[expect(clippy::panic, reason = "that is what it does")]
#[action]
pub fn panic(_: &Context, _: Nothing) -> Result<()> {
    panic!("boom");
}
