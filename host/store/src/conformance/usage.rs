//! Usage: booked with the commit that says of it, added up over nodes, listed, and gone by time.

use futures::future::join_all;
use quantum_core::usage::{Account, Day, Sums, Used};

use super::fixtures::{commit, create, scope, with_tenants};
use super::{Check, Open};
use crate::{Commit, PageRequest, Store, TenantScope, UsageFilter, UsageGroup, UsageRow};

/// One attempt of `acme:sync` that failed, or of another plugin that did not.
pub(super) fn used(day: i64, plugin: &str, action: &str, cpu_us: u64) -> Used {
    let account = Account {
        day: Day::from_number(day),
        plugin: plugin.into(),
        version: "1.0.0".into(),
        action: action.into(),
    };
    let sums = Sums {
        attempts: 1,
        failures: u64::from(plugin == "acme:sync"),
        cpu_us,
        wall_us: 2 * cpu_us,
        memory_bytes_peak: 1_000 + cpu_us,
        memory_byte_seconds: 3,
        host_calls: 4,
        sent_bytes: 5,
        received_bytes: 6,
    };
    Used { account, sums }
}

fn with(commit: Commit, used: Vec<Used>) -> Commit {
    Commit { used, ..commit }
}

fn filter(from: i64, to: i64, by: UsageGroup) -> UsageFilter {
    UsageFilter { from: Day::from_number(from), to: Day::from_number(to), plugin: None, by }
}

/// Every row of a list, page by page.
async fn all(
    store: &Store,
    scope: &TenantScope,
    filter: &UsageFilter,
    limit: u32,
) -> Result<Vec<UsageRow>, crate::Error> {
    let (mut rows, mut page) = (Vec::new(), PageRequest::first(limit));
    loop {
        let read = store.usage(scope).list(filter, page.clone()).await?;
        rows.extend(read.items);
        if read.next.is_none() {
            return Ok(rows);
        }
        page.after = read.next;
    }
}

/// What two nodes book at the same time is all there, and the largest memory is that of one attempt.
pub async fn two_nodes_add_to_the_same_sums(open: &Open) -> Check {
    let one = with_tenants(open, &["t-1"]).await?;
    let (other, scope) = (open().await?, scope("t-1"));
    let book = |store: &Store, number: u64| {
        let twice = vec![used(7, "acme:sync", "pull", number), used(7, "acme:sync", "pull", 1)];
        let (journal, commit) = (store.journal(), with(create(&scope, number), twice));
        async move { journal.commit(commit).await }
    };
    for answer in join_all((1..=40).map(|number| book([&one, &other][number as usize % 2], number))).await {
        answer?;
    }
    let sums = one.usage(&scope).of_day(Day::from_number(7)).await?;
    let expected = Sums {
        attempts: 80,
        failures: 80,
        cpu_us: 820 + 40,
        wall_us: 2 * 860,
        memory_bytes_peak: 1_040,
        memory_byte_seconds: 240,
        host_calls: 320,
        sent_bytes: 400,
        received_bytes: 480,
    };
    assert_eq!(sums, expected);
    assert_eq!(other.usage(&scope).of_day(Day::from_number(7)).await?, expected);
    assert_eq!(one.usage(&scope).of_day(Day::from_number(8)).await?, Sums::default());
    Ok(())
}

/// Nothing is booked of a commit that is refused; of those beside it, everything is.
pub async fn a_refused_commit_books_nothing(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let book = |commit| with(commit, vec![used(7, "acme:sync", "pull", 10)]);
    let wrong = book(commit(&scope, 2, 5, 1));
    let answers = store.journal().commit_all(vec![book(create(&scope, 1)), wrong.clone()]).await;
    assert!(answers[0].is_ok() && answers[1].is_err(), "{answers:?}");
    assert!(store.journal().commit(wrong).await.is_err());
    assert!(store.journal().commit(book(create(&super::scope("nobody"), 3))).await.is_err());
    assert_eq!(store.usage(&scope).of_day(Day::from_number(7)).await?.attempts, 1);
    Ok(())
}

/// By day, plugin or action; each page goes on behind the one before.
pub async fn usage_is_listed_in_groups(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let scope = scope("t-1");
    let mut all_used = Vec::new();
    for day in 5..=9 {
        for (plugin, action) in [("acme:sync", "pull"), ("acme:sync", "push"), ("acme:mail", "send")] {
            all_used.push(used(day, plugin, action, day.unsigned_abs()));
        }
    }
    store.journal().commit(with(create(&scope, 1), all_used)).await?;
    store
        .journal()
        .commit(with(create(&super::scope("t-2"), 1), vec![used(7, "acme:sync", "x", 99)]))
        .await?;
    for limit in [1, 2, 100] {
        let days = all(&store, &scope, &filter(6, 8, UsageGroup::Day), limit).await?;
        let days: Vec<_> = days.iter().map(|row| (row.day.map(Day::number), row.sums.cpu_us)).collect();
        assert_eq!(days, [(Some(8), 24), (Some(7), 21), (Some(6), 18)]);
        let plugins = all(&store, &scope, &filter(6, 8, UsageGroup::Plugin), limit).await?;
        let plugins: Vec<_> = plugins.iter().map(|row| (row.plugin.as_deref(), row.sums.attempts)).collect();
        assert_eq!(plugins, [(Some("acme:mail"), 3), (Some("acme:sync"), 6)]);
        let one = UsageFilter { plugin: Some("acme:sync".into()), ..filter(0, 100, UsageGroup::Action) };
        let actions = all(&store, &scope, &one, limit).await?;
        let actions: Vec<_> = actions.iter().map(|row| (row.action.as_deref(), row.sums.failures)).collect();
        assert_eq!(actions, [(Some("pull"), 5), (Some("push"), 5)]);
    }
    assert_eq!(all(&store, &scope, &filter(8, 6, UsageGroup::Day), 9).await?, []);
    Ok(())
}

/// By tenant, between two days, of one plugin or of all; who used nothing is not there.
pub async fn usage_of_all_tenants_is_told_by_tenant(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2", "t-3"]).await?;
    for (tenant, cpu_us) in [("t-2", 10), ("t-1", 1)] {
        let book =
            (5..=7).flat_map(|day| ["acme:sync", "acme:mail"].map(|plugin| used(day, plugin, "x", cpu_us)));
        store.journal().commit(with(create(&scope(tenant), 1), book.collect())).await?;
    }
    let told = async |from, to, plugin| {
        let rows = store.platform().usage(Day::from_number(from), Day::from_number(to), plugin).await?;
        let sums = |row: &UsageRow| (row.tenant.to_string(), row.sums.cpu_us, row.sums.attempts);
        Ok::<_, crate::Error>(rows.iter().map(sums).collect::<Vec<_>>())
    };
    let row = |tenant: &str, cpu_us, attempts| (tenant.to_owned(), cpu_us, attempts);
    assert_eq!(told(0, 9, None).await?, [row("t-1", 6, 6), row("t-2", 60, 6)]);
    assert_eq!(told(6, 7, Some("acme:sync")).await?, [row("t-1", 2, 2), row("t-2", 20, 2)]);
    assert_eq!(told(8, 9, None).await?, []);
    Ok(())
}

/// Days before the first one that is kept go, of every tenant, in bounded parts.
pub async fn old_usage_goes(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    for tenant in ["t-1", "t-2"] {
        let days = (1..=6).map(|day| used(day, "acme:sync", "pull", 1)).collect();
        store.journal().commit(with(create(&scope(tenant), 1), days)).await?;
    }
    let purge = || async { store.platform().purge_usage(Day::from_number(5), 3).await };
    let mut removed = 0;
    loop {
        match purge().await? {
            0 => break,
            some => removed += some,
        }
    }
    assert_eq!(removed, 8);
    for tenant in ["t-1", "t-2"] {
        let left = all(&store, &scope(tenant), &filter(0, 100, UsageGroup::Day), 9).await?;
        assert_eq!(left.iter().map(|row| row.day.map(Day::number)).collect::<Vec<_>>(), [Some(6), Some(5)]);
    }
    Ok(())
}
