//! The schema and the plans: every tenant table is keyed and searched by `tenant_id`.

use std::collections::HashSet;

use quantum_store::conformance::statements;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

use crate::{folder, open, options};

async fn connect(folder: &tempfile::TempDir) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(options(folder).path)
        .connect()
        .await
        .expect("the database is open to readers")
}

async fn texts(conn: &mut SqliteConnection, sql: impl Into<String>, column: usize) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql.into())).fetch_all(conn).await.expect("a statement");
    rows.iter().map(|row| row.get(column)).collect()
}

const TENANT_TABLES: &str = "SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND c.name = 'tenant_id' ORDER BY 1";

#[tokio::test]
async fn every_statement_searches_tenant_tables_by_tenant() {
    let folder = folder();
    let store = open(&folder).await;
    let mut conn = connect(&folder).await;
    let (mut searched, mut unscoped) = (0, Vec::new());
    for statement in statements() {
        for step in texts(&mut conn, format!("EXPLAIN QUERY PLAN {statement}"), 3).await {
            searched += usize::from(step.contains("(tenant_id=?"));
            if !is_scoped(&step) {
                unscoped.push(format!("{step} in: {statement:.300}"));
            }
        }
    }
    assert!(unscoped.is_empty(), "{unscoped:#?}");
    assert!(searched > 200, "{searched}");
    store.close().await;
}

/// A search by tenant, or a step that touches no tenant table: the given rows, the text index (whose query names the
/// tenant, and whose hits are searched by tenant again), `tenants` itself, `nodes`, sorting.
fn is_scoped(step: &str) -> bool {
    let given = step == "SCAN v" || step == "SCAN CONSTANT ROW" || step.ends_with("-ROW VALUES CLAUSE");
    let given = given || step.starts_with("SCAN given VIRTUAL TABLE");
    let harmless =
        given || step.starts_with("SCAN intent_text VIRTUAL TABLE") || step.starts_with("SEARCH tenants ");
    let harmless = harmless || step.starts_with("SEARCH nodes ");
    let touches = step.starts_with("SEARCH ") || step.starts_with("SCAN ");
    !touches || harmless || step.contains("(tenant_id=?")
}

/// However many executions there are: rows are read in order until a page is full. A set or a sort would read them all.
#[tokio::test]
async fn lists_of_executions_are_read_in_the_order_of_their_pages() {
    let folder = folder();
    let store = open(&folder).await;
    let mut conn = connect(&folder).await;
    let (mut lists, mut wrong) = (0, Vec::new());
    for statement in statements().into_iter().filter(|text| text.ends_with("id DESC LIMIT ?10")) {
        lists += 1;
        let plan = texts(&mut conn, format!("EXPLAIN QUERY PLAN {statement}"), 3).await.join("; ");
        let both = statement.contains("e.intent_uid =") && statement.contains("e.status =");
        let narrowed = plan.contains("intent_uid=? AND status=?") || statement.contains("execution_labels");
        if plan.contains("B-TREE") || plan.contains("LIST SUBQUERY") || (both && !narrowed) {
            wrong.push(format!("{plan} in: {statement:.300}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(lists, 384);
    store.close().await;
}

#[test]
fn a_scan_of_a_tenant_table_is_noticed() {
    assert!(!is_scoped("SCAN executions"));
    assert!(!is_scoped("SEARCH executions USING INDEX executions_by_status (status=?)"));
    assert!(is_scoped("SEARCH executions USING INDEX executions_status (tenant_id=? AND status=?)"));
}

#[tokio::test]
async fn every_key_of_a_tenant_table_starts_with_the_tenant() {
    let folder = folder();
    let store = open(&folder).await;
    let mut conn = connect(&folder).await;
    let tables = texts(&mut conn, TENANT_TABLES, 0).await;
    assert!(tables.len() >= 19, "{tables:?}");
    let tenant_tables: HashSet<_> = tables.iter().collect();
    for table in &tables {
        let keys = format!(
            "SELECT i.name || ' ' || c.name FROM pragma_index_list('{table}') i, pragma_index_info(i.name) c \
             WHERE i.\"unique\" AND c.seqno = 0"
        );
        let keys = texts(&mut conn, keys, 0).await;
        assert!(!keys.is_empty() && keys.iter().all(|key| key.ends_with(" tenant_id")), "{table}: {keys:?}");
        let foreign = format!(
            "SELECT \"table\" || ' ' || \"from\" FROM pragma_foreign_key_list('{table}') WHERE seq = 0"
        );
        for reference in texts(&mut conn, foreign, 0).await {
            let (to, from) = reference.split_once(' ').unwrap();
            assert_eq!(from, "tenant_id", "{table} refers to {to}");
            assert!(to == "tenants" || tenant_tables.contains(&to.to_owned()), "{table} refers to {to}");
        }
    }
    store.close().await;
}
