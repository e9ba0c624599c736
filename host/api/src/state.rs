//! What all handlers share.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use quantum_core::time::Timestamp;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::auth::Authenticator;
use crate::options::{ApiOptions, Limits, Services};
use crate::page::PageTokens;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(Arc<Parts>);

pub(crate) struct Parts {
    pub services: Services,
    pub limits: Limits,
    pub authenticator: Authenticator,
    pub pages: PageTokens,
    pub uploads: Semaphore,
    /// The OpenAPI document as JSON text.
    pub document: Bytes,
}

impl Api {
    pub fn new(services: Services, options: ApiOptions, document: Bytes) -> Self {
        Self(Arc::new(Parts {
            authenticator: Authenticator::new(options.issuers, services.catalog.clone()),
            pages: PageTokens::new(&options.page_token_key),
            uploads: Semaphore::new(options.limits.uploads_max),
            limits: options.limits,
            services,
            document,
        }))
    }
}

impl Deref for Api {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// A new id, ordered by the time at which it was made.
pub(crate) fn new_uuid(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let nanos = u32::try_from(millis % 1_000 * 1_000_000).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1_000, nanos))
}
