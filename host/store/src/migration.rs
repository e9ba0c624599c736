//! What both databases say of a migration: its number, and what may run beside it.

use crate::Error;

pub(crate) struct Migration {
    pub number: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

/// A migration as a database has it noted: its number, and the oldest schema and program beside it.
type Applied = (i64, i64, String);

impl Migration {
    pub fn failed(&self, reason: String) -> Error {
        Error::Migration { number: self.number, reason }
    }

    /// The oldest schema and program beside it. Err: `Migration`.
    pub fn beside(&self) -> Result<(i64, &str), Error> {
        let missing = || self.failed("its first line does not state what may run beside it".into());
        header(self.sql).ok_or_else(missing)
    }
}

/// The newest schema that was applied; 0: none. Err: `NewerDatabase`, when a program that knows these may not run beside
/// it.
pub(crate) fn newest_applied(applied: Vec<Applied>, migrations: &[Migration]) -> Result<i64, Error> {
    let (known, mut found) = (newest(migrations), 0);
    for (number, oldest_schema, oldest_binary) in applied {
        if oldest_schema > known {
            return Err(Error::NewerDatabase { found: number, known, oldest_binary });
        }
        found = found.max(number);
    }
    Ok(found)
}

/// The newest schema that these lead to.
pub(crate) fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |last| last.number)
}

/// `-- oldest schema beside it: 1, oldest binary beside it: 0.1.0`
fn header(sql: &str) -> Option<(i64, &str)> {
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
