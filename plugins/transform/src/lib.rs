//! Reshapes JSON with CEL, and fills text templates. Pure: no effect, the same answer every time.

mod convert;
mod json;
mod text;

use quantum_sdk::plugin;

use json::transform_json;
use text::render_text;

plugin!(transform_json, render_text);
