//! Leases of nodes, and what may be taken over when one is over.
//!
//! A backend may go by its own clock. Where a topic needs a lease that is over, it is one that was released, or of no
//! length.

use quantum_core::id::ExecutionId;
use quantum_core::time::Timestamp;

use super::fixtures::{AT, commit, create, execution_id, scope, with_tenants};
use super::{Check, Open};
use crate::{Beat, Commit, ExecutionKey, NodeRecord, Reader, Store};

/// Milliseconds of a lease that does not end in a test.
const LONG_MS: u64 = 3_600_000;

/// A lease that was over is told once, also when the node was forgotten meanwhile.
pub async fn a_node_learns_that_its_lease_was_over(open: &Open) -> Check {
    let store = with_tenants(open, &[]).await?;
    let nodes = store.nodes();
    nodes.register(&node("a"), LONG_MS, AT).await?;
    assert!(nodes.is_alive("a", AT).await? && !nodes.is_alive("b", AT).await?);
    assert_eq!(nodes.beat(&node("a"), LONG_MS, AT).await?, Beat::Held);
    nodes.release("a").await?;
    assert!(!nodes.is_alive("a", AT).await?);
    assert_eq!(nodes.beat(&node("a"), LONG_MS, AT).await?, Beat::Lost);
    assert_eq!(nodes.beat(&node("a"), LONG_MS, AT).await?, Beat::Held);
    nodes.release("a").await?;
    assert_eq!(nodes.forget(0, AT).await?, 1);
    assert_eq!(nodes.beat(&node("a"), LONG_MS, AT).await?, Beat::Lost);
    assert!(nodes.is_alive("a", AT).await?);
    Ok(())
}

/// A lease lasts for so long and no longer, from the last heartbeat on. By the caller's clock, or by the backend's: a lease
/// of no length is over at once.
pub async fn a_lease_ends_unless_it_is_extended(open: &Open) -> Check {
    let store = with_tenants(open, &[]).await?;
    store.nodes().register(&node("a"), 0, AT).await?;
    assert!(!store.nodes().is_alive("a", AT).await?);
    assert_eq!(store.nodes().beat(&node("a"), LONG_MS, AT).await?, Beat::Lost);
    assert!(store.nodes().is_alive("a", AT).await?);
    Ok(())
}

/// Dead ones are shown until they are forgotten, which they are once they own nothing.
pub async fn nodes_are_listed_with_what_they_own(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    store.nodes().register(&node("a"), LONG_MS, AT).await?;
    let url = Some("https://b.example".to_owned());
    let late = NodeRecord { started_at: AT.plus_millis(1), url, ..node("b") };
    store.nodes().register(&late, LONG_MS, AT).await?;
    for (number, owner) in [(1, "a"), (2, "a"), (3, "b")] {
        store.journal().commit(owned(number, owner)).await?;
    }
    store.journal().commit(ended(2)).await?;
    store.nodes().drain("b").await?;
    assert_eq!(shown(&store).await?, ["a alive 1", "b alive draining 1"]);
    assert_eq!(store.nodes().list(AT).await?.last().map(|row| &row.node), Some(&late));
    store.nodes().release("a").await?;
    assert_eq!(store.nodes().forget(0, AT).await?, 0, "it owns something");
    assert_eq!(shown(&store).await?, ["a draining 1", "b alive draining 1"]);
    assert_eq!(store.platform().claim("b", 10, AT).await?, [key(1)]);
    assert_eq!(store.nodes().forget(0, AT).await?, 1);
    assert_eq!(shown(&store).await?, ["b alive draining 2"]);
    Ok(())
}

/// A process that knows that it is alone finds everything free, whatever leases the dead had.
pub async fn who_is_alone_ends_all_other_leases(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    store.nodes().register(&node("a"), LONG_MS, AT).await?;
    store.journal().commit(owned(1, "a")).await?;
    store.nodes().register_alone(&node("b"), AT).await?;
    assert_eq!(shown(&store).await?, ["b alive 0"]);
    assert_eq!(store.platform().claim("b", 10, AT).await?, [key(1)]);
    assert!(store.nodes().is_alive("b", AT.plus_millis(LONG_MS * 24 * 365)).await?, "its own does not end");
    Ok(())
}

/// What has a living owner stays, what has ended stays, and the rest goes to whoever asks first, so many at a time.
pub async fn executions_of_dead_nodes_are_taken_over_in_batches(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    store.nodes().register(&node("alive"), LONG_MS, AT).await?;
    store.nodes().register(&node("dead"), LONG_MS, AT).await?;
    store.nodes().release("dead").await?;
    for (number, owner) in
        [(1, "dead"), (2, "alive"), (3, "gone"), (4, "dead"), (5, "gone"), (6, "dead"), (7, "a")]
    {
        store.journal().commit(owned(number, owner)).await?;
    }
    store.journal().commit(ended(6)).await?;
    let mut taken = Vec::new();
    loop {
        let some = store.platform().claim("alive", 2, AT).await?;
        assert!(some.len() <= 2, "{some:?}");
        if some.is_empty() {
            break;
        }
        taken.extend(some);
    }
    taken.sort();
    assert_eq!(taken, [1, 3, 4, 5, 7].map(key));
    assert_eq!(owner(&store, 1).await?, ("alive".to_owned(), 2));
    assert_eq!(owner(&store, 2).await?, ("alive".to_owned(), 1));
    assert_eq!(owner(&store, 6).await?, ("dead".to_owned(), 1));
    Ok(())
}

/// Also of one whose own lease is over, as those of all are when the database was away: what it owns stays as it is, and
/// what it takes is taken once, whoever stands before it in the order of owners.
pub async fn a_node_takes_nothing_from_itself(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    for name in ["a", "heir", "z"] {
        store.nodes().register(&node(name), LONG_MS, AT).await?;
        store.nodes().release(name).await?;
    }
    for (number, owner) in [(1, "a"), (2, "heir"), (3, "z")] {
        store.journal().commit(owned(number, owner)).await?;
    }
    let mut taken = store.platform().claim("heir", 10, AT).await?;
    taken.sort();
    assert_eq!(taken, [1, 3].map(key));
    for (number, epoch) in [(1, 2), (2, 1), (3, 2)] {
        assert_eq!(owner(&store, number).await?, ("heir".to_owned(), epoch));
    }
    assert_eq!(store.platform().claim("heir", 10, AT).await?, []);
    Ok(())
}

/// Of two who ask at once each execution goes to one.
pub async fn an_execution_is_taken_over_by_one(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    for name in ["a", "b"] {
        store.nodes().register(&node(name), LONG_MS, AT).await?;
    }
    for number in 1..=20 {
        store.journal().commit(owned(number, "gone")).await?;
    }
    let platform = store.platform();
    let (a, b) = tokio::join!(platform.claim("a", 15, AT), platform.claim("b", 15, AT));
    let (a, b) = (a?, b?);
    assert!(a.iter().all(|key| !b.contains(key)), "{a:?} {b:?}");
    let left = store.platform().claim("a", 15, AT).await?;
    assert_eq!(a.len() + b.len() + left.len(), 20);
    let scope = scope("t-1");
    let one = store.executions(&scope);
    assert!(!one.claim(&execution_id(1), "b", AT).await?, "its owner is alive");
    for name in ["a", "b"] {
        store.nodes().release(name).await?;
    }
    let id = execution_id(1);
    let (first, second) = tokio::join!(one.claim(&id, "c", AT), one.claim(&id, "d", AT));
    // Neither has a lease: both may take it, one after the other.
    assert!(first? && second?);
    assert_eq!(owner(&store, 1).await?.1, 4);
    Ok(())
}

/// What has ended is adopted by whoever restarts it, and nothing else is.
pub async fn what_has_ended_is_adopted(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    store.nodes().register(&node("a"), LONG_MS, AT).await?;
    for number in [1, 2] {
        store.journal().commit(owned(number, "a")).await?;
    }
    store.journal().commit(ended(1)).await?;
    let scope = scope("t-1");
    let executions = store.executions(&scope);
    assert!(!executions.claim(&execution_id(1), "b", AT).await?);
    assert!(executions.adopt(&execution_id(1), "b").await?);
    assert!(!executions.adopt(&execution_id(2), "b").await?, "it is open");
    assert!(!executions.adopt(&execution_id(3), "b").await?, "it is not there");
    assert_eq!(owner(&store, 1).await?, ("b".to_owned(), 2));
    Ok(())
}

/// Whatever the tenant, with its log; and without what is not there.
pub async fn claimed_executions_are_loaded_together(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    for (tenant, number) in [("t-1", 1), ("t-1", 2), ("t-2", 1), ("t-2", 3)] {
        store.journal().commit(create(&scope(tenant), number)).await?;
    }
    store.journal().commit(commit(&scope("t-2"), 1, 1, 2)).await?;
    let mut keys = store.platform().claim("a", 10, AT).await?;
    assert_eq!(keys.len(), 4);
    keys.push(key(9));
    let loaded = store.platform().load_many(&keys).await?;
    assert_eq!((loaded.stored.len(), loaded.unread.len()), (4, 0));
    for one in loaded.stored {
        assert_eq!((one.row.owner.as_deref(), one.row.epoch), (Some("a"), 2));
        let loaded = store.executions(&scope(one.row.tenant.as_str())).load(&one.row.id).await?;
        assert_eq!(loaded, Some(one));
    }
    assert!(store.platform().load_many(&[]).await?.stored.is_empty());
    Ok(())
}

/// What a program does not understand waits for one that reads more: nobody else takes it over, and its epoch grows, so that
/// whoever had it cannot write it.
pub async fn what_a_program_does_not_read_is_left_to_newer_ones(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let executions = store.executions(&scope);
    for number in 1..=3 {
        store.journal().commit(owned(number, "a")).await?;
    }
    store.journal().commit(ended(3)).await?;
    store.journal().commit(owned(4, "unread-by-1-0.0.1")).await?;
    assert!(executions.leave(&execution_id(1), "a").await?);
    assert!(!executions.leave(&execution_id(2), "b").await?, "another node has it");
    assert!(!executions.leave(&execution_id(3), "a").await?, "it has ended");
    assert_eq!(owner(&store, 1).await?, (Reader::this().mark(), 2));
    assert_eq!(store.nodes().unread().await?, 1);
    let mut taken = store.platform().claim("b", 10, AT).await?;
    taken.sort();
    assert_eq!(taken, [2, 4].map(key), "an older program left the last one");
    assert_eq!((store.nodes().unread().await?, owner(&store, 4).await?.1), (1, 2));
    Ok(())
}

/// A node that was away finds what it does not own any more, and what it does.
pub async fn a_node_finds_what_was_taken_from_it(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    for number in 1..=4 {
        store.journal().commit(owned(number, "a")).await?;
    }
    store.journal().commit(ended(4)).await?;
    store.nodes().register(&node("b"), LONG_MS, AT).await?;
    assert!(store.executions(&scope("t-1")).claim(&execution_id(2), "b", AT).await?);
    let keys: Vec<ExecutionKey> = [1, 2, 3, 9].map(key).into();
    assert_eq!(store.platform().moved(&keys, "a").await?, [key(2)]);
    assert_eq!(store.platform().owned("a", None, 1).await?, [key(1)]);
    assert_eq!(store.platform().owned("a", Some(&key(1)), 10).await?, [key(3)]);
    Ok(())
}

/// One node does it, until its lease is over or it is about to end.
pub async fn one_node_leads(open: &Open) -> Check {
    let store = with_tenants(open, &[]).await?;
    let nodes = store.nodes();
    for name in ["a", "b"] {
        nodes.register(&node(name), LONG_MS, AT).await?;
    }
    assert!(!nodes.lead("x", "unknown", AT).await?, "a node without a lease");
    let (a, b) = tokio::join!(nodes.lead("x", "a", AT), nodes.lead("x", "b", AT));
    let (a, b) = (a?, b?);
    assert!(a != b);
    let (first, second) = if a { ("a", "b") } else { ("b", "a") };
    assert!(nodes.lead("x", first, AT).await? && !nodes.lead("x", second, AT).await?);
    assert!(nodes.lead("y", second, AT).await?, "another thing");
    nodes.drain(first).await?;
    assert!(!nodes.lead("x", first, AT).await? && nodes.lead("x", second, AT).await?);
    nodes.release(second).await?;
    assert!(!nodes.lead("x", second, AT).await?);
    Ok(())
}

/// Two who decide about places of a tenant do so one after the other; another tenant is not held up.
pub async fn one_decides_about_places_at_a_time(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (one, two) = (scope("t-1"), scope("t-2"));
    let executions = store.executions(&one);
    let held = executions.turn().await?;
    let _other = store.executions(&two).turn().await?;
    let mut waits = Box::pin(executions.turn());
    assert!(futures::poll!(&mut waits).is_pending());
    drop(held);
    waits.await?;
    Ok(())
}

fn node(name: &str) -> NodeRecord {
    NodeRecord {
        id: name.to_owned(),
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        url: None,
        started_at: AT,
    }
}

fn key(number: u64) -> ExecutionKey {
    let execution: ExecutionId = execution_id(number);
    ExecutionKey { tenant: scope("t-1").tenant().clone(), execution }
}

fn owned(number: u64, owner: &str) -> Commit {
    let mut commit = create(&scope("t-1"), number);
    if let Some(new) = &mut commit.create {
        new.owner = Some(owner.to_owned());
    }
    commit
}

fn ended(number: u64) -> Commit {
    let mut commit = commit(&scope("t-1"), number, 1, 1);
    commit.row.ended_at = Some(Timestamp::from_millis(AT.as_millis() + 1));
    commit
}

/// `name alive draining open`, a line a node.
async fn shown(store: &Store) -> Result<Vec<String>, crate::Error> {
    let rows = store.nodes().list(AT).await?;
    let line = |row: &crate::NodeRow| {
        let (alive, draining) =
            (if row.alive { " alive" } else { "" }, if row.draining { " draining" } else { "" });
        format!("{}{alive}{draining} {}", row.node.name, row.open_executions)
    };
    Ok(rows.iter().map(line).collect())
}

async fn owner(
    store: &Store,
    number: u64,
) -> Result<(String, u64), Box<dyn std::error::Error + Send + Sync>> {
    let row = store.executions(&scope("t-1")).get(&execution_id(number)).await?.ok_or("it is stored")?;
    Ok((row.owner.ok_or("it has an owner")?, row.epoch))
}
