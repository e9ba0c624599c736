//! Blueprints: one row a revision, and none that comes back.

use quantum_core::id::IntentName;

use super::fixtures::{AT, principal, scope, with_tenants};
use super::{Check, Open};
use crate::{BlueprintChange, Error, PageRequest};

pub(super) fn change(name: &str, based_on: u64, document: Option<&str>) -> BlueprintChange {
    BlueprintChange {
        name: IntentName::new(name).expect("an intent name"),
        based_on,
        description: document.unwrap_or_default().to_owned(),
        document: document.map(|text| format!("{{\"about\":\"{text}\"}}")),
        by: principal("alice"),
        at: AT,
    }
}

/// Each change is read back, whichever came after it; a removal is a revision too, and numbers go on behind it.
pub async fn every_change_is_a_revision(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let blueprints = store.blueprints(&scope);
    let name = change("deploy", 0, None).name;
    assert_eq!(blueprints.newest(&name).await?, None);
    for (based_on, document) in [(0, Some("a")), (1, Some("b")), (2, None), (3, Some("c"))] {
        let written = blueprints.write(change("deploy", based_on, document)).await?;
        assert_eq!(written.revision, based_on + 1);
        let newest = blueprints.newest(&name).await?.ok_or("it was written")?;
        assert_eq!(newest.summary, written);
        assert_eq!(newest.document, change("deploy", based_on, document).document);
    }
    let second = blueprints.revision(&name, 2).await?.ok_or("revisions stay")?;
    assert_eq!(second.document.as_deref(), Some("{\"about\":\"b\"}"));
    assert_eq!(blueprints.revision(&name, 3).await?.map(|it| it.document), Some(None));
    assert_eq!(blueprints.revision(&name, 5).await?, None);
    Ok(())
}

/// Of those who decided on the same revision one wins, the first of all included.
pub async fn a_change_that_is_based_on_an_old_revision_is_refused(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let blueprints = store.blueprints(&scope);
    for current in [0, 1] {
        let racing = (0..20).map(|_| blueprints.write(change("deploy", current, Some("a"))));
        let outcomes = futures::future::join_all(racing).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let lost = |outcome: &&Result<_, Error>| matches!(outcome, Err(Error::VersionConflict { current: now }) if *now == current + 1);
        assert_eq!(outcomes.iter().filter(lost).count(), 19, "{outcomes:?}");
    }
    let stranger = super::scope("t-none");
    let nowhere = store.blueprints(&stranger).write(change("deploy", 0, Some("a"))).await;
    assert!(matches!(nowhere, Err(Error::NotFound { kind: "tenant", .. })), "{nowhere:?}");
    Ok(())
}

/// By name, page by page, with the newest revision each, and without those that were removed.
pub async fn blueprints_are_listed_with_their_newest_revision(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (scope, other) = (scope("t-1"), scope("t-2"));
    let blueprints = store.blueprints(&scope);
    for name in ["c", "a", "b", "d"] {
        blueprints.write(change(name, 0, Some("first"))).await?;
    }
    blueprints.write(change("a", 1, Some("second"))).await?;
    blueprints.write(change("b", 1, None)).await?;
    store.blueprints(&other).write(change("e", 0, Some("theirs"))).await?;
    let first = blueprints.list(PageRequest::first(2)).await?;
    let rest = blueprints.list(PageRequest { limit: 2, after: first.next.clone() }).await?;
    let all = first.items.iter().chain(&rest.items);
    let found: Vec<_> = all.map(|it| format!("{} {} {}", it.name, it.revision, it.description)).collect();
    assert_eq!(found, ["a 2 second", "c 1 first", "d 1 first"]);
    assert_eq!(rest.next, None);
    let name = change("e", 0, None).name;
    assert_eq!(blueprints.newest(&name).await?, None, "it is another tenant's");
    Ok(())
}
