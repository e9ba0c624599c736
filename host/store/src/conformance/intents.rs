//! Intents: versions, conditions, and search.

use std::collections::BTreeMap;

use quantum_core::vocabulary::{Environment, IntentStatus, VersionStatus};

use super::fixtures::{AT, intent, intent_uid, scope, version, with_tenants};
use super::{Check, Open};
use crate::{Change, CreateOutcome, Error, IntentFilter, NewVersion, PageRequest, Store, TenantScope};

/// A name belongs to one intent, however many ask for it at once.
pub async fn a_name_is_given_once(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let intents = store.intents(&scope);
    let asked =
        futures::future::join_all((1..=10).map(|number| intents.create(intent(number, "web"), None))).await;
    let created = asked.iter().filter(|outcome| matches!(outcome, Ok(CreateOutcome::Created(_)))).count();
    let exists = asked.iter().filter(|outcome| matches!(outcome, Ok(CreateOutcome::Exists(_)))).count();
    assert_eq!((created, exists), (1, 9), "{asked:?}");
    Ok(())
}

/// One version is active; a draft is not; an older one can become active again.
pub async fn one_version_is_active(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let intents = store.intents(&scope);
    intents.create(intent(1, "web"), None).await?;
    intents.new_version(change(None), version("second")).await?;
    let draft = NewVersion { draft: true, ..version("third") };
    let record = intents.new_version(change(None), draft).await?;
    assert_eq!((record.summary.active_version, record.summary.latest_version), (Some(2), 3));
    assert_eq!(record.summary.version.description, "second", "the active one is shown");
    assert_eq!(statuses(&store, &scope).await?, [(3, VersionStatus::Draft), (2, ACTIVE), (1, SUPERSEDED)]);
    let record = intents.activate(change(None), 1).await?;
    assert_eq!(record.summary.version.number, 1);
    assert!(record.definition.contains("first"));
    assert_eq!(statuses(&store, &scope).await?, [(3, VersionStatus::Draft), (2, SUPERSEDED), (1, ACTIVE)]);
    let name = intent(1, "web").name;
    let third = intents.version(&name, 3).await?.ok_or("version 3 is stored")?;
    assert_eq!(third.summary.version.status, VersionStatus::Draft);
    assert_eq!(intents.version(&name, 4).await?, None);
    let missing = intents.activate(change(None), 9).await;
    assert!(matches!(missing, Err(Error::NotFound { kind: "version", .. })), "{missing:?}");
    assert_eq!(intents.by_name(&name).await?, Some(record), "a refused activation changes nothing");
    Ok(())
}

/// Every change moves the revision on, and one that is based on an older revision is refused.
pub async fn a_change_based_on_an_old_revision_is_refused(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let intents = store.intents(&scope);
    intents.create(intent(1, "web"), None).await?;
    let paused = intents.set_status(change(Some(1)), IntentStatus::Paused).await?;
    assert_eq!((paused.summary.revision, paused.summary.status), (2, IntentStatus::Paused));
    let stale = [
        intents.set_status(change(Some(1)), IntentStatus::Active).await,
        intents.new_version(change(Some(1)), version("second")).await,
        intents.activate(change(Some(1)), 1).await,
    ];
    for refused in stale {
        assert!(matches!(refused, Err(Error::VersionConflict { current: 2 })), "{refused:?}");
    }
    assert_eq!(intents.by_uid(&intent_uid(1)).await?, Some(paused));
    let unknown = intents.activate(Change { uid: intent_uid(9), ..change(None) }, 1).await;
    assert!(matches!(unknown, Err(Error::NotFound { kind: "intent", .. })), "{unknown:?}");
    Ok(())
}

/// Text, prefix, label, environment and status, of the version that is shown.
pub async fn search_finds_what_the_shown_version_says(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let scope = scope("t-1");
    let intents = store.intents(&scope);
    for (number, name) in [(1, "deploy-web-app"), (2, "deploy-api"), (3, "nightly-report")] {
        let mut new = intent(number, name);
        new.version.description = format!("Runs {name} for \"the\" team");
        new.version.labels = BTreeMap::from([("owner".into(), format!("team-{}", number % 2))]);
        intents.create(new, None).await?;
    }
    let mut changed = version("Builds containers");
    changed.environment = Environment::Production;
    intents.new_version(Change { uid: intent_uid(2), ..change(None) }, changed).await?;
    intents.set_status(Change { uid: intent_uid(3), ..change(None) }, IntentStatus::Archived).await?;
    let q = |text: &str| IntentFilter { q: Some(text.into()), ..IntentFilter::default() };
    let none = IntentFilter::default;
    let label = Some(("owner".to_owned(), "team-1".to_owned()));
    let cases = [
        (none(), "deploy-api deploy-web-app nightly-report"),
        (q("web"), "deploy-web-app"),
        (q("DEPLO"), "deploy-api deploy-web-app"),
        (q("runs"), "deploy-web-app nightly-report"),
        (q("build contain"), "deploy-api"),
        (q("\"the\" OR team*"), ""),
        (q("t742d31"), ""),
        (q("--"), "deploy-api deploy-web-app nightly-report"),
        (IntentFilter { name_prefix: Some("deploy-".into()), ..none() }, "deploy-api deploy-web-app"),
        (IntentFilter { name_prefix: Some("%".into()), ..none() }, ""),
        (IntentFilter { label: label.clone(), ..none() }, "deploy-web-app nightly-report"),
        (IntentFilter { environment: Some(Environment::Production), ..none() }, "deploy-api"),
        (IntentFilter { status: Some(IntentStatus::Archived), ..none() }, "nightly-report"),
        (IntentFilter { label, q: Some("web".into()), ..none() }, "deploy-web-app"),
    ];
    for (filter, expected) in cases {
        assert_eq!(names(&store, &scope, &filter).await?, expected, "{filter:?}");
    }
    assert_eq!(names(&store, &super::scope("t-2"), &q("web")).await?, "");
    Ok(())
}

/// Pages are in order of names, and hold each intent once.
pub async fn pages_hold_every_intent_once(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    for number in 1..=7 {
        store.intents(&scope).create(intent(number, &format!("n{number}")), None).await?;
    }
    let (mut page, mut seen) = (PageRequest::first(3), Vec::new());
    loop {
        let found = store.intents(&scope).list(&IntentFilter::default(), page).await?;
        assert!(found.items.len() <= 3);
        seen.extend(found.items.into_iter().map(|item| item.name.to_string()));
        let Some(next) = found.next else { break };
        page = PageRequest { limit: 3, after: Some(next) };
    }
    assert_eq!(seen, ["n1", "n2", "n3", "n4", "n5", "n6", "n7"]);
    Ok(())
}

const ACTIVE: VersionStatus = VersionStatus::Active;
const SUPERSEDED: VersionStatus = VersionStatus::Superseded;

fn change(expected_revision: Option<u64>) -> Change {
    Change { uid: intent_uid(1), expected_revision, at: AT, idempotency: None }
}

/// Newest first, by pages of one.
async fn statuses(store: &Store, scope: &TenantScope) -> Result<Vec<(u32, VersionStatus)>, Error> {
    let (mut page, mut seen) = (PageRequest::first(1), Vec::new());
    loop {
        let found = store.intents(scope).versions(&intent(1, "web").name, page).await?;
        seen.extend(found.items.iter().map(|item| (item.version.number, item.version.status)));
        let Some(next) = found.next else { return Ok(seen) };
        page = PageRequest { limit: 1, after: Some(next) };
    }
}

async fn names(store: &Store, scope: &TenantScope, filter: &IntentFilter) -> Result<String, Error> {
    let page = store.intents(scope).list(filter, PageRequest::first(10)).await?;
    Ok(page.items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>().join(" "))
}
