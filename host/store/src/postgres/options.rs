//! Where the database is, and how it is used.

use std::fmt;
use std::time::Duration;

use crate::writer::Faults;

/// Connections of one node. A PostgreSQL with its default of 100 carries several nodes.
const CONNECTIONS: u32 = 16;
/// Nobody who has a connection waits for another one, so that one is enough to go on, if slowly: whoever writes or reads
/// waits for whoever does.
const CONNECTIONS_MIN: u32 = 1;
/// How long somebody waits for a connection of the pool, and for the server to do one statement; who waits longer is told
/// that the database is busy or gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=…`
    pub url: String,
    /// A login that may change the schema, used at the start when the schema is older than this program's. None: it is
    /// then refused, and says what to do.
    pub owner_url: Option<String>,
    /// Connections at most. Fewer than one are taken as one.
    pub connections: u32,
    /// How long a connection of the pool is waited for, a new one, and the end of a statement, each. The server gives up
    /// after this time; where it does not answer at all, the host does half as much later.
    pub patience: Duration,
    /// What goes wrong, in tests.
    pub faults: Option<Faults>,
}

impl PostgresOptions {
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), owner_url: None, connections: CONNECTIONS, patience: PATIENCE, faults: None }
    }

    pub(super) fn connections(&self) -> u32 {
        self.connections.max(CONNECTIONS_MIN)
    }
}

/// Without passwords.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("url", &shown(&self.url))
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// A URL for people and logs: nothing between the scheme and the host, and nothing from the parameters.
pub(crate) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "postgres://…".to_owned() };
    // Of a parameter, or of a password that is not written as URLs want it: nobody can tell.
    if rest.split_once('?').is_some_and(|(_, parameters)| parameters.contains('@')) {
        return format!("{scheme}://…");
    }
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split_once('?').map_or(place, |(place, _)| place);
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let options = PostgresOptions::new("postgres://quantum:s3cr@t@db.example:5432/quantum?password=x");
        let text = format!("{options:?}");
        assert!(text.contains("postgres://db.example:5432/quantum") && !text.contains("s3cr"), "{text}");
        assert!(!text.contains("password"), "{text}");
        for url in
            ["postgres://db.example/quantum?password=a@s3cr", "postgres://quantum:a?s3cr@db.example/quantum"]
        {
            assert_eq!(shown(url), "postgres://…");
        }
    }
}
