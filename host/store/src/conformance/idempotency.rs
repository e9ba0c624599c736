//! One effect a key, and the answer stored with it.

use futures::future::join_all;
use quantum_core::time::Timestamp;

use super::fixtures::{AT, create, execution_id, intent, record, scope, with_tenants};
use super::{Check, Open};
use crate::{CommitError, CreateOutcome, Error};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Fifty starts under one key: one execution exists, and everybody else is given its answer.
pub async fn one_of_fifty_with_the_same_key_wins(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let journal = store.journal();
    let starts = (0..50).map(|number| {
        let mut start = create(&scope, number);
        start.idempotency = Some(record("key-1", number));
        journal.commit(start)
    });
    let verdicts = join_all(starts).await;
    let winner = verdicts.iter().position(Result::is_ok).ok_or("one wins")?;
    for (number, verdict) in verdicts.iter().enumerate() {
        let exists = store.executions(&scope).get(&execution_id(number as u64)).await?.is_some();
        assert_eq!(exists, number == winner, "execution {number}");
        match verdict {
            Ok(_) => assert_eq!(number, winner),
            Err(CommitError::IdempotencyTaken { stored }) => {
                assert_eq!(stored.fingerprint, format!("print-{winner}"));
            }
            Err(other) => return Err(other.clone().into()),
        }
    }
    let stored =
        store.idempotency(&scope).lookup(&record("key-1", 0).key, AT).await?.ok_or("the answer is stored")?;
    assert_eq!(stored.response, format!("{{\"execution\":{winner}}}"));
    Ok(())
}

/// When the effect is refused, the key stays free.
pub async fn a_refused_effect_leaves_its_key_free(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    store.journal().commit(create(&scope, 1)).await?;
    let mut again = create(&scope, 1);
    again.idempotency = Some(record("key-1", 1));
    assert!(matches!(store.journal().commit(again).await, Err(CommitError::Conflict { .. })));
    assert_eq!(store.idempotency(&scope).lookup(&record("key-1", 1).key, AT).await?, None);
    Ok(())
}

/// After 24 hours a key is free again, also before the purge; the purge removes old answers only.
pub async fn a_key_is_kept_for_24_hours(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let journal = store.journal();
    let with_key = |execution, at: Timestamp| {
        let mut start = create(&scope, execution);
        start.idempotency = Some(crate::IdempotencyRecord { at, ..record("key-1", execution) });
        journal.commit(start)
    };
    with_key(1, AT).await?;
    let (last, later) = (AT.plus_millis(DAY_MS - 1), AT.plus_millis(DAY_MS));
    assert!(store.idempotency(&scope).lookup(&record("key-1", 1).key, last).await?.is_some());
    assert!(store.idempotency(&scope).lookup(&record("key-1", 1).key, later).await?.is_none());
    assert!(with_key(2, last).await.is_err());
    with_key(2, later).await?;
    assert_eq!(store.platform().purge_idempotency(later).await?, 0, "the key was renewed");
    assert_eq!(store.platform().purge_idempotency(later.plus_millis(DAY_MS)).await?, 1);
    Ok(())
}

/// The same for intents: the answer comes with the intent, in one transaction.
pub async fn an_intent_is_created_once_a_key(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let created = store.intents(&scope).create(intent(1, "web"), Some(record("key-1", 1))).await?;
    assert!(matches!(created, CreateOutcome::Created(_)));
    let again = store.intents(&scope).create(intent(2, "api"), Some(record("key-1", 2))).await;
    let Err(Error::IdempotencyTaken(stored)) = again else { return Err("the key is taken".into()) };
    assert_eq!(stored.fingerprint, "print-1");
    assert!(store.intents(&scope).by_name(&intent(2, "api").name).await?.is_none());
    let exists = store.intents(&scope).create(intent(3, "web"), Some(record("key-2", 3))).await?;
    assert!(matches!(exists, CreateOutcome::Exists(_)));
    assert_eq!(store.idempotency(&scope).lookup(&record("key-2", 3).key, AT).await?, None);
    Ok(())
}
