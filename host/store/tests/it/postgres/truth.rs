//! Who may do what to whose rows, asked of the server itself: every table with a `tenant_id` × every role × every way
//! to read or write, as the login of a host. What is expected is written down here and not read from the catalog.

use super::Prepared;
use super::raw::Outcome::{self, Denied, Policy, Rows};
use super::raw::Raw;

/// A new one is added here, and to the lists below where a role needs it.
const TENANT_TABLES: [&str; 26] = [
    "artifact_names",
    "artifact_usage",
    "artifacts",
    "blueprints",
    "changes",
    "commands",
    "execution_labels",
    "executions",
    "idempotency_keys",
    "installations",
    "intent_labels",
    "intent_text",
    "intent_versions",
    "intents",
    "journal",
    "kv",
    "kv_spaces",
    "logs",
    "memberships",
    "plans",
    "schedules",
    "secrets",
    "service_accounts",
    "tenant_keys",
    "tenant_settings",
    "usage_sums",
];
/// Read, added to and changed by `app_journal`, and nothing else is.
const JOURNAL: [&str; 7] =
    ["execution_labels", "executions", "idempotency_keys", "journal", "logs", "plans", "usage_sums"];
/// Read by `app_reader`, and nothing else is.
const READER: [&str; 9] = [
    "changes",
    "commands",
    "executions",
    "installations",
    "journal",
    "plans",
    "schedules",
    "tenant_settings",
    "usage_sums",
];
/// Columns that `app_platform` reads of all tenants.
const PLATFORM: [(&str, &[&str]); 11] = [
    ("artifact_names", &["tenant_id", "execution_id", "at"]),
    ("artifacts", &["tenant_id", "digest", "unheld_at"]),
    ("changes", &["tenant_id", "number"]),
    ("commands", &["tenant_id", "id", "execution_id", "node", "taken", "asked_at"]),
    ("executions", &["tenant_id", "id", "owner", "epoch", "ended_at"]),
    ("idempotency_keys", &["tenant_id", "at"]),
    ("kv", &["tenant_id", "expires_at"]),
    // Of one person.
    ("memberships", &["tenant_id", "principal_id", "kind", "roles", "active"]),
    ("schedules", &["tenant_id", "uid", "next_at"]),
    ("tenant_keys", &["master"]),
    ("usage_sums", &["tenant_id", "day"]),
];
/// Columns that `app_platform` sets: of an execution while it is open, and of what is asked of a node.
const CLAIMED: [(&str, &[&str]); 2] =
    [("executions", &["owner", "epoch", "lease_until"]), ("commands", &["node", "taken"])];

/// Rows of two tenants in every table, and neither keys, triggers nor NOT NULL: they would answer before the policies
/// do. Columns that may be NULL are.
const FILL: &str = r#"
INSERT INTO tenants (id, name, created_at) VALUES ('t-1', '', 0), ('t-2', '', 0);
DO $$
DECLARE t record; k record; tenant text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR t IN SELECT c.oid, c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'tenant_id'
    LOOP
        FOREACH tenant IN ARRAY ARRAY['t-1', 't-2'] LOOP
            EXECUTE (SELECT format('INSERT INTO %I (%s) VALUES (%s)', t.relname, string_agg(quote_ident(a.attname), ', '),
                string_agg(CASE WHEN a.attname = 'tenant_id' THEN quote_literal(tenant) ELSE '''1''' END, ', '))
                FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 AND a.attnotnull AND a.attgenerated = '');
        END LOOP;
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', t.relname);
    END LOOP;
    FOR k IN SELECT c.conrelid::regclass AS of, c.conname FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid
        WHERE c.contype IN ('p', 'u', 'f') AND a.attname = 'tenant_id' ORDER BY c.contype = 'f' DESC
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', k.of, k.conname);
    END LOOP;
    FOR k IN SELECT a.attrelid::regclass AS of, a.attname FROM pg_attribute a JOIN pg_attribute o ON o.attrelid = a.attrelid
        WHERE o.attname = 'tenant_id' AND a.attnotnull AND a.attnum > 0 AND a.attrelid IN
            (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', k.of, k.attname);
    END LOOP;
END $$"#;
/// Lines of `table|column`, without what the server computes.
const COLUMNS: &str = "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
     JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id' \
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 \
     AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY 1, a.attnum";

struct Table {
    name: String,
    /// All of them; `tenant_id` first.
    columns: Vec<String>,
}

/// A filled database, its tables, and a connection of the login.
async fn filled() -> Option<(Prepared, Vec<Table>, Raw)> {
    let database = super::prepared().await?;
    database.query(FILL);
    let mut tables: Vec<Table> = Vec::new();
    for line in database.query(COLUMNS).lines() {
        let (name, column) = line.split_once('|').unwrap();
        match tables.last_mut().filter(|last| last.name == name) {
            Some(table) => table.columns.push(column.to_owned()),
            None => tables.push(Table { name: name.to_owned(), columns: vec![column.to_owned()] }),
        }
    }
    for table in &tables {
        let rows = database.query(&format!("SELECT tenant_id FROM {} ORDER BY 1", table.name));
        assert_eq!(rows, "t-1\nt-2", "{} has a row of each tenant", table.name);
    }
    let raw = Raw::connect(&database).await;
    Some((database, tables, raw))
}

/// What is asked, and what must come of it.
type Question = (String, Outcome);

/// The rights of a role to the rows of its tenants. What it has no right to is denied, whoever's row it is.
#[derive(Clone, Copy, Default)]
struct Rights {
    read: bool,
    write: bool,
    delete: bool,
}

impl Rights {
    fn questions(self, table: &Table) -> Vec<Question> {
        let name = &table.name;
        let to = |may: bool, outcome: Outcome| if may { outcome } else { Denied };
        let insert = |tenant: &str| format!("INSERT INTO {name} (tenant_id) VALUES ('{tenant}')");
        let mut all = vec![
            (format!("SELECT 1 FROM {name}"), to(self.read, Rows(1))),
            (format!("SELECT * FROM {name} WHERE tenant_id = 't-1'"), to(self.read, Rows(1))),
            (format!("SELECT * FROM {name} WHERE tenant_id = 't-2'"), to(self.read, Rows(0))),
            (insert("t-1"), to(self.write, Rows(1))),
            (insert("t-2"), to(self.write, Policy)),
            (format!("UPDATE {name} SET tenant_id = 't-2'"), to(self.write, Policy)),
            (format!("UPDATE {name} SET tenant_id = 't-1' WHERE tenant_id = 't-2'"), to(self.write, Rows(0))),
            (format!("DELETE FROM {name}"), to(self.delete, Rows(1))),
            (format!("DELETE FROM {name} WHERE tenant_id = 't-2'"), to(self.delete, Rows(0))),
            (format!("TRUNCATE {name}"), Denied),
        ];
        for column in &table.columns[1..] {
            let update = format!("UPDATE {name} SET {column} = NULL");
            all.push((format!("{update} WHERE tenant_id = 't-2'"), to(self.write, Rows(0))));
            all.push((update, to(self.write, Rows(1))));
        }
        all
    }
}

/// Across tenants: what it may see at all it sees of both.
fn of_platform(table: &Table) -> Vec<Question> {
    let name = &table.name;
    let read: &[&str] = PLATFORM.iter().find(|(of, _)| of == name).map_or(&[], |(_, columns)| columns);
    let to = |may: bool| if may { Rows(2) } else { Denied };
    let mut all = vec![
        (format!("INSERT INTO {name} (tenant_id) VALUES ('t-1')"), Denied),
        (format!("DELETE FROM {name}"), Denied),
        (format!("TRUNCATE {name}"), Denied),
    ];
    for column in &table.columns {
        let writes = CLAIMED.iter().any(|(of, columns)| of == name && columns.contains(&column.as_str()));
        all.push((format!("SELECT {column} FROM {name}"), to(read.contains(&column.as_str()))));
        all.push((format!("UPDATE {name} SET {column} = NULL"), to(writes)));
    }
    all
}

async fn differences(raw: &mut Raw, questions: Vec<Question>) -> Vec<String> {
    let mut found = Vec::new();
    for (sql, expected) in questions {
        let outcome = raw.try_out(&sql).await;
        if outcome != expected {
            found.push(format!("{sql}: {outcome:?} instead of {expected:?}"));
        }
    }
    found
}

type Settings = &'static [(&'static str, &'static str)];

const ONE: [(&str, &str); 1] = [("app.current_tenant_id", "t-1")];
const BATCH: [(&str, &str); 1] = [("app.current_tenant_ids", "t-1,t-3")];
const PERSON: [(&str, &str); 1] = [("app.current_principal_id", "1")];

#[tokio::test]
async fn every_role_may_do_to_every_table_what_is_written_here_and_no_more() {
    let Some((_database, tables, mut raw)) = filled().await else { return };
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, TENANT_TABLES, "each table of tenants has its line here");
    let mut found = Vec::new();
    for table in &tables {
        let all = Rights { read: true, write: true, delete: true };
        let writes = JOURNAL.contains(&table.name.as_str());
        let journal = Rights { read: writes, write: writes, delete: false };
        let reader = Rights { read: READER.contains(&table.name.as_str()), ..Rights::default() };
        let roles: [(&str, Settings, Vec<Question>); 4] = [
            ("app_user", &ONE, all.questions(table)),
            ("app_journal", &BATCH, journal.questions(table)),
            ("app_reader", &BATCH, reader.questions(table)),
            ("app_platform", &PERSON, of_platform(table)),
        ];
        for (role, settings, questions) in roles {
            raw.begin(role, settings).await;
            let different = differences(&mut raw, questions).await;
            found.extend(different.into_iter().map(|text| format!("{role}: {text}")));
            raw.rollback().await;
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn without_a_role_the_login_sees_nothing() {
    let Some((_database, tables, mut raw)) = filled().await else { return };
    assert_eq!(raw.ask("BEGIN; SET LOCAL app.current_tenant_id = 't-1'").await, Rows(0));
    let mut found = Vec::new();
    for table in &tables {
        found.extend(differences(&mut raw, Rights::default().questions(table)).await);
    }
    for table in ["tenants", "users"] {
        found.extend(differences(&mut raw, vec![(format!("SELECT 1 FROM {table}"), Denied)]).await);
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// These tell of other tenants and people: for whoever works for one tenant, a name in them can be added or looked up,
/// and not listed.
#[tokio::test]
async fn tenants_and_people_are_listed_by_the_platform_alone() {
    let Some((_database, _, mut raw)) = filled().await else { return };
    let tenant = "INSERT INTO tenants (id, name, created_at) VALUES ('t-9', '', 0)";
    let person = "INSERT INTO users (id, created_at) VALUES ('someone', 0) ON CONFLICT DO NOTHING";
    let (ids, names, people) = ("SELECT id FROM tenants", "SELECT name FROM tenants", "SELECT 1 FROM users");
    for (role, allowed) in [
        ("app_user", &[person][..]),
        ("app_journal", &[ids]),
        ("app_reader", &[]),
        ("app_platform", &[tenant, person, ids, names, people]),
    ] {
        raw.begin(role, &[]).await;
        for sql in [tenant, person, ids, names, people] {
            let denied = raw.try_out(sql).await == Denied;
            assert_eq!(denied, !allowed.contains(&sql), "{role}: {sql}");
        }
        for table in ["tenants", "users", "schema_migrations"] {
            for sql in [format!("DELETE FROM {table}"), format!("TRUNCATE {table}")] {
                assert_eq!(raw.try_out(&sql).await, Denied, "{role}: {sql}");
            }
        }
        raw.rollback().await;
    }
}

/// FORCE: the owner of the tables, whom migrations work as, is in no policy.
#[tokio::test]
async fn the_owner_of_the_tables_sees_no_row() {
    let Some((database, tables, _)) = filled().await else { return };
    for table in &tables {
        let count = format!("BEGIN; SET LOCAL ROLE app_owner; SELECT count(*) FROM {}; COMMIT", table.name);
        assert_eq!(database.query(&count), "0", "{}", table.name);
    }
}

/// A claim of an execution that has ended would give it an owner again.
#[tokio::test]
async fn what_has_ended_is_not_claimed() {
    let Some((database, _, mut raw)) = filled().await else { return };
    database.query("UPDATE executions SET ended_at = 1 WHERE tenant_id = 't-2'");
    raw.begin("app_platform", &[]).await;
    assert_eq!(raw.ask("UPDATE executions SET owner = 'node-2'").await, Rows(1));
}

#[tokio::test]
async fn a_person_sees_memberships_of_that_person_alone() {
    let Some((_database, _, mut raw)) = filled().await else { return };
    for (person, rows) in [("1", 2), ("2", 0), ("", 0)] {
        raw.begin("app_platform", &[("app.current_principal_id", person)]).await;
        assert_eq!(raw.ask("SELECT 1 FROM memberships").await, Rows(rows), "{person}");
        raw.rollback().await;
    }
}

/// A setting that was never made is unknown; one that was made in an earlier transaction reads as ''. Neither is "all".
#[tokio::test]
async fn without_a_tenant_every_table_is_an_error() {
    let Some((database, tables, _)) = filled().await else { return };
    for (role, setting, seen) in [
        ("app_user", "app.current_tenant_id", &TENANT_TABLES[..]),
        ("app_journal", "app.current_tenant_ids", &JOURNAL),
        ("app_reader", "app.current_tenant_ids", &READER),
    ] {
        let mut raw = Raw::connect(&database).await;
        for text in ["unrecognized configuration parameter", "set in this transaction"] {
            for table in tables.iter().filter(|table| seen.contains(&table.name.as_str())) {
                raw.begin(role, &[]).await;
                for sql in [
                    format!("SELECT 1 FROM {}", table.name),
                    format!("SELECT 1 FROM {} WHERE tenant_id = 't-1'", table.name),
                ] {
                    let outcome = raw.try_out(&sql).await;
                    let is_told = matches!(&outcome, Outcome::Error(told) if told.contains(text));
                    assert!(is_told, "{role}: {sql}: {outcome:?}");
                }
                raw.rollback().await;
            }
            raw.begin(role, &[(setting, "t-1")]).await;
            assert_eq!(raw.ask("COMMIT").await, Rows(0));
        }
    }
    let mut raw = Raw::connect(&database).await;
    raw.begin("app_platform", &[]).await;
    assert!(matches!(raw.ask("SELECT 1 FROM memberships").await, Outcome::Error(_)));
}

#[tokio::test]
async fn what_would_switch_the_isolation_off_is_refused() {
    let Some((_database, tables, mut raw)) = filled().await else { return };
    for table in &tables {
        let name = &table.name;
        for sql in [
            format!("ALTER TABLE {name} DISABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY"),
            format!("DROP POLICY tenant_isolation ON {name}"),
            format!("CREATE POLICY all_of_it ON {name} USING (true)"),
            format!("DROP TABLE {name}"),
        ] {
            assert_eq!(raw.ask(&sql).await, Denied, "{sql}");
        }
    }
    for sql in [
        "SET ROLE app_owner",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "CREATE TABLE public.mine (a int)",
        "CREATE TABLE app.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE OR REPLACE FUNCTION app.tenant() RETURNS text LANGUAGE sql AS $$ SELECT 't-2' $$",
        "INSERT INTO schema_migrations (number, name, oldest_schema, oldest_binary) VALUES (9, 'x', 1, '0.1.0')",
    ] {
        assert_eq!(raw.ask(sql).await, Denied, "{sql}");
    }
}

/// A dump, for example: an error, and not a part of the rows that looks like all.
#[tokio::test]
async fn row_security_off_is_an_error_and_not_a_way_around() {
    let Some((_database, tables, mut raw)) = filled().await else { return };
    for table in &tables {
        raw.begin("app_user", &ONE).await;
        assert_eq!(raw.ask("SET LOCAL row_security = off").await, Rows(0));
        let outcome = raw.ask(&format!("SELECT 1 FROM {}", table.name)).await;
        let is_told = matches!(&outcome, Outcome::Error(told) if told.contains("would be affected by row-level security"));
        assert!(is_told, "{}: {outcome:?}", table.name);
        raw.rollback().await;
    }
}
