//! The whole suite once more, on PostgreSQL: this program starts itself.

use std::process::Command;

use quantum_testing::{Postgres, or_skip};

use crate::world::DATABASE;

#[test]
fn every_other_test_passes_on_postgres() {
    // Inside of itself it would go on for ever.
    if std::env::var_os(DATABASE).is_some() || or_skip(Postgres::shared()).is_none() {
        return;
    }
    let again = Command::new(std::env::current_exe().unwrap()).env(DATABASE, "postgres").output().unwrap();
    let told = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success(), "{told}\n{}", String::from_utf8_lossy(&again.stderr));
    let ran = told.lines().filter(|line| line.ends_with("... ok")).count();
    assert!(ran > 100, "{ran} tests: {told}");
}
