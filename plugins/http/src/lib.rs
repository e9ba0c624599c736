//! Requests over HTTP, and waiting until a deployment answers as it should. Where it may connect to is the installer's
//! word: the slot `targets`.

mod request;
mod subset;
mod verify;

use quantum_sdk::plugin;
use quantum_sdk::prelude::*;

use request::http_request;
use verify::verify_deployment;

/// What an installation may say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// What a health check's path is added to, for example `https://shop.example.com`.
    base_url: Option<String>,
}

plugin!(http_request, verify_deployment; config = Config);
