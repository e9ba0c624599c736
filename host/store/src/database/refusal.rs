//! What an error of the database means for the store.

/// Codes of SQLite: <https://sqlite.org/rescode.html>, of PostgreSQL:
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// One statement was refused; the transaction can go on, or be done anew without it.
    Constraint,
    /// PostgreSQL does not take a value as it is: U+0000 in a text. No other statement is concerned.
    Value,
    Full,
    Busy,
    /// The disk did not confirm, or what it holds is no database: nothing can be promised any more.
    Lost,
    /// The server is not there, or ends: it may be back soon.
    Gone,
    /// The server takes no writes: a replica, or one that was made read-only.
    ReadOnly,
    Other,
}

pub(crate) fn code(error: &sqlx::Error) -> Code {
    let Some(told) = error.as_database_error() else {
        return match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::Protocol(_) => Code::Gone,
            _ => Code::Other,
        };
    };
    let text = told.code().unwrap_or_default();
    match told.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        Some(_) => of_state(&text),
        None => of_number(text.parse().unwrap_or(0)),
    }
}

/// The row itself was refused, for what it says or for what is there, and no other one with it.
pub(crate) fn is_refused_row(error: &sqlx::Error) -> bool {
    matches!(code(error), Code::Constraint | Code::Value)
}

/// A constraint does not hold with the statement, and no other one is concerned.
pub(crate) fn is_refusal(error: &sqlx::Error) -> bool {
    code(error) == Code::Constraint
}

fn of_state(state: &str) -> Code {
    match state {
        _ if state.starts_with("23") => Code::Constraint,
        "22021" | "22P05" => Code::Value,
        "53100" | "53200" => Code::Full,
        "25006" => Code::ReadOnly,
        // Too many connections, a deadlock, a lock or an answer that did not come in time.
        "53300" | "40P01" | "40001" | "55P03" | "57014" => Code::Busy,
        // It was ended in a transaction that did nothing for too long.
        "25P03" => Code::Gone,
        _ if state.starts_with("08") || state.starts_with("57P") => Code::Gone,
        _ => Code::Other,
    }
}

const fn of_number(extended: u32) -> Code {
    const IOERR_FSYNC: u32 = 1034;
    const IOERR_DIR_FSYNC: u32 = 1290;
    match (extended, extended & 0xff) {
        (IOERR_FSYNC | IOERR_DIR_FSYNC, _) | (_, 11 | 26) => Code::Lost,
        (_, 5 | 6) => Code::Busy,
        (_, 13) => Code::Full,
        (_, 19) => Code::Constraint,
        _ => Code::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_sync_or_a_broken_file_is_lost_and_a_full_disk_is_not() {
        for lost in [1034, 1290, 11, 267, 26] {
            assert_eq!(of_number(lost), Code::Lost, "{lost}");
        }
        assert_eq!(of_number(13), Code::Full);
        assert_eq!(of_number(778), Code::Other, "a failed write is rolled back and can be tried again");
        assert_eq!(of_number(787), Code::Constraint, "a foreign key");
        assert_eq!(of_number(5), Code::Busy);
    }

    #[test]
    fn a_server_that_is_gone_full_or_read_only_is_told_apart() {
        assert_eq!(of_state("23503"), Code::Constraint, "a foreign key");
        assert_eq!(of_state("22021"), Code::Value, "U+0000");
        assert_eq!(of_state("53100"), Code::Full);
        assert_eq!(of_state("25006"), Code::ReadOnly);
        assert_eq!(of_state("57P01"), Code::Gone, "ended by an administrator");
        assert_eq!(of_state("57014"), Code::Busy, "statement_timeout");
        assert_eq!(of_state("42501"), Code::Other, "a policy, or a missing grant: a defect");
    }
}
