//! Artifacts: names that hold content, bounds, and what is swept when.

use quantum_core::id::Digest;
use quantum_core::time::Timestamp;

use super::fixtures::{AT, artifact, create, execution_id, scope, with_tenants};
use super::{Check, Open};
use crate::{
    ArtifactFilter, ArtifactQuota, Blobs, Error, Holder, NewArtifact, PageRequest, Store, TenantScope, Usage,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A name holds the last content that it was given. What it held before stays in an execution under its digest, and
/// is released by the tenant.
pub async fn a_name_is_moved_to_new_content(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let artifacts = store.artifacts(&scope);
    let run = Holder::Execution(execution_id(1));
    for holder in [run, Holder::Tenant] {
        artifacts.record(artifact("old", holder, Some("app"))).await?;
        artifacts.record(artifact("new", holder, Some("app"))).await?;
        let found = artifacts.by_name(holder, "app").await?.ok_or("it has a name")?;
        assert_eq!((found.digest, found.bytes), (digest("new"), 3));
    }
    assert_eq!(names(&store, &scope, run).await?, ["app".to_owned(), digest("old").to_string()]);
    assert_eq!(names(&store, &scope, Holder::Tenant).await?, ["app"]);
    artifacts.remove_name(run, digest("old").as_str(), AT).await?;
    assert_eq!(store.platform().purge_unheld_artifacts(AT, 10).await?, 1, "the old one");
    assert!(artifacts.get(&digest("old")).await?.is_none());
    assert!(artifacts.get(&digest("new")).await?.is_some());
    Ok(())
}

/// Without a name it is held under its digest; content is one artifact, under however many names, and its media type
/// the one that was said last.
pub async fn the_same_content_is_one_artifact(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let artifacts = store.artifacts(&scope);
    let named = artifact("tar", Holder::Tenant, Some("app"));
    artifacts.record(NewArtifact { media_type: Some("application/x-tar".into()), ..named }).await?;
    let again = artifacts.record(artifact("tar", Holder::Tenant, None)).await?;
    assert_eq!(again.media_type.as_deref(), Some("application/x-tar"));
    assert_eq!(names(&store, &scope, Holder::Tenant).await?, ["app", digest("tar").as_str()]);
    assert_eq!(artifacts.usage().await?, Usage { artifacts: 1, bytes: 3 });
    assert!(artifacts.remove_name(Holder::Tenant, "app", AT).await?);
    assert!(!artifacts.remove_name(Holder::Tenant, "app", AT).await?, "it is gone");
    assert_eq!(store.platform().purge_unheld_artifacts(AT, 10).await?, 0, "its digest holds it");
    Ok(())
}

/// Lists are by name, by prefix, page by page, of one holder.
pub async fn names_are_listed_by_holder_and_prefix(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let artifacts = store.artifacts(&scope);
    for name in ["./app", "a", "a/1", "a/2", "a/ü", "b"] {
        artifacts.record(artifact(name, Holder::Tenant, Some(name))).await?;
    }
    artifacts.record(artifact("a/1", Holder::Execution(execution_id(1)), Some("a/9"))).await?;
    let filter = ArtifactFilter { holder: Holder::Tenant, prefix: Some("a/".into()) };
    let first = artifacts.list(&filter, PageRequest::first(2)).await?;
    let rest = artifacts.list(&filter, PageRequest { limit: 2, after: first.next.clone() }).await?;
    let found: Vec<_> = first.items.iter().chain(&rest.items).map(|item| item.name.as_str()).collect();
    assert_eq!((found, rest.next), (vec!["a/1", "a/2", "a/ü"], None));
    assert_eq!(names(&store, &scope, Holder::Tenant).await?, ["./app", "a", "a/1", "a/2", "a/ü", "b"]);
    assert_eq!(names(&store, &scope, Holder::Execution(execution_id(1))).await?, ["a/9"]);
    Ok(())
}

/// Up to the bound and not beyond it; what nothing holds makes room.
pub async fn a_tenant_keeps_no_more_than_its_quota(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let scope = scope("t-1");
    let artifacts = store.artifacts(&scope);
    let small = ArtifactQuota { bytes_max: 6, artifacts_max: 10, names_max: 3 };
    let within = |text, name| NewArtifact { quota: small, ..artifact(text, Holder::Tenant, Some(name)) };
    artifacts.record(within("one", "1")).await?;
    artifacts.record(within("two", "2")).await?;
    let said = artifacts.check(&within("3", "3")).await;
    assert!(matches!(said, Err(Error::OverQuota { used: 6, max: 6, .. })), "{said:?}");
    let over = artifacts.record(within("3", "3")).await;
    assert!(matches!(over, Err(Error::OverQuota { used: 6, max: 6, .. })), "{over:?}");
    assert_eq!(artifacts.usage().await?, Usage { artifacts: 2, bytes: 6 });
    artifacts.record(within("two", "3")).await?;
    assert!(artifacts.check(&within("two", "4")).await.is_err());
    let named = artifacts.record(within("two", "4")).await;
    assert!(matches!(named, Err(Error::OverQuota { used: 3, max: 3, .. })), "{named:?}");
    artifacts.record(within("two", "3")).await?;
    artifacts.remove_name(Holder::Tenant, "1", AT).await?;
    artifacts.check(&within("six", "1")).await?;
    artifacts.record(within("six", "1")).await?;
    assert_eq!(artifacts.usage().await?, Usage { artifacts: 2, bytes: 6 });
    let many = ArtifactQuota { bytes_max: 100, artifacts_max: 2, names_max: 10 };
    let over = artifacts.record(NewArtifact { quota: many, ..within("7", "7") }).await;
    assert!(matches!(over, Err(Error::OverQuota { used: 2, max: 2, .. })), "{over:?}");
    let twin = super::scope("t-2");
    store.artifacts(&twin).record(within("one", "1")).await?;
    assert_eq!(store.artifacts(&twin).usage().await?, Usage { artifacts: 1, bytes: 3 });
    Ok(())
}

/// A name whose execution is not there goes; then what it held, unless the tenant names it too.
pub async fn names_without_an_execution_go(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    store.journal().commit(create(&scope, 2)).await?;
    let artifacts = store.artifacts(&scope);
    artifacts.record(artifact("kept", Holder::Tenant, Some("kept"))).await?;
    for (text, execution) in [("kept", 1), ("gone", 1), ("open", 2)] {
        artifacts.record(artifact(text, Holder::Execution(execution_id(execution)), Some(text))).await?;
    }
    let purge = async |given: Timestamp| {
        store.platform().purge_orphaned_names(given, AT.plus_millis(DAY_MS), 10).await
    };
    assert_eq!(purge(Timestamp::from_millis(AT.as_millis() - 1)).await?, 0, "they are younger");
    assert_eq!(purge(AT).await?, 2);
    assert_eq!(purge(AT.plus_millis(DAY_MS)).await?, 0, "the other one is there");
    assert_eq!(store.platform().purge_unheld_artifacts(AT.plus_millis(DAY_MS - 1), 10).await?, 0);
    assert_eq!(store.platform().purge_unheld_artifacts(AT.plus_millis(DAY_MS), 10).await?, 1);
    assert!(artifacts.get(&digest("gone")).await?.is_none());
    let all = ["kept", "gone", "open"].map(digest).to_vec();
    assert_eq!(store.platform().unknown_artifacts(all).await?, [digest("gone")]);
    assert_eq!(artifacts.usage().await?, Usage { artifacts: 2, bytes: 8 });
    Ok(())
}

fn digest(text: &str) -> Digest {
    Blobs::digest(text.as_bytes())
}

async fn names(store: &Store, scope: &TenantScope, holder: Holder) -> Result<Vec<String>, Error> {
    let filter = ArtifactFilter { holder, prefix: None };
    let page = store.artifacts(scope).list(&filter, PageRequest::first(10)).await?;
    Ok(page.items.into_iter().map(|item| item.name).collect())
}
