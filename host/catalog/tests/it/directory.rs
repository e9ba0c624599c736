//! What names and digests mean to a tenant.

use std::sync::Arc;

use quantum_catalog::{Directory, Origin};
use quantum_core::id::TenantId;
use quantum_core::port::{ActionDirectory, ActionEntry, Resolution};
use quantum_core::vocabulary::{Signature, Trust};
use serde_json::json;

use crate::support::{World, action, bundled, digest, http_plugin, plugin, world};

impl World {
    fn resolve(&self, name: &str) -> Resolution {
        self.catalog.directory().resolve(self.scope.tenant(), name)
    }

    fn found(&self, name: &str) -> Arc<ActionEntry> {
        found(self.catalog.directory().as_ref(), self.scope.tenant(), name)
    }
}

fn found(directory: &dyn ActionDirectory, tenant: &TenantId, name: &str) -> Arc<ActionEntry> {
    match directory.resolve(tenant, name) {
        Resolution::Found(entry) => entry,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn a_bundled_action_is_found_by_name_alias_and_qualified_name_in_every_tenant() {
    let world = world().await;
    for name in ["http-request", "fetch", "quantum:http/http-request", "quantum:http/fetch"] {
        let entry = world.found(name);
        assert_eq!((entry.manifest.name.as_str(), entry.plugin.as_str()), ("http-request", "quantum:http"));
        assert_eq!((entry.trust, entry.signature), (Trust::Builtin, Signature::Verified));
    }
    let stranger = TenantId::new("nobody").unwrap();
    found(world.catalog.directory().as_ref(), &stranger, "fetch");
    for name in ["", "/", "nothing", "quantum:http", "quantum:http/nothing", "acme:http/fetch"] {
        assert!(matches!(world.resolve(name), Resolution::Unknown), "{name}");
    }
}

#[tokio::test]
async fn two_plugins_with_one_name_need_the_qualified_form() {
    let world = world().await;
    world
        .install(
            plugin(json!({ "id": "acme:web", "actions": [action("fetch", &["get"], "url")] })),
            digest(2),
            &[],
        )
        .await;
    let Resolution::Ambiguous(names) = world.resolve("fetch") else { panic!("{:?}", world.resolve("fetch")) };
    assert_eq!(names, ["acme:web/fetch", "quantum:http/http-request"]);
    assert_eq!(world.found("acme:web/fetch").component, digest(2));
    assert_eq!(world.found("get").component, digest(2));
    assert_eq!(world.catalog.directory().names(world.scope.tenant()), ["get", "http-request"]);
    found(world.catalog.directory().as_ref(), world.other.tenant(), "fetch");
}

#[tokio::test]
async fn an_installation_replaces_the_bundled_plugin_and_what_was_replaced_can_be_pinned() {
    let world = world().await;
    let directory = world.catalog.directory();
    let tenant = world.scope.tenant();
    world.install(http_plugin("2.0.0"), digest(2), &["https://a.example"]).await;
    world.install(http_plugin("3.0.0"), digest(3), &["https://a.example"]).await;
    assert_eq!(world.found("http-request").component, digest(3));
    for number in 1..=3 {
        let entry = directory.pinned(tenant, &digest(number), "http-request").unwrap();
        assert_eq!(entry.component, digest(number));
    }
    assert!(directory.pinned(tenant, &digest(2), "fetch").is_none(), "plans name actions as manifests do");
    assert!(directory.pinned(world.other.tenant(), &digest(2), "http-request").is_none());
    world.catalog.installations(&world.scope).uninstall("quantum:http").await.unwrap();
    assert_eq!(world.found("http-request").component, digest(1));
    assert!(directory.pinned(tenant, &digest(3), "http-request").is_none());
}

#[tokio::test]
async fn a_start_finds_what_was_installed_before() {
    let world = world().await;
    world.install(http_plugin("2.0.0"), digest(2), &["https://a.example"]).await;
    world.install(http_plugin("3.0.0"), digest(3), &["https://b.example"]).await;
    let again = Directory::open(&world.store, bundled()).await.unwrap();
    let tenant = world.scope.tenant();
    let entry = found(&again, tenant, "http-request");
    assert_eq!(*entry.grant.hosts[0].as_str(), *"https://b.example");
    assert_eq!((entry.trust, entry.signature), (Trust::Verified, Signature::Verified));
    assert!(again.pinned(tenant, &digest(2), "http-request").is_some());
    assert_eq!(found(&again, world.other.tenant(), "http-request").component, digest(1));
    let snapshot = again.snapshot();
    let plugins: Vec<_> =
        snapshot.plugins(tenant).iter().map(|p| (p.manifest.version.as_str(), p.active)).collect();
    assert_eq!(plugins, [("3.0.0", true), ("2.0.0", false)]);
    assert_eq!(snapshot.plugins(world.other.tenant())[0].origin, Origin::Bundled);
}

#[tokio::test]
async fn the_revision_changes_for_the_tenant_that_changed() {
    let world = world().await;
    let directory = world.catalog.directory();
    let of = |scope: &quantum_store::TenantScope| directory.revision(scope.tenant());
    let (ours, theirs) = (of(&world.scope), of(&world.other));
    let before = directory.snapshot();
    world.install(http_plugin("2.0.0"), digest(2), &["https://a.example"]).await;
    assert_ne!(of(&world.scope), ours);
    assert_eq!(of(&world.other), theirs);
    assert_eq!(
        found(&before, world.scope.tenant(), "fetch").component,
        digest(1),
        "a snapshot does not change"
    );
}
