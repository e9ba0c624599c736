//! How the server finds the rows of a batch, while it knows nothing of its tables yet: by their keys.

use quantum_store::conformance::postgres_statements;
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

#[tokio::test]
async fn rows_of_a_batch_are_found_by_their_keys() {
    let Some(database) = prepared().await else { return };
    database.query(FILL);
    let mut conn = database.connect().await;
    // As the pool of a host sets it; and as a statement is planned that has run for a while.
    run(&mut conn, "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off").await;
    run(&mut conn, "SET plan_cache_mode = force_generic_plan; SET app.current_tenant_ids = 't-1'").await;
    for (beginning, types) in BATCHES {
        let statements = postgres_statements();
        let of_batch = |text: &&String| text.starts_with(beginning) && text.contains("UNNEST");
        let statement = statements.iter().find(of_batch).expect(beginning);
        let nulls = vec!["NULL"; types.split(',').count()].join(", ");
        run(&mut conn, &format!("SET ROLE app_journal; PREPARE batch ({types}) AS {statement}")).await;
        let plan = texts(&mut conn, &format!("EXPLAIN EXECUTE batch ({nulls})")).await.join("\n");
        let by_key = plan.contains("executions_pkey on executions") && plan.contains("AND (id = (v.column2)");
        assert!(by_key, "{beginning}\n{plan}");
        run(&mut conn, "DEALLOCATE batch; RESET ROLE").await;
    }
}

async fn run(conn: &mut PgConnection, sql: &str) {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.expect(sql);
}

async fn texts(conn: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows = conn.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.expect(sql);
    rows.iter().map(|row| row.get(0)).collect()
}
