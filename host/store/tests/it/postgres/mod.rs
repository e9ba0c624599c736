//! What is PostgreSQL's own. Each test has a database of its own, a copy of one that was prepared once.

use quantum_store::conformance::Open;
use quantum_store::{Login, PostgresOptions, Store, prepare};
use quantum_testing::{Postgres, TestDatabase, or_skip};
use tokio::sync::OnceCell;

/// The login of the store. It has no rights but those of the roles that it is a member of.
const LOGIN: &str = "quantum";

static TEMPLATE: OnceCell<TestDatabase> = OnceCell::const_new();

pub struct Prepared {
    server: &'static Postgres,
    database: TestDatabase,
}

/// None: PostgreSQL is not installed, which was reported.
pub async fn prepared() -> Option<Prepared> {
    let server = or_skip(Postgres::shared())?;
    let template = TEMPLATE.get_or_init(|| prepare_template(server)).await;
    Some(Prepared { server, database: server.database_from(template.name()) })
}

async fn prepare_template(server: &'static Postgres) -> TestDatabase {
    let database = server.database();
    let login = Login { name: LOGIN.into(), password: None };
    prepare(&database.url(), Some(&login)).await.expect("a schema");
    database
}

impl Prepared {
    pub fn options(&self) -> PostgresOptions {
        PostgresOptions::new(self.server.url(self.database.name(), LOGIN))
    }

    pub fn opener(&self) -> Box<Open> {
        let options = self.options();
        Box::new(move || Box::pin(Store::connect(options.clone())))
    }
}
