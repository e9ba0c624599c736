//! The rules of tidy on small inputs, and on this checkout.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod case;
mod commands;
mod examples;
mod rooms;

/// The rule that this project is held to; every finding is printed with what to do.
#[test]
fn the_checkout_is_tidy() {
    let findings = xtask::tidy::check().unwrap();
    let report: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{} findings\n{}", findings.len(), report.join("\n"));
}
