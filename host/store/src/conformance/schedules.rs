//! Schedules: people change their documents, the engine moves them on, and neither undoes the other.

use quantum_core::id::{ScheduleName, TenantId};
use quantum_core::time::Timestamp;

use super::fixtures::{AT, intent, intent_uid, principal, schedule, scope, with_tenants};
use super::{Check, Open};
use crate::{
    Error, PageRequest, ScheduleChange, ScheduleContent, ScheduleKey, ScheduleMark, ScheduleRow,
    ScheduleTarget, Store,
};

fn later(millis: u64) -> Timestamp {
    AT.plus_millis(millis)
}

async fn with_intents(open: &Open, tenants: &[&str]) -> Result<Store, Error> {
    let store = with_tenants(open, tenants).await?;
    for tenant in tenants {
        store.intents(&scope(tenant)).create(intent(1, "backup"), None).await?;
    }
    Ok(store)
}

fn name(text: &str) -> ScheduleName {
    ScheduleName::new(text).expect("a schedule name")
}

fn change(to: ScheduleTarget, expected_revision: Option<u64>, at: Timestamp) -> ScheduleChange {
    ScheduleChange { name: name("nightly"), expected_revision, at, to }
}

fn mark(row: &ScheduleRow, handled: Timestamp) -> ScheduleMark {
    ScheduleMark {
        uid: row.uid,
        revision: row.revision,
        handled_until: handled,
        waiting: Some(handled),
        next_at: Some(handled.plus_millis(1)),
        progress: r#"{"counts":{"started":1}}"#.into(),
    }
}

/// One schedule a name and no more than the bound; a removed one leaves its name free, and another one has another uid.
pub async fn a_name_is_given_once_at_a_time(open: &Open) -> Check {
    let store = with_intents(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let schedules = store.schedules(&scope);
    let first = schedules.create(schedule(1, "nightly"), 2).await?;
    assert_eq!((first.revision, first.handled_until, first.next_at), (1, AT, Some(later(10))));
    let again = schedules.create(schedule(2, "nightly"), 2).await;
    assert!(matches!(again, Err(Error::AlreadyExists { kind: "schedule", .. })), "{again:?}");
    schedules.create(schedule(2, "hourly"), 2).await?;
    let over = schedules.create(schedule(3, "weekly"), 2).await;
    assert!(matches!(over, Err(Error::OverQuota { used: 2, max: 2, .. })), "{over:?}");
    let mut orphan = schedule(3, "weekly");
    orphan.content.intent_uid = intent_uid(9);
    let orphan = schedules.create(orphan, 9).await;
    assert!(matches!(orphan, Err(Error::NotFound { kind: "intent", .. })), "{orphan:?}");
    let stale = schedules.remove(name("nightly"), Some(7)).await;
    assert!(matches!(stale, Err(Error::VersionConflict { current: 1 })), "{stale:?}");
    schedules.remove(name("nightly"), Some(1)).await?;
    let gone = schedules.remove(name("nightly"), None).await;
    assert!(matches!(gone, Err(Error::NotFound { kind: "schedule", .. })), "{gone:?}");
    assert!(!schedules.mark(mark(&first, later(5))).await?, "nothing is there to be moved on");
    let second = schedules.create(schedule(4, "nightly"), 2).await?;
    assert_eq!(schedules.get(&name("nightly")).await?, Some(second.clone()));
    assert_eq!(
        (schedules.by_uid(first.uid).await?, schedules.by_uid(second.uid).await?),
        (None, Some(second))
    );
    Ok(())
}

/// A change names what it is based on; what the engine writes is no change.
pub async fn a_change_of_a_schedule_is_based_on_its_revision(open: &Open) -> Check {
    let store = with_intents(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let schedules = store.schedules(&scope);
    let first = schedules.create(schedule(1, "nightly"), 9).await?;
    assert!(schedules.mark(mark(&first, later(10))).await?);
    let content = ScheduleContent {
        document: r#"{"cron":"1 * * * *"}"#.into(),
        owner: quantum_core::port::Requester { id: principal("bob"), ..first.owner.clone() },
        next_at: later(99),
        ..schedule(1, "nightly").content
    };
    let to = ScheduleTarget::Content(content.clone());
    let replaced = schedules.change(change(to.clone(), Some(1), later(20))).await?;
    assert_eq!(
        (replaced.revision, &replaced.document, &replaced.owner),
        (2, &content.document, &content.owner)
    );
    assert_eq!((replaced.created_by, replaced.updated_at), (principal("alice"), later(20)));
    assert_eq!(
        (replaced.handled_until, replaced.waiting, replaced.next_at),
        (later(20), None, Some(later(99)))
    );
    assert_eq!(replaced.progress, mark(&first, AT).progress, "what has happened stays told");
    let stale = schedules.change(change(to, Some(1), later(30))).await;
    assert!(matches!(stale, Err(Error::VersionConflict { current: 2 })), "{stale:?}");
    // The engine was under way with the document of before.
    assert!(schedules.mark(mark(&first, later(25))).await?);
    let marked = schedules.get(&name("nightly")).await?.ok_or("it is there")?;
    assert_eq!((marked.handled_until, marked.waiting, marked.next_at), (later(25), None, Some(later(99))));
    assert_eq!(marked.revision, 2);
    Ok(())
}

/// Through whatever is done, at whatever time the clock shows.
pub async fn what_was_handled_stays_handled(open: &Open) -> Check {
    let store = with_intents(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let schedules = store.schedules(&scope);
    let first = schedules.create(schedule(1, "nightly"), 9).await?;
    assert!(schedules.mark(mark(&first, later(1_000))).await?);
    assert!(schedules.mark(mark(&first, later(500))).await?);
    let paused = schedules.change(change(ScheduleTarget::Paused, None, later(600))).await?;
    assert_eq!((paused.paused, paused.waiting, paused.next_at), (true, None, None));
    assert_eq!(paused.handled_until, later(1_000));
    let to = ScheduleTarget::Content(schedule(1, "nightly").content);
    assert_eq!(schedules.change(change(to, None, later(700))).await?.next_at, None, "it is still paused");
    let back = ScheduleTarget::Resumed { next_at: Some(later(800)) };
    let resumed = schedules.change(change(back, None, later(700))).await?;
    assert_eq!((resumed.paused, resumed.next_at), (false, Some(later(800))));
    assert_eq!(resumed.handled_until, later(1_000), "the clock was set back");
    let back = ScheduleTarget::Resumed { next_at: None };
    assert_eq!(schedules.change(change(back, None, later(2_000))).await?.handled_until, later(2_000));
    Ok(())
}

/// Each once, in the order in which they are looked at, and only those whose time has come.
pub async fn due_schedules_are_read_page_by_page(open: &Open) -> Check {
    let store = with_intents(open, &["t-1", "t-2"]).await?;
    for tenant in ["t-1", "t-2"] {
        for (number, at) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
            let mut new = schedule(number, &format!("every-{at}"));
            new.content.next_at = later(at);
            store.schedules(&scope(tenant)).create(new, 9).await?;
        }
        let paused = ScheduleChange { name: name("every-20"), ..change(ScheduleTarget::Paused, None, AT) };
        store.schedules(&scope(tenant)).change(paused).await?;
    }
    let mut found = Vec::new();
    let mut after: Option<ScheduleKey> = None;
    loop {
        let page = store.platform().due_schedules(later(30), after.as_ref(), 3).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.into());
        found.extend(page.iter().map(|row| format!("{} {}", row.tenant, row.name)));
    }
    assert_eq!(found, ["t-1 every-10", "t-2 every-10", "t-1 every-30", "t-2 every-30"]);
    assert_eq!(store.platform().next_schedule_at(later(30)).await?, Some(later(40)));
    assert_eq!(store.platform().next_schedule_at(later(40)).await?, None);
    let first = store.platform().schedules(None, 5).await?;
    let rest = store.platform().schedules(first.last().map(ScheduleKey::from).as_ref(), 5).await?;
    let all: Vec<&TenantId> = first.iter().chain(&rest).map(|row| &row.tenant).collect();
    assert_eq!((all.len(), first.iter().filter(|row| row.paused).count()), (8, 1));
    Ok(())
}

/// Page by page, of one intent or of all.
pub async fn schedules_are_listed_by_name(open: &Open) -> Check {
    let store = with_intents(open, &["t-1"]).await?;
    let scope = scope("t-1");
    store.intents(&scope).create(intent(2, "report"), None).await?;
    for (number, called) in [(1, "c"), (2, "a"), (3, "b")] {
        let mut new = schedule(number, called);
        if called == "b" {
            new.content.intent_uid = intent_uid(2);
        }
        store.schedules(&scope).create(new, 9).await?;
    }
    let first = store.schedules(&scope).list(None, PageRequest::first(2)).await?;
    let rest =
        store.schedules(&scope).list(None, PageRequest { limit: 2, after: first.next.clone() }).await?;
    let names = |rows: &[ScheduleRow]| rows.iter().map(|row| row.name.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (names(&first.items), names(&rest.items), rest.next),
        (vec!["a".into(), "b".into()], vec!["c".into()], None)
    );
    let one = store.schedules(&scope).list(Some(intent_uid(2)), PageRequest::first(9)).await?;
    assert_eq!(names(&one.items), ["b"]);
    Ok(())
}
