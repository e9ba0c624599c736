//! Each earlier schema, with rows in every table that it has, is brought up to the present one. A new migration is
//! tested by being there; one that adds tables gets its rows in `ROWS`.

use std::fs;
use std::path::Path;

use quantum_store::conformance::scope;
use quantum_store::{Usage, newest_schema, snapshot_contents};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};

use crate::{folder, open, options};

/// What each schema can hold since it is there. Rows of schema 1 go into all of them.
const ROWS: [(usize, &str); 7] = [
    (
        1,
        "INSERT INTO tenants VALUES ('t-1', 'One', 1);
         INSERT INTO users VALUES ('alice', 1);
         INSERT INTO memberships VALUES ('t-1', 'alice', 'user', '[\"admin\"]', 1);
         INSERT INTO intent_text (rowid, tenant, name, description) VALUES (1, 't1', 'ship', '');
         INSERT INTO intents VALUES ('t-1', '0198c0de-0000-7000-8000-000000000001', 'ship', 'active', 1, 1, 1,
             'production', 1, 'alice', 1, 1);
         INSERT INTO intent_versions (tenant_id, intent_uid, number, status, description, labels, environment,
             definition, created_at, created_by) VALUES ('t-1', '0198c0de-0000-7000-8000-000000000001', 1, 'active',
             '', '{}', 'production', '{\"target\":\"prod-eu\"}', 1, 'alice');
         INSERT INTO plans VALUES ('t-1', 'sha256:2222222222222222222222222222222222222222222222222222222222222222',
             '{\"steps\":[{\"action\":{\"component\":
             \"sha256:1111111111111111111111111111111111111111111111111111111111111111\"}}]}');
         INSERT INTO executions (tenant_id, id, intent_uid, intent_name, intent_version, status, version, epoch,
             environment, dry_run, requested_by, requested_by_kind, labels, created_at, steps_total, steps_done,
             summary, plan_digest) VALUES ('t-1', '0198c0de-0000-7000-8000-000000000002',
             '0198c0de-0000-7000-8000-000000000001', 'ship', 1, 'running', 1, 1, 'production', 0, 'alice', 'user',
             '{}', 1, 1, 0, '{}', 'sha256:2222222222222222222222222222222222222222222222222222222222222222');
         INSERT INTO execution_labels VALUES ('t-1', 'team', 'web', '0198c0de-0000-7000-8000-000000000002');
         INSERT INTO journal VALUES ('t-1', '0198c0de-0000-7000-8000-000000000002', 1, 1, '[{}]', 'null');
         INSERT INTO logs VALUES ('t-1', '0198c0de-0000-7000-8000-000000000002', 1, 'a', 1, 1, '{}');
         INSERT INTO idempotency_keys VALUES ('t-1', 'alice', 'execute', 'k', 'f', '{}', 1);
         INSERT INTO installations VALUES ('t-1', 'acme:old', '1.0.0',
             'sha256:0000000000000000000000000000000000000000000000000000000000000000', '{}', '{}', '{}', 'verified',
             'none', 'alice', 1, 1);",
    ),
    (
        3,
        "INSERT INTO artifacts VALUES ('t-1',
             'sha256:3333333333333333333333333333333333333333333333333333333333333333', 7, NULL, 1, NULL);
         INSERT INTO artifact_names VALUES ('t-1', '', 'app',
             'sha256:3333333333333333333333333333333333333333333333333333333333333333', 1, 'alice');
         INSERT INTO kv_spaces VALUES ('t-1', 'acme:old', 1, 0, 0);
         INSERT INTO kv VALUES ('t-1', 'acme:old', 'k', x'00', 1, NULL);
         INSERT INTO tenant_keys VALUES ('t-1', 1, 'm', x'00', 1);
         INSERT INTO secrets VALUES ('t-1', 'KEY', 'production', x'00', x'00', 1, '[]', NULL, 1, 1, 'alice', 1,
             'alice');",
    ),
    (5, "INSERT INTO tenant_settings VALUES ('t-1', 3, '{}', 1, 'alice');"),
    (
        6,
        "INSERT INTO schedules VALUES ('t-1', '0198c0de-0000-7000-8000-000000000003', 'nightly',
             '0198c0de-0000-7000-8000-000000000001', '{}', 1, 1, 'alice', 'user', 1, 'alice', 1, 1, NULL, NULL, '{}');",
    ),
    (7, "INSERT INTO blueprints VALUES ('t-1', 'ship', 1, '', 1, 'alice', '{}');"),
    (
        10,
        "INSERT INTO nodes VALUES ('n-1', 'n', '0.1.0', NULL, 1, 2, 0);
         INSERT INTO leaders VALUES ('schedules', 'n-1');
         INSERT INTO commands VALUES ('t-1', '0198c0de-0000-7000-8000-000000000004',
             '0198c0de-0000-7000-8000-000000000002', 'n-1', '{}', 1, 0, NULL);",
    ),
    (11, "INSERT INTO usage_sums VALUES ('t-1', 7, 'acme:old', '1.0.0', 'go', 0, 1, 0, 2, 3, 4, 5, 6, 7, 8);"),
];

const APPLIED: &str = "CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, \
    oldest_schema INTEGER NOT NULL, oldest_binary TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT '') STRICT";
const RECORD: &str =
    "INSERT INTO schema_migrations (number, name, oldest_schema, oldest_binary) VALUES (?, 'x', 1, '0.1.0')";
const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
    AND name NOT LIKE 'intent_text%' AND name NOT IN ('schema_migrations', 'service_accounts', 'intent_labels')";

/// The migrations, in order.
fn steps() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// A database as a program that knew the first steps only left it.
async fn make(path: &Path, steps: &[String]) {
    let create = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut conn = create.connect().await.unwrap();
    sqlx::raw_sql(APPLIED).execute(&mut conn).await.unwrap();
    for (number, step) in (1_i64..).zip(steps) {
        sqlx::raw_sql(AssertSqlSafe(step.clone())).execute(&mut conn).await.unwrap();
        sqlx::query(RECORD).bind(number).execute(&mut conn).await.unwrap();
    }
    for (_, rows) in ROWS.iter().filter(|(since, _)| *since <= steps.len()) {
        sqlx::raw_sql(*rows).execute(&mut conn).await.unwrap();
    }
    for (table, rows) in counts(&mut conn).await {
        assert!(rows > 0, "schema {} is tested with a row in {table}", steps.len());
    }
    conn.close().await.unwrap();
}

async fn counts(conn: &mut SqliteConnection) -> Vec<(String, i64)> {
    let tables = sqlx::query(TABLES).fetch_all(&mut *conn).await.unwrap();
    let mut counts = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        let count = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
        counts.push((table, count.fetch_one(&mut *conn).await.unwrap().get(0)));
    }
    counts
}

#[tokio::test]
async fn a_database_of_every_earlier_schema_is_brought_up_to_this_one() {
    let steps = steps();
    assert_eq!(steps.len() as i64, newest_schema());
    for known in 1..=steps.len() {
        let folder = folder();
        let path = options(&folder).path;
        make(&path, &steps[..known]).await;
        let connect = SqliteConnectOptions::new().filename(&path);
        let before = counts(&mut connect.connect().await.unwrap()).await;
        let earlier = snapshot_contents(&path).await.unwrap();
        assert_eq!((earlier.schema, earlier.executions), (known as i64, 1));

        let store = open(&folder).await;
        let installations = store.platform().installations().await.unwrap();
        let [old] = installations.as_slice() else { panic!("{installations:?}") };
        let expected = if known == 1 { r#"{"config":{}}"# } else { "{}" };
        assert_eq!((old.plugin.as_str(), old.settings.as_str()), ("acme:old", expected));
        let scope = scope("t-1");
        let kept = if known < 3 { Usage::default() } else { Usage { artifacts: 1, bytes: 7 } };
        assert_eq!(store.artifacts(&scope).usage().await.unwrap(), kept);
        let key = store.secrets(&scope).current_key().await.unwrap();
        assert_eq!(key.is_some(), known >= 3);
        assert_eq!(store.settings(&scope).in_force().revision, if known < 5 { 0 } else { 3 });
        store.close().await;

        let upgraded = snapshot_contents(&path).await.unwrap();
        assert_eq!(upgraded.schema, newest_schema());
        assert_eq!((upgraded.components.len(), upgraded.executions_open), (2, 1));
        let after = counts(&mut connect.connect().await.unwrap()).await;
        for (table, rows) in before {
            assert!(
                after.contains(&(table.clone(), rows)),
                "{table} of schema {known} keeps its {rows} rows"
            );
        }
    }
}
