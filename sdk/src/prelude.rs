//! What nearly every plugin needs.
//!
//! ```
//! use quantum_sdk::prelude::*;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Halve { n: i64 }
//!
//! /// Halves an even number.
//! #[action(no_side_effects)]
//! fn halve(_ctx: &Context, p: Halve) -> Result<i64> {
//!     if p.n % 2 == 0 { Ok(p.n / 2) } else { Err(Failure::permanent("odd-number", "it has no half")) }
//! }
//!
//! plugin!(halve);
//! # fn main() {}
//! ```

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

pub use crate::{Context, Failure, Level, Result, action, http, plugin};
