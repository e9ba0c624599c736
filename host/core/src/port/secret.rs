//! Values of secrets, for the host's own hands.

use std::fmt;

use super::{BoxFuture, EffectError};
use crate::id::TenantId;
use crate::manifest::HostPattern;
use crate::time::Timestamp;
use crate::vocabulary::Environment;

/// A decrypted secret. `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenSecret {
    /// As the tenant calls it.
    pub name: String,
    pub environment: Environment,
    pub value: String,
    /// Where requests may carry it to.
    pub hosts: Vec<HostPattern>,
    /// None: it does not expire.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for OpenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSecret")
            .field("name", &self.name)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// Opens secrets. Errors: `missing`; `denied` when the name exists for other environments only; `unavailable`.
pub trait SecretSource: Send + Sync + 'static {
    fn open(
        &self,
        tenant: &TenantId,
        name: &str,
        environment: Environment,
    ) -> BoxFuture<'static, Result<OpenSecret, EffectError>>;
}
