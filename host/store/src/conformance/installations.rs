//! Installations: one active version a plugin, earlier ones kept.

use quantum_core::vocabulary::{Signature, Trust};

use super::fixtures::{AT, principal, scope, with_tenants};
use super::{Check, Open};
use crate::{Blobs, Error, Installation, TenantScope};

/// Installing a newer version makes it the active one, and keeps the older for executions that are pinned to it.
pub async fn the_newest_installation_is_active(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let scope = scope("t-1");
    let installations = store.installations(&scope);
    let (old, new) = (installation(&scope, "1.0.0"), installation(&scope, "1.1.0"));
    installations.upsert(old.clone()).await?;
    assert_eq!(installations.get("quantum:http").await?, Some(old.clone()));
    installations.upsert(new.clone()).await?;
    assert_eq!(installations.get("quantum:http").await?, Some(new.clone()));
    let kept = Installation { active: false, ..old.clone() };
    assert_eq!(installations.list().await?, [kept.clone(), new.clone()]);
    assert_eq!(store.platform().installations().await?, [kept, new]);
    let other = store.installations(&super::scope("t-2")).upsert(old).await;
    assert!(matches!(other, Err(Error::ForeignRow { .. })), "{other:?}");
    assert!(!store.installations(&super::scope("t-2")).remove("quantum:http").await?);
    assert!(installations.remove("quantum:http").await?);
    assert!(installations.list().await?.is_empty());
    Ok(())
}

pub(super) fn installation(scope: &TenantScope, version: &str) -> Installation {
    Installation {
        tenant: scope.tenant().clone(),
        plugin: "quantum:http".into(),
        version: version.into(),
        component: Blobs::digest(version.as_bytes()),
        manifest: "{}".into(),
        consent: r#"{"capabilities":["http"]}"#.into(),
        settings: "{}".into(),
        trust: Trust::Builtin,
        signature: Signature::None,
        installed_by: principal("operator"),
        installed_at: AT,
        active: true,
    }
}
