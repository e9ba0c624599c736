//! Secrets: rows of ciphertext, and the keys that they are under.

use quantum_core::vocabulary::Environment;

use super::fixtures::{AT, principal, scope, sealed, secret, tenant_key, with_tenants};
use super::{Check, Open};
use crate::{Error, PageRequest, SecretRow};

/// One row a name and environment; a new value is a new version, and keeps who made it first.
pub async fn a_secret_has_one_row_an_environment(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let secrets = store.secrets(&scope);
    let early = secrets.put(secret("t-1", "TOKEN", Environment::Test), sealed(1, "a"), 10).await;
    assert!(matches!(early, Err(Error::NotFound { kind: "tenant key", .. })), "{early:?}");
    secrets.add_key(tenant_key("t-1", 1, "first")).await?;
    for environment in [Environment::Test, Environment::Production] {
        let first = secrets.put(secret("t-1", "TOKEN", environment), sealed(1, "a"), 10).await?;
        assert_eq!((first.version, first.created_at), (1, AT));
    }
    let later = AT.plus_millis(5);
    let change = SecretRow {
        updated_at: later,
        updated_by: principal("bob"),
        hosts: "[]".into(),
        ..secret("t-1", "TOKEN", Environment::Test)
    };
    let second = secrets.put(change.clone(), sealed(1, "b"), 10).await?;
    assert_eq!(second, SecretRow { version: 2, ..change });
    let found = secrets.get("TOKEN", Environment::Test).await?.ok_or("it is there")?;
    assert_eq!(found.key, tenant_key("t-1", 1, "first"));
    assert_eq!((found.row, found.sealed), (second, sealed(1, "b")));
    assert_eq!(secrets.environments("TOKEN").await?.len(), 2);
    assert!(secrets.remove("TOKEN", Environment::Test).await?);
    assert!(!secrets.remove("TOKEN", Environment::Test).await?);
    assert_eq!(secrets.environments("TOKEN").await?, [Environment::Production]);
    Ok(())
}

/// By name and environment, page by page, and no more of them than the bound.
pub async fn secrets_are_listed_and_bounded(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let secrets = store.secrets(&scope);
    secrets.add_key(tenant_key("t-1", 1, "first")).await?;
    for (name, environment) in
        [("B", Environment::Test), ("A", Environment::Test), ("A", Environment::Staging)]
    {
        secrets.put(secret("t-1", name, environment), sealed(1, "a"), 3).await?;
    }
    let over = secrets.put(secret("t-1", "C", Environment::Test), sealed(1, "a"), 3).await;
    assert!(matches!(over, Err(Error::OverQuota { used: 3, max: 3, .. })), "{over:?}");
    secrets.put(secret("t-1", "A", Environment::Test), sealed(1, "b"), 3).await?;
    let first = secrets.list(PageRequest::first(2)).await?;
    let rest = secrets.list(PageRequest { limit: 2, after: first.next.clone() }).await?;
    let all = first.items.iter().chain(&rest.items);
    let found: Vec<_> = all.map(|row| format!("{} {}", row.name, row.environment)).collect();
    assert_eq!((found, rest.next), (["A staging", "A test", "B test"].map(str::to_owned).to_vec(), None));
    let wrong = secrets.list(PageRequest { limit: 2, after: Some("A".into()) }).await;
    assert!(matches!(wrong, Err(Error::Cursor { .. })), "{wrong:?}");
    Ok(())
}

/// The first of several who make a key wins; a key goes when no secret needs it; and a value that was written
/// meanwhile is not overwritten by the old one under a new key.
pub async fn keys_are_replaced_without_losing_a_value(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let scope = scope("t-1");
    let secrets = store.secrets(&scope);
    assert_eq!(secrets.current_key().await?, None);
    let first = secrets.add_key(tenant_key("t-1", 1, "first")).await?;
    assert_eq!(secrets.add_key(tenant_key("t-1", 1, "late")).await?, first);
    assert!(matches!(secrets.add_key(tenant_key("t-2", 2, "x")).await, Err(Error::ForeignRow { .. })));
    let old = secrets.put(secret("t-1", "TOKEN", Environment::Test), sealed(1, "a"), 10).await?;
    let second = secrets.add_key(tenant_key("t-1", 2, "second")).await?;
    assert_eq!(secrets.current_key().await?, Some(second));
    assert_eq!(secrets.drop_keys(2).await?, 0, "a secret needs it");
    let [found] = secrets.older(2, 10).await?.try_into().map_err(|_| "one")?;
    assert_eq!((found.row.clone(), found.key), (old, first));
    secrets.put(secret("t-1", "TOKEN", Environment::Test), sealed(1, "b"), 10).await?;
    assert!(!secrets.reseal(&found.row, sealed(2, "a")).await?, "it was written meanwhile");
    let [found] = secrets.older(2, 10).await?.try_into().map_err(|_| "one")?;
    assert!(secrets.reseal(&found.row, sealed(2, "b")).await?);
    assert!(secrets.older(2, 10).await?.is_empty());
    assert_eq!(secrets.drop_keys(2).await?, 1);
    assert!(matches!(secrets.key(1).await, Err(Error::NotFound { .. })));
    assert_eq!(secrets.get("TOKEN", Environment::Test).await?.map(|it| it.sealed), Some(sealed(2, "b")));
    assert_eq!(store.platform().master_keys().await?, ["second"]);
    Ok(())
}
