//! A database that a newer release has prepared or writes to, beside this program.

use quantum_core::time::Timestamp;
use quantum_store::Store;
use quantum_store::conformance::{create, scope, with_tenants};

use super::prepared;

const AT: Timestamp = Timestamp::from_millis(1_763_892_000_000);

/// Roles that write batches, and roles that read them, may be held to their tenants in either way.
#[tokio::test]
async fn policies_may_be_written_in_each_way_that_a_release_knows() {
    let Some(database) = prepared().await else { return };
    for condition in
        ["tenant_id = ANY ((SELECT app.tenants())::text[])", "(SELECT app.tenants()) @> ARRAY[tenant_id]"]
    {
        for policy in ["batch_isolation", "reading"] {
            database.query(&format!("ALTER POLICY {policy} ON executions USING ({condition})"));
        }
        Store::connect(database.options()).await.expect(condition).close().await;
    }
    database.query("ALTER POLICY reading ON executions USING (tenant_id = ANY (ARRAY['t-1']))");
    assert!(Store::connect(database.options()).await.is_err(), "it compares with what is written there");
}

#[tokio::test]
async fn an_execution_with_a_word_that_is_not_known_holds_no_other_back() {
    let Some(database) = prepared().await else { return };
    let store = with_tenants(&*database.opener(), &["t-1"]).await.unwrap();
    for number in 1..=3 {
        store.journal().commit(create(&scope("t-1"), number)).await.unwrap();
    }
    let keys = store.platform().claim("a", 10, AT).await.unwrap();
    let strange = &keys[1];
    database
        .query(&format!("UPDATE executions SET status = 'teleported' WHERE id = '{}'", strange.execution));
    let loaded = store.platform().load_many(&keys).await.unwrap();
    assert_eq!(loaded.stored.len(), 2);
    let [unread] = &loaded.unread[..] else { panic!("{:?}", loaded.unread) };
    assert_eq!(&unread.key, strange);
    assert!(unread.error.to_string().contains("teleported"), "{}", unread.error);
    assert!(store.executions(&scope("t-1")).leave(&strange.execution, "a").await.unwrap());
    assert!(store.platform().claim("b", 10, AT).await.unwrap().iter().all(|key| key != strange));
}
