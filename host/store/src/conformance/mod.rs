//! What every backend must do, topic by topic. A backend's tests give a way to open its store, and run all topics.
//!
//! Each topic starts from an empty database; `open` opens that same database again each time.

pub mod artifacts;
pub mod blueprints;
pub mod commands;
mod content;
pub mod differential;
pub mod durability;
pub mod executions;
mod fixtures;
pub mod idempotency;
pub mod installations;
pub mod intents;
pub mod isolation;
pub mod journal;
pub mod key_value;
pub mod logs;
pub mod nodes;
pub mod platform;
pub mod retention;
pub mod schedules;
pub mod secrets;
pub mod tenant_settings;
pub mod usage;

use quantum_core::port::BoxFuture;

use crate::{Error, Store};

pub use content::{answers, fill_and_empty, fill_tenant, write_value_with_nul};
pub use fixtures::{commit, create, execution_id, hold, intent, scope, with_tenants};

/// Opens the topic's database.
pub type Open = dyn Fn() -> BoxFuture<'static, Result<Store, Error>> + Send + Sync;

/// Err: what the backend refused; a wrong answer panics.
pub type Check = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The login of hosts in databases of tests. It has no rights but those of the roles that it is a member of.
pub const LOGIN: &str = "quantum";

/// Brings an empty PostgreSQL database to this program's schema, with the login. Blocks, outside of any runtime.
pub fn prepare_database(owner_url: &str) {
    let prepare = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let login = crate::Login { name: LOGIN.into(), password: None };
        runtime.block_on(crate::prepare(owner_url, Some(&login))).expect("a schema");
    };
    std::thread::scope(|scope| scope.spawn(prepare).join().expect("it is prepared"));
}

/// Every statement over tenant tables, for the backend's own test of plans.
pub fn statements() -> Vec<String> {
    crate::database::registered(crate::database::Dialect::Sqlite)
}

/// Statements of the platform that look for what a node owns, as PostgreSQL gets them.
pub fn postgres_statements_by_owner() -> Vec<String> {
    let dialect = crate::database::Dialect::Postgres;
    crate::platform::BY_OWNER.iter().map(|sql| sql.text(dialect).into_owned()).collect()
}

/// As `statements`, as PostgreSQL gets them.
pub fn postgres_statements() -> Vec<String> {
    crate::database::registered(crate::database::Dialect::Postgres)
}
