//! Announcements between the nodes of a database, and how a node learns what others have changed.
//!
//! NOTIFY is never part of a transaction that somebody waits for: the server takes those one after another. What is
//! announced is collected for a moment, unless somebody waits for it, and told in one statement, on a connection of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use quantum_core::id::TenantId;
use sqlx::postgres::PgListener;
use sqlx::{Executor, PgPool};
use tokio::sync::{Notify, broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Postgres;
use super::followed::Followed;
use super::notice::{News, heard};
use super::transaction::within;
use crate::Error;
use crate::access::Access;
use crate::announcements::Announcement;
use crate::database::{Columns, Query};
use crate::stats::Counters;
use crate::tenant_settings::KnownSettings;

const CHANNEL: &str = "quantum";
/// How long announcements are collected that nobody waits for.
const COLLECTED: Duration = Duration::from_millis(10);
/// How often is asked what others have changed, when nobody tells.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(500);
/// How long is waited before a connection that was lost is opened anew.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long is waited for news before it is asked whether the server is still there, and for its answer.
const SILENCE_MAX: Duration = Duration::from_secs(15);
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Announcements that wait to be told. More are left out: they are hints.
const WAITING_MAX: usize = 16_384;

const NUMBERS: &str = "SELECT tenant_id, number FROM changes";

/// What a store of PostgreSQL does beside answering. Ends when it is dropped.
pub(crate) struct Notices {
    outbox: mpsc::Sender<Announcement>,
    followed: Arc<Followed>,
    _tasks: JoinSet<()>,
}

/// What other nodes change is brought in line in it.
pub(crate) struct Memory {
    pub postgres: Postgres,
    pub settings: Arc<KnownSettings>,
    pub counters: Arc<Counters>,
    pub sender: broadcast::Sender<Announcement>,
}

impl Notices {
    /// Reads what is there, so that everything later is seen as a change. Err: `Unavailable`.
    pub async fn start(memory: Memory, pool: PgPool, from: String) -> Result<Self, Error> {
        let known = memory.numbers().await?;
        let (outbox, waiting) = mpsc::channel(WAITING_MAX);
        let told = Arc::new(Notify::new());
        let followed = Arc::new(Followed::new(Instant::now()));
        let ears = Ears { sender: memory.sender.clone(), told: told.clone(), followed: followed.clone() };
        let mut tasks = JoinSet::new();
        tasks.spawn(tell(pool.clone(), from.clone(), waiting));
        tasks.spawn(listen(pool, from, ears));
        tasks.spawn(super::statistics::keep_learning(memory.postgres.clone()));
        tasks.spawn(memory.follow(known, told));
        Ok(Self { outbox, followed, _tasks: tasks })
    }

    /// Never waits.
    pub fn announce(&self, announcement: Announcement) {
        if let Announcement::Progress { execution } = &announcement
            && !self.followed.contains(execution, Instant::now())
        {
            return;
        }
        // What is too much is left out: whoever waits for it looks by itself.
        let _left_out = self.outbox.try_send(announcement);
    }
}

async fn tell(pool: PgPool, from: String, mut waiting: mpsc::Receiver<Announcement>) {
    while let Some(first) = waiting.recv().await {
        let mut news = News::default();
        if !add(&mut news, first) {
            // An error means that it is time.
            drop(tokio::time::timeout(COLLECTED, collect(&mut news, &mut waiting)).await);
        }
        for payload in news.payloads(&from) {
            if let Err(error) = notify(&pool, payload).await {
                tracing::debug!(error = %error, "an announcement was lost");
            }
        }
    }
}

/// Until there is one that somebody waits for, or no more comes.
async fn collect(news: &mut News, waiting: &mut mpsc::Receiver<Announcement>) {
    while let Some(next) = waiting.recv().await
        && !add(news, next)
    {}
}

/// Gives whether somebody waits for it.
fn add(news: &mut News, announcement: Announcement) -> bool {
    let is_urgent = announcement.is_urgent();
    news.add(announcement);
    is_urgent
}

async fn notify(pool: &PgPool, payload: String) -> Result<(), sqlx::Error> {
    let mut conn = pool.acquire().await?;
    let query = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload);
    let told = within(ANSWER_MAX, query.execute(&mut *conn)).await;
    if told.is_err() {
        conn.close_on_drop();
    }
    told.map(drop)
}

/// Who hears what other nodes tell.
struct Ears {
    /// This node.
    sender: broadcast::Sender<Announcement>,
    /// Its memory.
    told: Arc<Notify>,
    followed: Arc<Followed>,
}

impl Ears {
    fn hear(&self, announcement: Announcement) {
        match announcement {
            Announcement::Changed { .. } => self.told.notify_one(),
            Announcement::Following { execution } => self.followed.add(execution, Instant::now()),
            // An error means that nobody listens.
            other => drop(self.sender.send(other)),
        }
    }

    /// Whatever was announced meanwhile is lost.
    fn miss(&self) {
        self.followed.all(Instant::now());
        self.hear(Announcement::Missed);
    }
}

async fn listen(pool: PgPool, from: String, ears: Ears) {
    while !pool.is_closed() {
        if let Err(error) = hear(&pool, &from, &ears).await {
            if pool.is_closed() {
                return;
            }
            tracing::warn!(error = %error, "announcements of other nodes are not heard; this is tried again");
        }
        ears.miss();
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn hear(pool: &PgPool, from: &str, ears: &Ears) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    ears.miss();
    loop {
        let Ok(received) = tokio::time::timeout(SILENCE_MAX, listener.try_recv()).await else {
            // A connection that ended without a word is as silent as one on which nothing happens.
            within(ANSWER_MAX, listener.execute("SELECT 1")).await?;
            continue;
        };
        let Some(notification) = received? else { return Ok(()) };
        for announcement in heard(notification.payload(), from).into_iter().flatten() {
            ears.hear(announcement);
        }
    }
}

impl Memory {
    async fn numbers(&self) -> Result<HashMap<TenantId, i64>, Error> {
        let mut conn = self.postgres.begin(Access::Platform).await?;
        let rows = Query::new(NUMBERS).fetch_all(&mut conn).await?;
        let number = |row| {
            let mut columns = Columns::new(row, "changes");
            Ok((columns.tenant()?, columns.int()?))
        };
        rows.iter().map(number).collect()
    }

    /// Sees within a moment what others have changed: what is kept in memory is read anew, then everybody is told.
    async fn follow(self, mut known: HashMap<TenantId, i64>, told: Arc<Notify>) {
        while !self.postgres.is_closed() {
            tokio::select! {
                () = told.notified() => {}
                () = tokio::time::sleep(LOOKED_AT_EVERY) => {}
            }
            if let Err(error) = self.look(&mut known).await {
                tracing::debug!(error = %error, "what other nodes have changed is not known yet");
            }
        }
    }

    async fn look(&self, known: &mut HashMap<TenantId, i64>) -> Result<(), Error> {
        let now = self.numbers().await?;
        let changed = now.iter().filter(|(tenant, number)| known.get(*tenant) != Some(*number));
        let tenants: Vec<TenantId> = changed.map(|(tenant, _)| tenant.clone()).collect();
        if tenants.is_empty() {
            return Ok(());
        }
        self.settings.reload(&self.postgres, &tenants).await?;
        self.counters.changes.fetch_add(1, Ordering::Release);
        *known = now;
        drop(self.sender.send(Announcement::Changed { tenants }));
        Ok(())
    }
}
