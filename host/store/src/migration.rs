//! What both databases say of a migration: its number, and what may run beside it.

pub(crate) struct Migration {
    pub number: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

/// The newest schema that these lead to.
pub(crate) fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |last| last.number)
}

/// `-- oldest schema beside it: 1, oldest binary beside it: 0.1.0`
pub(crate) fn header(sql: &str) -> Option<(i64, &str)> {
    let rest = sql.lines().next()?.strip_prefix("-- oldest schema beside it: ")?;
    let (schema, binary) = rest.split_once(", oldest binary beside it: ")?;
    Some((schema.parse().ok()?, binary.trim()))
}

#[cfg(test)]
pub(crate) fn check_order(migrations: &[Migration]) {
    for (index, migration) in migrations.iter().enumerate() {
        assert_eq!(migration.number, index as i64 + 1);
        let (oldest, binary) = header(migration.sql).expect("a header");
        assert!(oldest <= migration.number && !binary.is_empty());
    }
}
