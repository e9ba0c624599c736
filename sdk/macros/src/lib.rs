//! `#[action]`: makes an action of a function. Use it through `quantum_sdk`.

mod attribute;
mod function;
mod secret;

use proc_macro::TokenStream;
use quote::quote;
use syn::{ItemFn, parse_macro_input};

/// Makes an action of `fn name(ctx: &Context, parameters: P) -> Result<Output>`.
///
/// | key | meaning |
/// |---|---|
/// | `name = "…"` | kebab-case; by default the function's name with `-` for `_` |
/// | `title = "…"` | by default the first sentence of the doc comment |
/// | `aliases("…", …)` | further names |
/// | `idempotent` | the same idempotency key gives the same effect |
/// | `effects = at_most_once` | never run again by itself |
/// | `no_side_effects` | changes nothing outside |
/// | `reversible` | another action can undo it |
/// | `dry_run` | looks at `ctx.dry_run()` and has no side effects then |
/// | `http = "https://…"`, `http = slot("…")` | where it connects to; may be repeated |
/// | `response_bytes_max = 1_073_741_824` | the largest answer that it streams, in bytes |
/// | `kv` | keeps key-value data |
/// | `artifacts` | reads or stores artifacts |
/// | `secrets("NAME", …)` | uses these secrets, in headers; may be repeated |
/// | `secrets("NAME", in = "header,query,body")` | uses them in these places of a request |
/// | `reveal("NAME", …)` | sees these secrets' values |
/// | `clock` | reads the time or waits |
/// | `random` | uses random numbers |
/// | `memory_bytes_max = 134_217_728` | the memory that an attempt needs, when the usual 64 MiB do not do |
#[proc_macro_attribute]
pub fn action(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as ItemFn);
    let expanded = attribute::Attribute::parse(attribute.into())
        .and_then(|attribute| function::expand(&attribute, &function))
        .unwrap_or_else(|error| error.into_compile_error());
    quote! { #function #expanded }.into()
}
