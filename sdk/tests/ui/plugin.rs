//! Actions that are none.

use quantum_sdk::prelude::*;

/// Is one.
#[action]
fn one(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

fn no_attribute(_ctx: &Context, _p: u8) -> Result<u8> {
    Ok(0)
}

struct NoFunction;

mod unknown {
    use super::one;

    quantum_sdk::plugin!(one, gone);
}

mod function {
    use super::{no_attribute, one};

    quantum_sdk::plugin!(no_attribute, one);
}

mod other {
    use super::{NoFunction, one};

    quantum_sdk::plugin!(one, NoFunction);
}

fn main() {}
