//! What PostgreSQL does not keep in a text, and SQLite does.

use quantum_store::conformance::{create, intent, scope, with_tenants};
use quantum_store::{CommitError, Error};

use super::prepared;

#[tokio::test]
async fn a_text_with_a_zero_is_refused_and_nothing_else_with_it() {
    let Some(database) = prepared().await else { return };
    let store = with_tenants(&*database.opener(), &["t-1"]).await.unwrap();
    let scope = scope("t-1");
    let mut new = intent(1, "web");
    new.version.description = "a\0b".into();
    let refused = store.intents(&scope).create(new, None).await;
    assert!(matches!(refused, Err(Error::Text)), "{refused:?}");
    store.intents(&scope).create(intent(1, "web"), None).await.unwrap();

    let mut zero = create(&scope, 1);
    zero.create.as_mut().unwrap().concurrency_key = Some("a\0b".into());
    let verdicts = store.journal().commit_all(vec![create(&scope, 0), zero, create(&scope, 2)]).await;
    assert!(matches!(&verdicts[..], [Ok(_), Err(CommitError::Invalid { .. }), Ok(_)]), "{verdicts:?}");
}
