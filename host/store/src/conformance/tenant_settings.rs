//! Settings of tenants: one document each, changed by whoever read the latest, known from memory.

use quantum_core::vocabulary::Environment;

use super::fixtures::{AT, hold_changes, intent, intent_uid, principal, scope, version, with_tenants};
use super::{Check, Open};
use crate::{Change, Error, IntentFilter, NewSettings, NewVersion, PageRequest, Store, TenantScope};

fn document(text: &str) -> NewSettings {
    NewSettings { document: text.into(), expected_revision: None, by: principal("alice"), at: AT }
}

/// A tenant without stored settings has the defaults; each change makes the next revision.
pub async fn a_change_is_based_on_the_latest_revision(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (mine, other) = (scope("t-1"), scope("t-2"));
    let settings = store.settings(&mine);
    assert_eq!((settings.in_force().revision, settings.get().await?), (0, None));
    let based = |text, revision| NewSettings { expected_revision: Some(revision), ..document(text) };
    let first = settings.put(based(r#"{"limits":{"weight":2}}"#, 0)).await?;
    assert_eq!((first.revision, first.settings.limits.weight), (1, 2));
    let refused = settings.put(based("{}", 0)).await;
    assert!(matches!(refused, Err(Error::VersionConflict { current: 1 })), "{refused:?}");
    let second = settings.put(based(r#"{"retention":{"archive":true}}"#, 1)).await?;
    assert_eq!((second.revision, second.settings.limits.weight), (2, 1));
    let stored = settings.get().await?.ok_or("it was stored")?;
    assert_eq!((stored.revision, stored.document.as_str()), (2, r#"{"retention":{"archive":true}}"#));
    assert_eq!(store.settings(&other).in_force().revision, 0, "another tenant has its own");
    let stranger = store.settings(&scope("t-9")).put(document("{}")).await;
    assert!(matches!(stranger, Err(Error::NotFound { kind: "tenant", .. })), "{stranger:?}");
    let broken = settings.put(document(r#"{"limits":7}"#)).await;
    assert!(matches!(broken, Err(Error::Corrupt { .. })), "{broken:?}");
    Ok(())
}

/// Memory says what the table says: after a change, after a refused one, after a new start.
pub async fn what_holds_is_known_from_memory(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let one = scope("t-1");
    store.settings(&one).put(document(r#"{"limits":{"weight":7}}"#)).await?;
    let weight = |store: &Store| store.platform().settings_of(one.tenant()).limits.weight;
    assert_eq!(weight(&store), 7);
    let old = NewSettings { expected_revision: Some(0), ..document("{}") };
    assert!(store.settings(&one).put(old).await.is_err());
    assert_eq!(weight(&store), 7, "nothing was changed");
    let held = hold_changes(&store, &one).await;
    let settings = store.settings(&one);
    let mut abandoned = Box::pin(settings.put(document(r#"{"limits":{"weight":8}}"#)));
    assert!(futures::poll!(&mut abandoned).is_pending());
    drop(abandoned);
    drop(held);
    for _ in 0..1_000 {
        // As long as the abandoned one is not done, this waits its turn beside it.
        store.key_value(&one).delete("none", "none").await?;
        if weight(&store) == 8 {
            break;
        }
    }
    assert_eq!(weight(&store), 8, "nobody waited, and it was written all the same");
    store.close().await;
    assert_eq!(weight(&open().await?), 8);
    Ok(())
}

/// A target that means something else now classifies the versions that name it anew, and what lists search by.
pub async fn targets_classify_the_versions_that_name_them(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (mine, other) = (scope("t-1"), scope("t-2"));
    for scope in [&mine, &other] {
        for (number, name, target) in [(1, "eu", "place-eu"), (2, "us", "place-us"), (3, "own", "test")] {
            let class = if target == "test" { Environment::Test } else { Environment::Production };
            let new = crate::NewIntent { version: aimed(target, class), ..intent(number, name) };
            store.intents(scope).create(new, None).await?;
        }
    }
    let all = |environment: &str| format!("eu {environment}, own test, us production");
    assert_eq!(classes(&store, &mine).await?, all("production"));
    store.settings(&mine).put(document(r#"{"targets":{"place-eu":"staging","test":"production"}}"#)).await?;
    assert_eq!(classes(&store, &mine).await?, all("staging"));
    assert_eq!(classes(&store, &other).await?, all("production"), "it is the other tenant's own");
    let stage = IntentFilter { environment: Some(Environment::Staging), ..IntentFilter::default() };
    let found = store.intents(&mine).list(&stage, PageRequest::first(10)).await?;
    assert_eq!(found.items.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["eu"]);
    // Whoever looked the class up before the change writes the one of after it.
    let late = Change { uid: intent_uid(1), expected_revision: None, at: AT, idempotency: None };
    let written = store.intents(&mine).new_version(late, aimed("place-eu", Environment::Production)).await?;
    assert_eq!(written.summary.version.environment, Environment::Staging);
    store.settings(&mine).put(document("{}")).await?;
    assert_eq!(classes(&store, &mine).await?, all("production"));
    Ok(())
}

/// As if the class had been looked up before.
fn aimed(target: &str, environment: Environment) -> NewVersion {
    let definition = serde_json::json!({ "steps": [], "target": target }).to_string();
    NewVersion { definition, environment, ..version("aimed") }
}

/// `name class` of each intent, by name: of the lists and of each one alone, which must agree.
async fn classes(
    store: &Store,
    scope: &TenantScope,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let page = store.intents(scope).list(&IntentFilter::default(), PageRequest::first(10)).await?;
    let mut shown = Vec::new();
    for one in page.items {
        let alone = store.intents(scope).by_name(&one.name).await?.ok_or("it is listed")?;
        assert_eq!(alone.summary.version.environment, one.version.environment);
        let filter = IntentFilter { environment: Some(one.version.environment), ..IntentFilter::default() };
        let found = store.intents(scope).list(&filter, PageRequest::first(10)).await?;
        assert!(found.items.iter().any(|found| found.uid == one.uid), "the filter finds {}", one.name);
        shown.push(format!("{} {}", one.name, one.version.environment));
    }
    shown.sort();
    Ok(shown.join(", "))
}
