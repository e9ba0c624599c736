//! What one tenant can use: its own installations, and the bundled plugins that none of them replaces.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use quantum_core::id::Digest;
use quantum_core::port::{ActionEntry, Resolution};

use super::plugin::{InstalledPlugin, names};
use super::schemas::Schemas;

/// A plugin with its actions compiled.
#[derive(Debug)]
pub(super) struct Loaded {
    pub plugin: Arc<InstalledPlugin>,
    entries: Vec<Arc<ActionEntry>>,
    /// Held, so that the next tenant that installs the component finds it.
    _schemas: Arc<Schemas>,
}

impl Loaded {
    pub fn new(plugin: InstalledPlugin, schemas: Arc<Schemas>) -> Self {
        let entries = plugin.entries(&schemas);
        Self { plugin: Arc::new(plugin), entries, _schemas: schemas }
    }
}

/// Indexes over the plugins that a tenant sees. Never changed: a change makes a new one.
#[derive(Debug)]
pub(super) struct Offer {
    pub revision: u64,
    /// By id, then the active version first.
    plugins: Vec<Arc<InstalledPlugin>>,
    in_force: HashMap<String, Arc<Loaded>>,
    by_name: HashMap<String, Vec<Arc<ActionEntry>>>,
    pinned: HashMap<Digest, Vec<Arc<ActionEntry>>>,
}

impl Offer {
    /// The tenant's active version of a plugin replaces the bundled one; what is replaced can still be pinned.
    pub fn new(revision: u64, bundled: &[Arc<Loaded>], own: &[Arc<Loaded>]) -> Self {
        let active = own.iter().filter(|loaded| loaded.plugin.active);
        let mut in_force: HashMap<String, Arc<Loaded>> = HashMap::new();
        for loaded in bundled.iter().chain(active) {
            in_force.insert(loaded.plugin.id().to_owned(), Arc::clone(loaded));
        }
        let standing =
            bundled.iter().filter(|b| in_force.get(b.plugin.id()).is_some_and(|f| Arc::ptr_eq(f, b)));
        let mut plugins: Vec<_> =
            own.iter().chain(standing).map(|loaded| Arc::clone(&loaded.plugin)).collect();
        plugins.sort_by(|a, b| {
            (a.id(), !a.active, &a.manifest.version).cmp(&(b.id(), !b.active, &b.manifest.version))
        });
        let by_name = index_names(in_force.values());
        Self { revision, plugins, in_force, by_name, pinned: index_components(own.iter().chain(bundled)) }
    }

    pub fn plugins(&self) -> &[Arc<InstalledPlugin>] {
        &self.plugins
    }

    /// The version of the plugin that names resolve to.
    pub fn plugin(&self, id: &str) -> Option<&Arc<InstalledPlugin>> {
        self.in_force.get(id).map(|loaded| &loaded.plugin)
    }

    pub fn resolve(&self, name: &str) -> Resolution {
        if let Some((plugin, action)) = name.rsplit_once('/') {
            let entries =
                self.in_force.get(plugin).map(|loaded| loaded.entries.as_slice()).unwrap_or_default();
            let found = entries.iter().find(|entry| names(&entry.manifest).any(|known| known == action));
            return found.map_or(Resolution::Unknown, |entry| Resolution::Found(Arc::clone(entry)));
        }
        match self.by_name.get(name).map(Vec::as_slice) {
            None | Some([]) => Resolution::Unknown,
            Some([only]) => Resolution::Found(Arc::clone(only)),
            Some(several) => Resolution::Ambiguous(several.iter().map(|entry| qualified(entry)).collect()),
        }
    }

    pub fn pinned(&self, component: &Digest, action: &str) -> Option<Arc<ActionEntry>> {
        self.pinned.get(component)?.iter().find(|entry| entry.manifest.name == action).cloned()
    }

    /// Sorted.
    pub fn names(&self) -> Vec<String> {
        let resolving = self.by_name.iter().filter(|(_, entries)| entries.len() == 1);
        let names: BTreeSet<&String> = resolving.map(|(name, _)| name).collect();
        names.into_iter().cloned().collect()
    }
}

fn index_names<'a>(loaded: impl Iterator<Item = &'a Arc<Loaded>>) -> HashMap<String, Vec<Arc<ActionEntry>>> {
    let mut index: HashMap<String, Vec<Arc<ActionEntry>>> = HashMap::new();
    for entry in loaded.flat_map(|loaded| &loaded.entries) {
        for name in names(&entry.manifest) {
            index.entry(name.clone()).or_default().push(Arc::clone(entry));
        }
    }
    for entries in index.values_mut() {
        entries.sort_by_cached_key(|entry| qualified(entry));
    }
    index
}

/// The first one wins, so the tenant's own come before the bundled: with the same component they have another grant.
fn index_components<'a>(
    loaded: impl Iterator<Item = &'a Arc<Loaded>>,
) -> HashMap<Digest, Vec<Arc<ActionEntry>>> {
    let mut index: HashMap<Digest, Vec<Arc<ActionEntry>>> = HashMap::new();
    for loaded in loaded {
        index.entry(loaded.plugin.component.clone()).or_insert_with(|| loaded.entries.clone());
    }
    index
}

fn qualified(entry: &ActionEntry) -> String {
    format!("{}/{}", entry.plugin, entry.manifest.name)
}
