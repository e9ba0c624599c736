//! More keys, values and artifacts than a tenant may have.

use quantum_sdk::prelude::*;

use crate::Nothing;

/// The largest value that is taken.
const VALUE_BYTES: usize = 64 * 1024;

/// Fills the disk with values.
#[action(kv)]
pub fn kv_flood(ctx: &Context, _: Nothing) -> Result<()> {
    let value = vec![b'x'; VALUE_BYTES];
    for key in 0_u64.. {
        ctx.kv().set(&format!("flood-{key}"), &value)?;
    }
    Ok(())
}

/// Stores one value that is too large.
#[action(kv)]
pub fn value_bomb(ctx: &Context, _: Nothing) -> Result<()> {
    ctx.kv().set("bomb", vec![b'x'; 2 * 1024 * 1024])?;
    Ok(())
}

/// Stores a value under a key that is too long.
#[action(kv)]
pub fn key_bomb(ctx: &Context, _: Nothing) -> Result<()> {
    ctx.kv().set(&"x".repeat(1_000), "bomb")?;
    Ok(())
}

/// Begins artifacts and finishes none.
#[action(artifacts)]
pub fn artifact_flood(ctx: &Context, _: Nothing) -> Result<()> {
    let mut open = Vec::new();
    loop {
        open.push(ctx.artifacts().create("text/plain")?);
    }
}
