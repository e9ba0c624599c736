//! What nodes ask of each other.

use quantum_core::id::CommandId;

use super::fixtures::{AT, create, execution_id, scope, with_tenants};
use super::{Check, Open};
use crate::{NewCommand, NodeRecord, Store, TakenCommand};

const LONG_MS: u64 = 3_600_000;

/// Asked, taken once, answered, read, forgotten.
pub async fn a_command_is_taken_once_and_answered(open: &Open) -> Check {
    let store = owned_by(open, "a").await?;
    let scope = scope("t-1");
    let commands = store.commands(&scope);
    commands.put(asked(1)).await?;
    assert!(store.platform().take_commands("b", 10).await?.is_empty(), "it is not the owner");
    assert!(!commands.answer(id(1), "a", "{}".into()).await?, "it was not taken");
    let taken = store.platform().take_commands("a", 10).await?;
    let tenant = scope.tenant().clone();
    let expected =
        TakenCommand { tenant, id: id(1), execution: execution_id(1), command: r#"{"n":1}"#.into() };
    assert_eq!(taken, [expected]);
    assert!(store.platform().take_commands("a", 10).await?.is_empty());
    assert_eq!(commands.read(id(1)).await?, Some(None));
    assert!(!commands.withdraw(id(1), AT).await?, "somebody is about to do it");
    assert!(!commands.answer(id(1), "b", "{}".into()).await?, "somebody else has taken it");
    assert!(commands.answer(id(1), "a", r#"{"ok":true}"#.into()).await?);
    assert!(!commands.answer(id(1), "a", "{}".into()).await?, "the first answer stands");
    assert!(!commands.withdraw(id(1), AT).await?);
    assert_eq!(commands.read(id(1)).await?, Some(Some(r#"{"ok":true}"#.to_owned())));
    commands.forget(id(1)).await?;
    assert_eq!(commands.read(id(1)).await?, None);
    Ok(())
}

/// The oldest first, so many at a time.
pub async fn commands_are_taken_in_their_order(open: &Open) -> Check {
    let store = owned_by(open, "a").await?;
    for number in [3, 1, 2] {
        store.commands(&scope("t-1")).put(asked(number)).await?;
    }
    let numbers = |taken: Vec<TakenCommand>| taken.into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(numbers(store.platform().take_commands("a", 2).await?), [id(1), id(2)]);
    assert_eq!(numbers(store.platform().take_commands("a", 2).await?), [id(3)]);
    Ok(())
}

/// What was withdrawn is done by nobody.
pub async fn a_command_that_nobody_took_is_withdrawn(open: &Open) -> Check {
    let store = owned_by(open, "a").await?;
    let scope = scope("t-1");
    store.commands(&scope).put(asked(1)).await?;
    assert!(store.commands(&scope).withdraw(id(1), AT).await?);
    assert!(!store.commands(&scope).withdraw(id(1), AT).await?);
    assert!(store.platform().take_commands("a", 10).await?.is_empty());
    Ok(())
}

/// Whoever owns the execution by now takes it, and again what a dead one took; who had it cannot answer any more.
pub async fn commands_go_by_the_owner_of_the_moment(open: &Open) -> Check {
    let store = owned_by(open, "a").await?;
    let scope = scope("t-1");
    let commands = store.commands(&scope);
    commands.put(asked(1)).await?;
    assert_eq!(store.platform().take_commands("a", 10).await?.len(), 1);
    commands.put(asked(2)).await?;
    store.nodes().release("a").await?;
    store.nodes().register(&node("b"), LONG_MS, AT).await?;
    assert!(store.executions(&scope).claim(&execution_id(1), "b", AT).await?);
    assert!(store.platform().take_commands("a", 10).await?.is_empty());
    assert_eq!(store.platform().take_commands("b", 10).await?.len(), 2);
    assert!(!commands.answer(id(1), "a", "{}".into()).await?);
    assert!(commands.answer(id(1), "b", "{}".into()).await?);
    store.nodes().release("b").await?;
    assert!(commands.withdraw(id(2), AT).await?, "who took it is dead");
    Ok(())
}

/// Answers that nobody reads go by their time.
pub async fn old_commands_go(open: &Open) -> Check {
    let store = owned_by(open, "a").await?;
    let scope = scope("t-1");
    store.commands(&scope).put(asked(1)).await?;
    assert_eq!(store.platform().purge_commands(1_000, AT).await?, 0);
    assert_eq!(store.platform().purge_commands(0, AT).await?, 1);
    assert!(!store.commands(&scope).withdraw(id(1), AT).await?);
    Ok(())
}

/// A tenant does not read, answer or withdraw what is another one's.
pub async fn commands_of_a_twin_are_not_there(open: &Open) -> Check {
    let store = owned_by(open, "a").await?;
    let (own, twin) = (scope("t-1"), scope("t-2"));
    store.commands(&own).put(asked(1)).await?;
    assert!(!store.commands(&twin).withdraw(id(1), AT).await?);
    store.commands(&twin).forget(id(1)).await?;
    assert_eq!(store.platform().take_commands("a", 10).await?.len(), 1);
    assert!(!store.commands(&twin).answer(id(1), "a", "{}".into()).await?);
    assert!(store.commands(&own).answer(id(1), "a", "{}".into()).await?);
    assert_eq!(store.commands(&twin).read(id(1)).await?, None);
    Ok(())
}

/// One execution of tenant `t-1`.
async fn owned_by(open: &Open, owner: &str) -> Result<Store, Box<dyn std::error::Error + Send + Sync>> {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    store.nodes().register(&node(owner), LONG_MS, AT).await?;
    let mut commit = create(&scope("t-1"), 1);
    if let Some(new) = &mut commit.create {
        new.owner = Some(owner.to_owned());
    }
    store.journal().commit(commit).await?;
    Ok(store)
}

fn node(name: &str) -> NodeRecord {
    let version = "0.1.0".to_owned();
    NodeRecord { id: name.to_owned(), name: name.to_owned(), version, url: None, started_at: AT }
}

pub(super) fn id(number: u64) -> CommandId {
    CommandId::parse(&execution_id(number).to_string()).expect("a UUID")
}

pub(super) fn asked(number: u64) -> NewCommand {
    NewCommand {
        id: id(number),
        execution: execution_id(1),
        node: "a".to_owned(),
        command: format!("{{\"n\":{number}}}"),
        asked_at: AT,
    }
}
