//! A database of its own for each test of this package that looks inside.

use quantum_core::port::BoxFuture;
use quantum_testing::{Postgres, TestDatabase, or_skip};

use super::{Login, PostgresOptions, prepare};
use crate::{Error, Store};

const LOGIN: &str = "quantum";

/// None: PostgreSQL is not installed, which was reported.
pub async fn prepared() -> Option<(TestDatabase, PostgresOptions)> {
    let server = or_skip(Postgres::shared())?;
    let database = server.database();
    prepare(&database.url(), Some(&Login { name: LOGIN.into(), password: None })).await.unwrap();
    let options = PostgresOptions::new(server.url(database.name(), LOGIN));
    Some((database, options))
}

pub fn opener(options: PostgresOptions) -> impl Fn() -> BoxFuture<'static, Result<Store, Error>> {
    move || Box::pin(Store::connect(options.clone()))
}
