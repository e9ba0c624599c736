//! What nearly every plugin needs: `use quantum_sdk::prelude::*;`.

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

pub use crate::{Context, Failure, Level, Result, action, http, plugin};
