//! Key-value: revisions, conditions, time, and bounds.

use futures::future::join_all;

use super::fixtures::{AT, scope, value, with_tenants};
use super::{Check, Open};
use crate::{Error, Expected, KeyValueQuota, KeyValueWrite, TenantScope};

/// Every write gives a greater revision, also after the key was deleted or has expired.
pub async fn a_revision_never_comes_back(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let kv = store.key_value(&scope);
    let mut seen = Vec::new();
    for round in 0..3 {
        seen.push(kv.write(value("cursor", "1")).await?.ok_or("written")?);
        seen.push(kv.write(value("cursor", "2")).await?.ok_or("written")?);
        let read = kv.get("acme:sync", "cursor", AT).await?.ok_or("it is there")?;
        assert_eq!((read.value.as_slice(), Some(&read.revision)), (&b"2"[..], seen.last()));
        if round == 0 {
            assert!(kv.delete("acme:sync", "cursor").await?);
            assert!(!kv.delete("acme:sync", "cursor").await?);
        } else {
            kv.write(KeyValueWrite { expires_at: Some(AT), ..value("cursor", "3") }).await?;
            assert_eq!(store.platform().purge_expired_values(AT, 10).await?, 1);
        }
        assert_eq!(kv.get("acme:sync", "cursor", AT).await?, None);
    }
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
    let stale = KeyValueWrite { expected: Expected::Revision(1), ..value("cursor", "4") };
    assert_eq!(kv.write(stale).await?, None);
    Ok(())
}

/// Of many who saw the same revision one writes, and the others see that they did not.
pub async fn one_of_many_who_compare_wins(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let kv = store.key_value(&scope);
    let mut expected = Expected::Absent;
    for round in 0..10 {
        let writes = (0..16).map(|_| kv.write(KeyValueWrite { expected, ..value("cursor", "x") }));
        let given: Result<Vec<_>, _> = join_all(writes).await.into_iter().collect();
        let won: Vec<u64> = given?.into_iter().flatten().collect();
        let [revision] = won.as_slice() else { return Err(format!("round {round}: {won:?}").into()) };
        expected = Expected::Revision(*revision);
    }
    Ok(())
}

/// A value is there until its time, and absent from then on, for reads and for conditions.
pub async fn a_value_is_absent_when_its_time_is_over(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let kv = store.key_value(&scope);
    let until = AT.plus_millis(10);
    kv.write(KeyValueWrite { expires_at: Some(until), ..value("lock", "me") }).await?;
    assert!(kv.get("acme:sync", "lock", AT.plus_millis(9)).await?.is_some());
    assert!(kv.get("acme:sync", "lock", until).await?.is_none());
    let take = KeyValueWrite { expected: Expected::Absent, ..value("lock", "you") };
    assert_eq!(kv.write(KeyValueWrite { now: AT.plus_millis(9), ..take.clone() }).await?, None);
    assert!(kv.write(KeyValueWrite { now: until, ..take }).await?.is_some());
    assert_eq!(store.platform().purge_expired_values(AT.plus_millis(1_000), 10).await?, 0);
    assert!(kv.get("acme:sync", "lock", AT.plus_millis(1_000)).await?.is_some(), "it has no end now");
    Ok(())
}

/// Up to the bounds and not beyond them; what has expired makes room; another plugin has its own.
pub async fn a_plugin_keeps_no_more_than_its_quota(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope: TenantScope = scope("t-1");
    let kv = store.key_value(&scope);
    let small = KeyValueQuota { entries_max: 2, bytes_max: 12 };
    let within = |key: &str, text: &str| KeyValueWrite { quota: small, ..value(key, text) };
    kv.write(KeyValueWrite { expires_at: Some(AT.plus_millis(1)), ..within("a", "12345") }).await?;
    kv.write(within("b", "12345")).await?;
    let third = kv.write(within("c", "")).await;
    assert!(matches!(third, Err(Error::OverQuota { used: 2, max: 2, .. })), "{third:?}");
    let longer = kv.write(within("b", "123456")).await;
    assert!(matches!(longer, Err(Error::OverQuota { used: 12, max: 12, .. })), "{longer:?}");
    kv.write(within("b", "54321")).await?;
    let later = KeyValueWrite { now: AT.plus_millis(1), ..within("c", "12345") };
    kv.write(later).await?.ok_or("what has expired is gone")?;
    kv.write(within("c", "1")).await?;
    assert!(kv.write(within("d", "")).await.is_err());
    kv.write(KeyValueWrite { plugin: "acme:other".into(), ..within("d", "") }).await?;
    kv.delete("acme:sync", "b").await?;
    kv.write(within("d", "123")).await?.ok_or("there is room again")?;
    Ok(())
}
