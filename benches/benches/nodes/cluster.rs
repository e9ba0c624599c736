//! A PostgreSQL of the run's own, and nodes on databases of it.

use std::path::Path;
use std::sync::Arc;

use quantum_core::port::StepRunner;
use quantum_engine::EngineOptions;
use quantum_store::conformance::{LOGIN, prepare_database};
use quantum_store::{PostgresOptions, Store};
use quantum_testing::{Postgres, Settings, TestDatabase, or_skip};

use crate::fixture::{Rig, folder};

pub struct Cluster(Postgres);

/// A prepared database that nothing else uses.
pub struct Database<'a> {
    server: &'a Postgres,
    database: TestDatabase,
}

impl Cluster {
    /// None: PostgreSQL is not installed, which was reported.
    pub fn start() -> Option<Self> {
        // As PostgreSQL comes, beside what tests are content with.
        let extra = vec![("shared_buffers".to_owned(), "128MB".to_owned())];
        or_skip(Postgres::start_with(&Settings { fsync: true, extra })).map(Self)
    }

    pub fn database(&self) -> Database<'_> {
        let database = self.0.database();
        prepare_database(&database.url());
        Database { server: &self.0, database }
    }
}

impl Database<'_> {
    pub fn options(&self) -> PostgresOptions {
        PostgresOptions::new(self.server.url(self.database.name(), LOGIN))
    }

    pub async fn store(&self) -> Store {
        Store::connect(self.options()).await.expect("a store")
    }

    /// A further node of this name.
    pub async fn node(&self, name: &str, runner: Arc<dyn StepRunner>, lease_ms: u64) -> Rig {
        node_on(self.store().await, name, runner, lease_ms).await
    }

    /// As the superuser.
    pub fn query(&self, sql: &str) -> String {
        self.database.query(sql)
    }
}

pub async fn node_on(store: Store, name: &str, runner: Arc<dyn StepRunner>, lease_ms: u64) -> Rig {
    let options = EngineOptions {
        name: name.to_owned(),
        lease_ms: Some(lease_ms),
        shutdown_grace_ms: 0,
        ..EngineOptions::default()
    };
    // Nothing is archived.
    Rig::launch_on(store, Path::new("/nonexistent"), runner, options).await
}

/// A node on a database of SQLite, beside which there is none.
pub async fn alone(runner: Arc<dyn StepRunner>) -> (Rig, tempfile::TempDir) {
    let folder = folder();
    let rig = Rig::launch(&folder.path().join("alone.db"), runner, EngineOptions::default()).await;
    (rig, folder)
}
