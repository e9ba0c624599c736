//! The contract as Rust, made from the whole of `wit/` by `cargo xtask codegen`. What a plugin does not call is not imported
//! by its component.

include!("bindings/plugin.rs");

/// What a build that tells its manifest exports beside.
#[cfg(quantum_describe)]
pub mod describing {
    include!("bindings/describe.rs");
}
