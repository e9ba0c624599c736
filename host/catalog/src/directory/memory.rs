//! The directory itself: the offers of all tenants behind one pointer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use quantum_core::id::{Digest, TenantId};
use quantum_core::port::{ActionDirectory, ActionEntry, Resolution};
use quantum_core::vocabulary::Trust;
use quantum_store::{Installation, Store};

use super::offer::{Loaded, Offer};
use super::plugin::{Bundled, InstalledPlugin};
use super::schemas::SchemaCache;
use crate::Error;

/// Finds actions and plugins by tenant. Filled at start, and again for a tenant whenever it installs or uninstalls.
#[derive(Debug)]
pub struct Directory {
    state: ArcSwap<State>,
    bundled: Vec<Arc<Loaded>>,
    writing: Mutex<Writing>,
}

/// The directory at one moment. It never changes, so what is built from it fits together.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<State>);

#[derive(Debug)]
struct State {
    /// For tenants that installed nothing.
    bundled: Arc<Offer>,
    tenants: HashMap<TenantId, Arc<Offer>>,
}

#[derive(Debug, Default)]
struct Writing {
    revision: u64,
    schemas: SchemaCache,
}

impl Directory {
    /// Reads the installations of all tenants. Err: `InvalidManifest` when a bundled plugin's schemas do not compile.
    pub async fn open(store: &Store, bundled: Vec<Bundled>) -> Result<Self, Error> {
        let mut writing = Writing::default();
        let mut loaded = Vec::new();
        for plugin in bundled {
            let plugin = InstalledPlugin::bundled(plugin);
            let made = writing.load(plugin).map_err(|findings| Error::InvalidManifest { findings })?;
            loaded.push(Arc::new(made));
        }
        let mut rows: HashMap<TenantId, Vec<Installation>> = HashMap::new();
        for row in store.platform().installations().await? {
            rows.entry(row.tenant.clone()).or_default().push(row);
        }
        let none = Arc::new(writing.offer(&loaded, Vec::new()));
        let tenants = rows.into_iter().map(|(tenant, rows)| (tenant, Arc::new(writing.offer(&loaded, rows))));
        let state = State { bundled: none, tenants: tenants.collect() };
        Ok(Self { state: ArcSwap::from_pointee(state), bundled: loaded, writing: Mutex::new(writing) })
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.state.load_full())
    }

    /// Changes whenever a name may mean something else to the tenant.
    pub fn revision(&self, tenant: &TenantId) -> u64 {
        self.state.load().offer(tenant).revision
    }

    /// Puts what the tenant has installed in the place of what was known.
    pub(crate) fn put(&self, tenant: &TenantId, rows: Vec<Installation>) {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let offer = Arc::new(writing.offer(&self.bundled, rows));
        let before = self.state.load_full();
        let mut tenants = before.tenants.clone();
        tenants.insert(tenant.clone(), offer);
        self.state.store(Arc::new(State { bundled: Arc::clone(&before.bundled), tenants }));
        writing.schemas.prune();
    }
}

impl State {
    fn offer(&self, tenant: &TenantId) -> &Offer {
        self.tenants.get(tenant).unwrap_or(&self.bundled)
    }
}

impl Writing {
    fn load(&mut self, plugin: InstalledPlugin) -> Result<Loaded, Vec<quantum_core::problem::Finding>> {
        let schemas = self.schemas.get(&plugin.manifest, &plugin.component)?;
        Ok(Loaded::new(plugin, schemas))
    }

    /// A row that cannot be read is told to the operator and left out: the others must work.
    fn offer(&mut self, bundled: &[Arc<Loaded>], rows: Vec<Installation>) -> Offer {
        let own: Vec<_> = rows.into_iter().filter_map(|row| self.load_row(row)).collect();
        self.revision += 1;
        Offer::new(self.revision, bundled, &own)
    }

    fn load_row(&mut self, row: Installation) -> Option<Arc<Loaded>> {
        let (tenant, plugin, version) = (row.tenant.clone(), row.plugin.clone(), row.version.clone());
        let told = |error: &dyn std::fmt::Debug| {
            tracing::error!(%tenant, plugin, version, ?error, "an installation cannot be read; its actions are missing");
        };
        let read = InstalledPlugin::read(row).map_err(|error| told(&error)).ok()?;
        self.load(read).map_err(|findings| told(&findings)).ok().map(Arc::new)
    }
}

impl Snapshot {
    pub fn revision(&self, tenant: &TenantId) -> u64 {
        self.0.offer(tenant).revision
    }

    /// Bundled ones too, unless the tenant replaced them; earlier versions are not active.
    pub fn plugins(&self, tenant: &TenantId) -> &[Arc<InstalledPlugin>] {
        self.0.offer(tenant).plugins()
    }

    /// The trust in a component that comes with the host; none when it does not.
    pub(crate) fn bundled_trust(&self, id: &str, component: &Digest) -> Option<Trust> {
        let bundled = self.0.bundled.plugin(id)?;
        (bundled.component == *component).then_some(bundled.trust)
    }

    /// The version of the plugin that names resolve to.
    pub fn plugin(&self, tenant: &TenantId, id: &str) -> Option<&Arc<InstalledPlugin>> {
        self.0.offer(tenant).plugin(id)
    }
}

impl ActionDirectory for Snapshot {
    fn resolve(&self, tenant: &TenantId, name: &str) -> Resolution {
        self.0.offer(tenant).resolve(name)
    }

    fn pinned(&self, tenant: &TenantId, component: &Digest, action: &str) -> Option<Arc<ActionEntry>> {
        self.0.offer(tenant).pinned(component, action)
    }

    fn names(&self, tenant: &TenantId) -> Vec<String> {
        self.0.offer(tenant).names()
    }
}

impl ActionDirectory for Directory {
    fn resolve(&self, tenant: &TenantId, name: &str) -> Resolution {
        self.state.load().offer(tenant).resolve(name)
    }

    fn pinned(&self, tenant: &TenantId, component: &Digest, action: &str) -> Option<Arc<ActionEntry>> {
        self.state.load().offer(tenant).pinned(component, action)
    }

    fn names(&self, tenant: &TenantId) -> Vec<String> {
        self.state.load().offer(tenant).names()
    }
}
