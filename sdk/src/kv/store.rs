//! Reading and writing values.

use std::time::Duration;

use super::{Entry, Error};
use crate::context::Host;

/// The values of this tenant and plugin; from [`Context::kv`](crate::Context::kv). All executions of the tenant share
/// them: what one attempt read, another may have changed since, so use [`Kv::compare_and_set`] where that matters.
///
/// ```
/// let host = quantum_sdk::testing::Host::new();
/// let ctx = host.context();
/// ctx.kv().set("last", "v1")?;
/// assert_eq!(ctx.kv().get("last")?.unwrap().value, b"v1");
/// # Ok::<(), quantum_sdk::kv::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Kv<'a> {
    host: &'a Host,
}

impl<'a> Kv<'a> {
    pub(crate) const fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// The value of a key; none when there is none, or its time is over.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new();
    /// assert_eq!(host.context().kv().get("last")?, None);
    /// # Ok::<(), quantum_sdk::kv::Error>(())
    /// ```
    pub fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.host.kv_get(key)
    }

    /// Writes a value that stays; gives its new revision.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new();
    /// let revision = host.context().kv().set("last", b"v1")?;
    /// assert_eq!(host.context().kv().get("last")?.unwrap().revision, revision);
    /// # Ok::<(), quantum_sdk::kv::Error>(())
    /// ```
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<u64, Error> {
        self.host.kv_set(key, value.as_ref(), None)
    }

    /// Writes a value that is gone after this time, rounded up to a whole millisecond; gives its new revision.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let host = quantum_sdk::testing::Host::new();
    /// let ctx = host.context();
    /// ctx.kv().set_for("token", "abc", Duration::from_secs(60))?;
    /// ctx.sleep(Duration::from_secs(60)).unwrap();
    /// assert_eq!(ctx.kv().get("token")?, None);
    /// # Ok::<(), quantum_sdk::kv::Error>(())
    /// ```
    pub fn set_for(&self, key: &str, value: impl AsRef<[u8]>, ttl: Duration) -> Result<u64, Error> {
        self.host.kv_set(key, value.as_ref(), Some(whole_ms(ttl)))
    }

    /// Writes a value only when the stored revision is the expected one; none expects that there is no value. Gives the
    /// new revision, or none when it did not match.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new();
    /// let ctx = host.context();
    /// let first = ctx.kv().compare_and_set("owner", None, "a")?;
    /// assert_eq!(ctx.kv().compare_and_set("owner", None, "b")?, None);
    /// assert!(ctx.kv().compare_and_set("owner", first, "b")?.is_some());
    /// # Ok::<(), quantum_sdk::kv::Error>(())
    /// ```
    pub fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: impl AsRef<[u8]>,
    ) -> Result<Option<u64>, Error> {
        self.host.kv_compare_and_set(key, expected, value.as_ref(), None)
    }

    /// Like [`Kv::compare_and_set`], with a time after which the value is gone: a lease.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let host = quantum_sdk::testing::Host::new();
    /// let ctx = host.context();
    /// let take = || ctx.kv().compare_and_set_for("lease", None, "me", Duration::from_secs(5));
    /// assert!(take()?.is_some() && take()?.is_none());
    /// ctx.sleep(Duration::from_secs(5)).unwrap();
    /// assert!(take()?.is_some());
    /// # Ok::<(), quantum_sdk::kv::Error>(())
    /// ```
    pub fn compare_and_set_for(
        &self,
        key: &str,
        expected: Option<u64>,
        value: impl AsRef<[u8]>,
        ttl: Duration,
    ) -> Result<Option<u64>, Error> {
        self.host.kv_compare_and_set(key, expected, value.as_ref(), Some(whole_ms(ttl)))
    }

    /// Removes a value, whether it is there or not.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().kv_entry("last", b"v1");
    /// host.context().kv().delete("last")?;
    /// assert_eq!(host.kv("last"), None);
    /// # Ok::<(), quantum_sdk::kv::Error>(())
    /// ```
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        self.host.kv_delete(key)
    }
}

fn whole_ms(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
