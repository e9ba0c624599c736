//! From a name to addresses.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quantum_core::id::TenantId;
use quantum_core::port::BoxFuture;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime_wasi_http::Error;

use super::limits::{ADDRESSES_MAX, LOOKUPS_MAX, LOOKUPS_PER_TENANT_MAX};
use super::target::Target;

/// Tenants whose lookups are counted, before those that look nothing up are forgotten.
const TENANTS_KEPT: usize = 1_024;

/// Knows the addresses of names. Asked anew for each request, and once for each.
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// In the order in which they are to be tried. Err: the name does not resolve.
    fn lookup(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's own. Odd spellings such as `0x7f.1` or `2130706433` are addresses to it, and are classified as what it
/// makes of them.
#[derive(Debug, Clone, Copy)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.map(|socket| socket.ip()).collect())
        })
    }
}

/// The lookups of all attempts: bounded for each tenant and in all, since the system's cannot be called off.
pub(crate) struct Names {
    resolver: Arc<dyn Resolver>,
    all: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

impl Names {
    pub fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver, all: Arc::new(Semaphore::new(LOOKUPS_MAX)), tenants: Mutex::default() }
    }

    /// A name that changes its address is checked with the new one.
    pub async fn resolve(
        &self,
        tenant: &TenantId,
        target: &Target,
        time_max: Duration,
    ) -> Result<Vec<IpAddr>, Error> {
        if let Ok(address) = target.host.parse() {
            return Ok(vec![address]);
        }
        let found = timeout(time_max, self.lookup(tenant, target)).await.map_err(|_| Error::DnsTimeout)?;
        let unknown =
            |_| Error::DnsError { rcode: Some("the name does not resolve".to_owned()), info_code: None };
        let mut addresses = Vec::new();
        for address in found.map_err(unknown)?.into_iter().take(ADDRESSES_MAX) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    async fn lookup(&self, tenant: &TenantId, target: &Target) -> io::Result<Vec<IpAddr>> {
        let closed = |_| io::Error::other("the host stops");
        let own = self.of(tenant).acquire_owned().await.map_err(closed)?;
        let place = self.all.clone().acquire_owned().await.map_err(closed)?;
        let lookup = self.resolver.lookup(target.host.clone(), target.port);
        // On its own, so that its places are taken for as long as it really runs.
        let running = tokio::spawn(async move {
            let _held = (own, place);
            lookup.await
        });
        running.await.map_err(io::Error::other)?
    }

    fn of(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= TENANTS_KEPT {
            tenants.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = tenants.entry(tenant.clone());
        places.or_insert_with(|| Arc::new(Semaphore::new(LOOKUPS_PER_TENANT_MAX))).clone()
    }
}
