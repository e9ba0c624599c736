//! The dependency table on invented packages.

use xtask::tidy::{Package, check_rooms};

fn check(name: &str, own: &[&str], others: &[&str], expected: &[&str]) {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let package = Package {
        name: name.to_owned(),
        manifest: "x/Cargo.toml".to_owned(),
        own: owned(own),
        others: owned(others),
    };
    let found: Vec<_> = check_rooms(&[package]).into_iter().map(|finding| finding.what).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_room_that_knows_only_what_it_may_is_fine() {
    check("quantum-core", &[], &["serde", "cel"], &[]);
    check("quantum-engine", &["quantum-core", "quantum-store"], &["tokio"], &[]);
    check("quantum-store", &["quantum-core", "quantum-testing"], &["sqlx"], &[]);
    check("quantum-testing", &[], &["rustix", "tempfile"], &[]);
    check("quantum-plugin-hello", &["quantum-sdk"], &["serde"], &[]);
    check("quantum-benches", &["quantum-core", "quantum-api"], &["criterion"], &[]);
}

#[test]
fn siblings_and_rooms_above_are_refused() {
    check("quantum-policy", &["quantum-store"], &[], &["quantum-policy must not depend on quantum-store"]);
    check("quantum-store", &["quantum-engine"], &[], &["quantum-store must not depend on quantum-engine"]);
    check("quantum-testing", &["quantum-core"], &[], &["quantum-testing must not depend on quantum-core"]);
    check("quantum-sdk", &["quantum-core"], &[], &["quantum-sdk must not depend on quantum-core"]);
    check("quantum-plugin-x", &["quantum-core"], &[], &["quantum-plugin-x must not depend on quantum-core"]);
}

#[test]
fn libraries_of_another_room_are_refused() {
    check(
        "quantum-core",
        &[],
        &["tokio", "rand"],
        &["quantum-core must not depend on tokio", "quantum-core must not depend on rand"],
    );
    check("quantum-engine", &[], &["wasmtime"], &["quantum-engine must not depend on wasmtime"]);
    check("quantum-sandbox", &[], &["sqlx"], &["quantum-sandbox must not depend on sqlx"]);
    check("quantum-policy", &[], &["tokio"], &["quantum-policy must not depend on tokio"]);
}

#[test]
fn a_package_that_the_table_does_not_know_is_a_finding() {
    check("quantum-extra", &[], &[], &["the table of rooms does not know quantum-extra"]);
}
