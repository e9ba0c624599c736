//! More than the host takes: results, arguments, lines of the log, and calls without an end.

use quantum_sdk::Field;
use quantum_sdk::prelude::*;

use crate::Nothing;

const MIB: usize = 1024 * 1024;
/// Fields of a line of the log. Each is two strings for the host, 48 bytes even when they are empty: together more than
/// the 16 MiB of one call.
const FIELDS: usize = 400_000;
const LINES: usize = 20_000;

/// A field that takes no memory of the guest's.
struct Empty;

impl Field for Empty {
    fn json(&self) -> String {
        String::new()
    }
}

/// Asks the host something, for ever: the guest's own code hardly runs.
#[action]
pub fn spin_in_calls(ctx: &Context, _: Nothing) -> Result<()> {
    loop {
        ctx.kv().get("key")?;
    }
}

/// Gives back more than is kept.
#[action]
pub fn huge_result(_: &Context, _: Nothing) -> Result<String> {
    Ok("x".repeat(2 * MIB))
}

/// Passes a list of empty strings, which is small here and large there.
#[action]
pub fn list_bomb(ctx: &Context, _: Nothing) -> Result<()> {
    let fields: Vec<(&str, &dyn Field)> = vec![("", &Empty); FIELDS];
    ctx.log().info("boom", &fields);
    Ok(())
}

/// Passes one text that is larger than the host takes in a call.
#[action]
pub fn argument_bomb(ctx: &Context, _: Nothing) -> Result<()> {
    ctx.log().info(&"x".repeat(17 * MIB), &[]);
    Ok(())
}

/// Writes lines, and lines.
#[action]
pub fn log_flood(ctx: &Context, _: Nothing) -> Result<usize> {
    for line in 0..LINES {
        ctx.log().info("flood", &[("line", &line)]);
    }
    Ok(LINES)
}
