//! The registry of statements. Every statement of the store is in it, so that a test can ask SQLite for the plan
//! of each and see that tenant tables are searched by `tenant_id`.

use super::Dialect;

/// Names statements, and lists them as `ALL`. What PostgreSQL says otherwise stands behind `postgres:`.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr $(, postgres: $postgres:expr)?;)+) => {
        $($(#[$doc])* pub(crate) const $name: crate::database::Sql =
            crate::database::statements!(@sql $sql $(, $postgres)?);)+
        pub(crate) const ALL: &[crate::database::Sql] = &[$($name),+];
    };
    (@sql $sql:expr) => { crate::database::Sql::same($sql) };
    (@sql $sql:expr, $postgres:expr) => { crate::database::Sql::each($sql, $postgres) };
}
pub(crate) use statements;

/// All statements over tenant tables, the composed ones in every shape. Those of `platform` go across tenants on
/// purpose and are not here.
pub(crate) fn registered(dialect: Dialect) -> Vec<String> {
    let fixed = [
        crate::artifacts::read_sql::ALL,
        crate::artifacts::write_sql::ALL,
        crate::commands::sql::ALL,
        crate::executions::claim_sql::ALL,
        crate::executions::place_sql::ALL,
        crate::blueprints::sql::ALL,
        crate::executions::purge_sql::ALL,
        crate::executions::sql::ALL,
        crate::idempotency::sql::ALL,
        crate::installations::sql::ALL,
        crate::intents::read_sql::ALL,
        crate::intents::write_sql::ALL,
        crate::key_value::sql::ALL,
        crate::logs::sql::ALL,
        crate::platform::sql::TENANT,
        crate::schedules::read_sql::ALL,
        crate::schedules::write_sql::ALL,
        crate::secrets::key_sql::ALL,
        crate::secrets::sql::ALL,
        crate::tenant_settings::sql::ALL,
        crate::tenant_settings::write_sql::ALL,
        crate::usage::sql::ALL,
    ];
    let fixed = fixed.concat().into_iter();
    let mut all: Vec<String> = fixed.map(|sql| sql.text(dialect).into_owned()).collect();
    let lists = [
        crate::artifacts::list_shapes(),
        crate::executions::list_shapes(),
        crate::intents::list_shapes(dialect),
    ];
    all.extend(lists.concat().into_iter().map(|text| in_words_of(dialect, text)));
    all.extend(crate::journal::shapes(dialect));
    all.extend(crate::logs::shapes(dialect));
    all.extend(crate::usage::shapes(dialect));
    all
}

fn in_words_of(dialect: Dialect, text: String) -> String {
    match dialect {
        Dialect::Sqlite => text,
        Dialect::Postgres => super::dialect::to_postgres(&text),
    }
}

/// Every combination of a composed statement's parts.
pub(crate) fn combinations(parts: &[&'static str], compose: impl Fn(&[&str]) -> String) -> Vec<String> {
    let chosen = |mask: usize| {
        let chosen = parts.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
        chosen.map(|(_, part)| *part).collect::<Vec<_>>()
    };
    (0..1 << parts.len()).map(|mask| compose(&chosen(mask))).collect()
}
