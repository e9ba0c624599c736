//! A database that one test has for itself.

use std::sync::atomic::{AtomicU64, Ordering};

use super::access::Access;
use super::{SUPERUSER, sure};

/// Databases of this process so far, of all its servers.
static MADE: AtomicU64 = AtomicU64::new(0);

/// Dropped, it is removed with the connections to it, when the server runs. It does not hold the server: that may be
/// stopped, killed and started again meanwhile.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    access: Access,
}

impl TestDatabase {
    pub(super) fn create(access: &Access, template: Option<&str>) -> Result<Self, String> {
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
        let template = template.map(|template| format!(" TEMPLATE \"{template}\"")).unwrap_or_default();
        access.query(SUPERUSER, &format!("CREATE DATABASE {name}{template}"))?;
        Ok(Self { name, access: access.clone() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// As the superuser, over loopback.
    pub fn url(&self) -> String {
        self.access.url(&self.name, SUPERUSER)
    }

    /// See [`super::Postgres::query`].
    #[track_caller]
    pub fn query(&self, sql: &str) -> String {
        sure(self.access.query(&self.name, sql))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.access.is_served() {
            _ = self.access.query(SUPERUSER, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
