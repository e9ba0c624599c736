//! Plugins that mean harm, one action each. Nothing of this ships; README.md says what each must get.

mod compute;
mod passing;
mod network;
mod stored;
mod secrets;

use quantum_sdk::plugin;
use quantum_sdk::prelude::*;

use compute::{memory_bomb, panic, recursion, spin};
use network::{decompression_bomb, fetch, header_bomb, many_requests};
use passing::{argument_bomb, huge_result, list_bomb, log_flood, spin_in_calls};
use secrets::{forbidden_secret, leak, smuggle, smuggle_in_path};
use stored::{artifact_flood, key_bomb, kv_flood, value_bomb};

/// No parameters.
#[derive(Deserialize, JsonSchema)]
pub struct Nothing {}

/// Where to.
#[derive(Deserialize, JsonSchema)]
pub struct Target {
    url: String,
}

/// Does what it should: an attempt after an attack finds a whole component.
#[action]
fn behave(_: &Context, _: Nothing) -> Result<String> {
    Ok("well".to_owned())
}

plugin!(
    behave,
    spin,
    recursion,
    memory_bomb,
    panic,
    spin_in_calls,
    huge_result,
    list_bomb,
    argument_bomb,
    log_flood,
    fetch,
    header_bomb,
    decompression_bomb,
    many_requests,
    forbidden_secret,
    smuggle,
    smuggle_in_path,
    leak,
    kv_flood,
    value_bomb,
    key_bomb,
    artifact_flood
);
