//! Compiles what tenants have installed before a step waits for it: after an upgrade of the host nothing is compiled any
//! more, and what was installed at another node never was. Compilers stand behind steps in the queue for processors.

use std::collections::HashSet;

use quantum_api::Services;
use quantum_catalog::{InstalledPlugin, Origin};
use quantum_core::id::TenantId;
use quantum_store::TenantScope;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

/// `tenants`: who has installed something.
pub(crate) async fn warm(
    services: Services,
    mut tenants: UnboundedReceiver<TenantId>,
    closing: CancellationToken,
) {
    let warming = async {
        while let Some(tenant) = tenants.recv().await {
            warm_tenant(&services, &tenant).await;
        }
    };
    tokio::select! {
        () = warming => {}
        () = closing.cancelled() => {}
    }
}

async fn warm_tenant(services: &Services, tenant: &TenantId) {
    let scope = TenantScope::operator(tenant.clone());
    let plugins = match services.catalog.installations(&scope).list().await {
        Ok(plugins) => plugins,
        Err(error) => {
            tracing::warn!(%tenant, error = %crate::chain(&error), "what is installed is compiled when it is used");
            return;
        }
    };
    // Those that come with the host were compiled when it started.
    let mut seen = HashSet::new();
    let own = plugins.iter().filter(|plugin| plugin.origin != Origin::Bundled);
    for plugin in own.filter(|plugin| seen.insert(&plugin.component)) {
        warm_plugin(services, tenant, plugin).await;
    }
}

async fn warm_plugin(services: &Services, tenant: &TenantId, plugin: &InstalledPlugin) {
    if let Err(error) = services.sandbox.prepare(&plugin.component).await {
        let (plugin, version) = (plugin.id(), &plugin.manifest.version);
        tracing::warn!(%tenant, plugin, %version, "an installed plugin cannot be run: {error}");
    }
}
