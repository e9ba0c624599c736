//! The registry of statements. Every statement of the store is in it, so that a test can ask SQLite for the plan
//! of each and see that tenant tables are searched by `tenant_id`.

/// Names statements, and lists them as `ALL`.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)+
        pub(crate) const ALL: &[&str] = &[$($name),+];
    };
}
pub(crate) use statements;

/// All statements over tenant tables, the composed ones in every shape. Those of `platform` go across tenants on
/// purpose and are not here.
pub(crate) fn registered() -> Vec<String> {
    let fixed = [
        crate::artifacts::read_sql::ALL,
        crate::artifacts::write_sql::ALL,
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
    ];
    let mut all: Vec<String> = fixed.concat().into_iter().map(str::to_owned).collect();
    all.extend(crate::artifacts::list_shapes());
    all.extend(crate::executions::list_shapes());
    all.extend(crate::intents::list_shapes());
    all.extend(crate::journal::shapes());
    all.extend(crate::logs::shapes());
    all
}

/// Every combination of a composed statement's parts.
pub(crate) fn combinations(parts: &[&'static str], compose: impl Fn(&[&str]) -> String) -> Vec<String> {
    let chosen = |mask: usize| {
        let chosen = parts.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
        chosen.map(|(_, part)| *part).collect::<Vec<_>>()
    };
    (0..1 << parts.len()).map(|mask| compose(&chosen(mask))).collect()
}
