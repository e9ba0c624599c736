//! One connection that tenants use in turn: whatever happened to the one before, the next one sees its own rows, nothing
//! half-written, and no role or tenant that is left over.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use quantum_core::id::TenantId;
use quantum_testing::TestDatabase;

use super::fixtures::{opener, prepared};
use crate::access::Access;
use crate::conformance::{create, execution_id, hold, scope, with_tenants};
use crate::database::{Conn, Query};
use crate::store::Backend;
use crate::{CommitError, Error, Health, PostgresOptions, Store, TenantScope};

const PUT: &str = "INSERT INTO service_accounts (tenant_id, id, created_at) VALUES (?, ?, 0)";
const IDS: &str = "SELECT tenant_id, id FROM service_accounts ORDER BY id";
/// Of the connection as the pool gives it: in no transaction, and of no role or tenant.
const IS_CLEAN: &str = "SELECT CASE WHEN current_user = session_user AND now() = statement_timestamp() \
     AND coalesce(current_setting('app.current_tenant_id', true), '') = '' \
     AND coalesce(current_setting('app.current_tenant_ids', true), '') = '' THEN 1 ELSE 1 / (random() * 0)::int END";

/// A store with one connection, and a row of each of two tenants.
struct Shared {
    database: TestDatabase,
    store: Store,
    mine: TenantScope,
    other: TenantScope,
}

impl Shared {
    async fn open(patience: Duration) -> Option<Self> {
        let (database, options) = prepared().await?;
        let options = PostgresOptions { connections: 1, patience, ..options };
        let store = with_tenants(&opener(options), &["t-1", "t-2"]).await.unwrap();
        let new = Self { database, store, mine: scope("t-1"), other: scope("t-2") };
        new.add(&new.other, "of-2").await.unwrap();
        Some(new)
    }

    async fn add(&self, scope: &TenantScope, id: &str) -> Result<(), Error> {
        let put = put(scope.tenant(), id);
        self.store.write(scope, |conn| Box::pin(async move { Ok(put.execute(conn).await.map(drop)?) })).await
    }

    /// Without a condition: what row-level security shows.
    async fn ids(&self, scope: &TenantScope) -> Result<Vec<String>, Error> {
        ids(&mut self.store.read(scope).await?).await
    }

    /// INVARIANT: there is one connection, so that whoever comes next has the one that was used before, or a new one.
    async fn assert_clean(&self, ids: &[&str], why: &str) {
        let Backend::Postgres(postgres) = &self.store.backend else { panic!("a store of PostgreSQL") };
        let mut conn = postgres.pool().acquire().await.unwrap();
        sqlx::Executor::execute(&mut *conn, sqlx::raw_sql(IS_CLEAN)).await.expect(why);
        drop(conn);
        assert_eq!(self.ids(&self.other).await.unwrap(), ["of-2"], "{why}");
        assert_eq!(self.ids(&self.mine).await.unwrap(), ids, "{why}");
        assert_eq!(postgres.pool().size(), 1, "{why}");
    }

    /// Ends all sessions of the store on this database.
    fn terminate(&self) {
        self.database.query(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
             WHERE datname = current_database() AND usename = 'quantum'",
        );
    }
}

fn put(tenant: &TenantId, id: &str) -> Query {
    Query::new(PUT).bind(tenant.to_string()).bind(id.to_owned())
}

async fn ids(conn: &mut Conn) -> Result<Vec<String>, Error> {
    let rows = Query::new(IDS).fetch_all(conn).await?;
    rows.iter().map(|row| Ok(row.text(1)?.to_owned())).collect()
}

/// Polls this often at most; None: the future was dropped before it was ready.
async fn polled<F: Future>(future: F, most: usize) -> Option<F::Output> {
    let (mut future, mut polls) = (Box::pin(future), 0);
    let polled = poll_fn(move |context| {
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls >= most => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    polled.await
}

const PATIENCE: Duration = Duration::from_secs(20);
/// A server that is quick answers before it is waited for, the more so beside other work: not every await is there each
/// time.
const ROUNDS: usize = 10;
/// Something is to time out. Longer than any answer that must come.
const SHORT: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_is_dropped_at_any_await_leaves_nothing_behind() {
    let Some(shared) = Shared::open(PATIENCE).await else { return };
    let mut all = 0;
    for _ in 0..ROUNDS {
        let mut dropped = 0;
        while polled(shared.ids(&shared.mine), dropped + 1).await.is_none() {
            dropped += 1;
            shared.assert_clean(&[], &format!("dropped at {dropped}")).await;
        }
        all += dropped;
    }
    assert!(all > 0, "something is waited for");
}

/// As `Store::write` does it, but not in a task that goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_dropped_at_any_await_is_there_whole_or_not_at_all() {
    let Some(shared) = Shared::open(PATIENCE).await else { return };
    let Backend::Postgres(postgres) = &shared.store.backend else { panic!("a store of PostgreSQL") };
    let tenant = shared.mine.tenant();
    let change = async || -> Result<(), sqlx::Error> {
        let mut conn = postgres.begin_with(postgres.changing(Access::Tenant(tenant))).await?;
        put(tenant, "a").execute(&mut conn).await?;
        put(tenant, "b").execute(&mut conn).await?;
        conn.commit().await.map(drop)
    };
    let mut all = 0;
    for _ in 0..ROUNDS {
        let mut dropped = 0;
        while polled(change(), dropped + 1).await.is_none() {
            dropped += 1;
            let written = shared.ids(&shared.mine).await.unwrap();
            assert!(written.is_empty() || written == ["a", "b"], "{dropped}: {written:?}");
            let written: Vec<_> = written.iter().map(String::as_str).collect();
            shared.assert_clean(&written, &format!("dropped at {dropped}")).await;
            shared.database.query("DELETE FROM service_accounts WHERE tenant_id = 't-1'");
        }
        all += dropped;
        shared.assert_clean(&["a", "b"], "done").await;
        shared.database.query("DELETE FROM service_accounts WHERE tenant_id = 't-1'");
    }
    assert!(all > 0, "something is waited for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_nobody_waits_for_is_done() {
    let Some(shared) = Shared::open(PATIENCE).await else { return };
    assert!(polled(shared.add(&shared.mine, "a"), 1).await.is_none());
    shared.assert_clean(&["a"], "after it, since there is one connection").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_panics_keeps_nothing() {
    let Some(shared) = Shared::open(PATIENCE).await else { return };
    let query = put(shared.mine.tenant(), "a");
    let broken: Result<(), Error> = shared
        .store
        .write(&shared.mine, |conn| {
            Box::pin(async move {
                query.execute(conn).await?;
                panic!("on purpose")
            })
        })
        .await;
    assert!(matches!(broken, Err(Error::Unavailable(_))), "{broken:?}");
    shared.assert_clean(&[], "after a panic").await;
}

/// COMMIT of a transaction of which a statement failed rolls back, and calls that a success.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_overlooks_a_failed_statement_is_not_called_done() {
    let Some(shared) = Shared::open(PATIENCE).await else { return };
    let (first, again) = (put(shared.mine.tenant(), "a"), put(shared.mine.tenant(), "a"));
    let overlooked = shared
        .store
        .write(&shared.mine, |conn| {
            Box::pin(async move {
                first.execute(conn).await?;
                assert!(again.execute(conn).await.is_err());
                Ok(())
            })
        })
        .await;
    assert!(overlooked.is_err());
    shared.assert_clean(&[], "after a failed statement").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_in_the_middle_of_a_change_keeps_nothing() {
    let Some(shared) = Shared::open(PATIENCE).await else { return };
    let shared = std::sync::Arc::new(shared);
    let (first, second) = (put(shared.mine.tenant(), "a"), put(shared.mine.tenant(), "b"));
    let inside = std::sync::Arc::clone(&shared);
    let cut = shared
        .store
        .write(&shared.mine, |conn| {
            Box::pin(async move {
                first.execute(conn).await?;
                inside.terminate();
                Ok(second.execute(conn).await.map(drop)?)
            })
        })
        .await;
    assert!(matches!(cut, Err(Error::Unavailable(_))), "{cut:?}");
    shared.assert_clean(&[], "after the end of the session").await;
    shared.terminate();
    shared.assert_clean(&[], "after the end of a session that nobody used").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_in_the_middle_of_a_batch_keeps_nothing_and_the_next_batch_is_written() {
    let Some(shared) = Shared::open(PATIENCE).await else { return };
    let journal = shared.store.journal();
    let held = hold(&shared.store).await;
    shared.terminate();
    drop(held);
    journal.commit(create(&shared.mine, 1)).await.unwrap();
    assert_eq!(shared.store.health(), Health::Ready);
    assert!(shared.store.executions(&shared.mine).load(&execution_id(1)).await.unwrap().is_some());
    assert!(shared.store.executions(&shared.other).load(&execution_id(1)).await.unwrap().is_none());
    shared.assert_clean(&[], "after a batch").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_is_given_up_and_keeps_nothing() {
    let Some(shared) = Shared::open(SHORT).await else { return };
    let query = put(shared.mine.tenant(), "a");
    let late = shared
        .store
        .write(&shared.mine, |conn| {
            Box::pin(async move {
                query.execute(conn).await?;
                Ok(conn.run("SELECT pg_sleep(600)").await?)
            })
        })
        .await;
    assert!(matches!(&late, Err(Error::Unavailable(told)) if told.reason.contains("lock free")), "{late:?}");
    shared.assert_clean(&[], "after a statement that took too long").await;
}

/// BEGIN itself fails then: the lock comes with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_does_not_get_its_turn_is_given_up() {
    let Some(shared) = Shared::open(SHORT).await else { return };
    let url = shared.database.url();
    let mut blocker = super::connect::connection(&url, SHORT).await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('t-1', 1903518062))";
    sqlx::Executor::execute(&mut blocker, sqlx::raw_sql(lock)).await.unwrap();
    let late = shared.add(&shared.mine, "a").await;
    assert!(matches!(&late, Err(Error::Unavailable(_))), "{late:?}");
    shared.assert_clean(&[], "after a lock that did not come").await;
    drop(blocker);
}

/// A host that stands still holds the lock of its tenant, which the other hosts wait for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_in_which_nothing_happens_is_ended_by_the_server() {
    let Some(shared) = Shared::open(Duration::from_millis(300)).await else { return };
    let Backend::Postgres(postgres) = &shared.store.backend else { panic!("a store of PostgreSQL") };
    let still = postgres.begin(Access::Tenant(shared.mine.tenant())).await.unwrap();
    let gone = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()";
    while shared.database.query(gone) != "0" {}
    drop(still);
    shared.assert_clean(&[], "after a transaction that was ended").await;
}

/// Unanswered is not refused: the server may have come as far as that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_confirmation_was_lost_is_told_apart() {
    let Some(shared) = Shared::open(PATIENCE).await else { return };
    shared.database.query(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION wait()",
    );
    let mut blocker = super::connect::connection(&shared.database.url(), PATIENCE).await.unwrap();
    sqlx::Executor::execute(&mut blocker, sqlx::raw_sql("SELECT pg_advisory_lock(7)")).await.unwrap();
    let (journal, commit) = (shared.store.journal(), create(&shared.mine, 1));
    let commit = tokio::spawn(async move { journal.commit(commit).await });
    while shared.database.query("SELECT count(*) FROM pg_locks WHERE NOT granted") != "1" {}
    shared.terminate();
    let lost = commit.await.unwrap();
    let Err(CommitError::Unavailable(told)) = lost else { panic!("{lost:?}") };
    assert_eq!(told.reason, super::UNCONFIRMED);
    assert!(matches!(shared.store.health(), Health::Degraded { .. }));
    shared.assert_clean(&[], "after a commit").await;
}
