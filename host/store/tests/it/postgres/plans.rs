//! How the server finds the rows of a batch, while it knows nothing of its tables yet: by their keys.

use std::time::Duration;

use quantum_store::Store;
use quantum_store::conformance::{postgres_statements, postgres_statements_by_owner};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::prepared;

/// Of one tenant, so that whoever looks for its rows by the tenant alone reads all of them.
const FILL: &str = "INSERT INTO tenants VALUES ('t-1', 'One', 0); INSERT INTO plans VALUES ('t-1', 'p', '{}'); \
     INSERT INTO executions (tenant_id, id, intent_uid, intent_name, intent_version, status, version, epoch, environment, \
         dry_run, requested_by, requested_by_kind, labels, created_at, steps_total, steps_done, summary, plan_digest) \
     SELECT 't-1', n, 'i', 'i', 1, 'running', 1, 1, 'test', FALSE, 'olga', 'user', '{}', 0, 1, 0, '{}', 'p' \
     FROM generate_series(10000, 30000) n";

/// Statements over rows of `executions` that are given by their keys: their beginning, and the types of their
/// parameters.
const BATCHES: [(&str, &str); 2] = [
    ("SELECT e.tenant_id, e.id, e.version, e.epoch FROM UNNEST", "text[], text[]"),
    (
        "UPDATE executions SET version = v.column3",
        "text[], text[], bigint[], text[], bigint[], bigint[], bigint[], bigint[], text[], bigint[], bigint[]",
    ),
];

/// As the pool of a host sets it; and as a statement is planned that has run for a while.
const AS_A_HOST: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
     SET plan_cache_mode = force_generic_plan; SET app.current_tenant_ids = 't-1'";

#[tokio::test]
async fn rows_of_a_batch_are_found_by_their_keys() {
    let Some(database) = prepared().await else { return };
    database.query(FILL);
    let mut conn = database.connect().await;
    run(&mut conn, AS_A_HOST).await;
    for (number, batch) in BATCHES.iter().enumerate() {
        prepare(&mut conn, number, batch).await;
        assert_found_by_key(&mut conn, number, batch).await;
    }
}

/// While a table is empty, one index is as good as another, and the plan that is made then is kept.
#[tokio::test]
async fn a_plan_that_was_made_for_empty_tables_is_made_anew_once_they_are_filled() {
    let Some(database) = prepared().await else { return };
    let mut conn = database.connect().await;
    run(&mut conn, AS_A_HOST).await;
    for (number, batch) in BATCHES.iter().enumerate() {
        prepare(&mut conn, number, batch).await;
        explain(&mut conn, number, batch).await;
    }
    database.query("ALTER TABLE executions SET (autovacuum_enabled = off)");
    database.query(FILL);
    let store = Store::connect(database.options()).await.unwrap();
    let learned = async {
        while database.query("SELECT reltuples FROM pg_class WHERE relname = 'executions'") == "-1" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), learned)
        .await
        .expect("the store sees that the table has grown");
    for (number, batch) in BATCHES.iter().enumerate() {
        assert_found_by_key(&mut conn, number, batch).await;
    }
    store.close().await;
}

/// With what a node knows that took over all but the last of what another one owned: nearly everything has one owner.
#[tokio::test]
async fn what_an_owner_has_is_found_by_the_owner_whatever_else_is_open() {
    let Some(database) = prepared().await else { return };
    database.query(FILL);
    database.query("UPDATE executions SET owner = 'heir'; ANALYZE executions");
    let mut conn = database.connect().await;
    run(&mut conn, "SET ROLE app_platform; SET plan_cache_mode = force_generic_plan").await;
    let types = ["text, text, text, bigint", "text, text, bigint, bigint"];
    for (number, (statement, types)) in postgres_statements_by_owner().iter().zip(types).enumerate() {
        run(&mut conn, &format!("PREPARE batch_{number} ({types}) AS {statement}")).await;
        let plan = explain(&mut conn, number, &(statement, types)).await;
        let by_owner = plan.contains("executions_owned on executions") && !plan.contains("Sort");
        assert!(by_owner, "{statement}\n{plan}");
    }
}

/// A tenant with many of both: what is open and rare, or ended and rare, is not looked for among all of the others.
#[tokio::test]
async fn a_list_of_one_status_reads_what_is_open_or_what_has_ended() {
    let Some(database) = prepared().await else { return };
    database.query(FILL);
    database.query(
        "UPDATE executions SET status = 'completed', ended_at = 1 WHERE id < '25000'; ANALYZE executions",
    );
    let mut conn = database.connect().await;
    run(&mut conn, AS_A_HOST).await;
    run(&mut conn, "SET ROLE app_user; SET app.current_tenant_id = 't-1'").await;
    let types = "text, text, text, text, text, text, text, bigint, bigint, bigint";
    let mut lists = 0;
    for (number, statement) in postgres_statements().iter().enumerate() {
        let (open, ended) =
            (statement.contains("e.ended_at IS NULL"), statement.contains("e.ended_at IS NOT NULL"));
        // Of a time of creation the server guesses that few are meant, and may sort those.
        let is_list = statement.ends_with("id DESC LIMIT $10")
            && !["execution_labels", "e.created_at <", "e.created_at >="]
                .iter()
                .any(|part| statement.contains(part));
        let index = match (open, ended, statement.contains("e.intent_uid =")) {
            (true, false, _) => "executions_open",
            (false, true, true) => "executions_intent_status",
            (false, true, false) => "executions_status",
            // Nothing at all, or of every status.
            _ => continue,
        };
        if !is_list {
            continue;
        }
        lists += 1;
        run(&mut conn, &format!("PREPARE batch_{number} ({types}) AS {statement}")).await;
        let plan = explain(&mut conn, number, &(statement, types)).await;
        let found = plan.contains(&format!("{index} on executions")) && !plan.contains("Sort");
        assert!(found, "{index}: {statement}\n{plan}");
    }
    assert!(lists >= 30, "{lists}");
}

async fn prepare(conn: &mut PgConnection, number: usize, (beginning, types): &(&str, &str)) {
    let statements = postgres_statements();
    let of_batch = |text: &&String| text.starts_with(beginning) && text.contains("UNNEST");
    let statement = statements.iter().find(of_batch).expect(beginning);
    run(conn, &format!("SET ROLE app_journal; PREPARE batch_{number} ({types}) AS {statement}")).await;
}

async fn assert_found_by_key(conn: &mut PgConnection, number: usize, batch: &(&str, &str)) {
    let plan = explain(conn, number, batch).await;
    let by_key = plan.contains("executions_pkey on executions") && plan.contains("AND (id = (v.column2)");
    assert!(by_key, "{}\n{plan}", batch.0);
}

async fn explain(conn: &mut PgConnection, number: usize, (_, types): &(&str, &str)) -> String {
    let nulls = vec!["NULL"; types.split(',').count()].join(", ");
    let sql = format!("EXPLAIN EXECUTE batch_{number} ({nulls})");
    let rows = conn.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.clone()))).await.expect(&sql);
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

async fn run(conn: &mut PgConnection, sql: &str) {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.expect(sql);
}
