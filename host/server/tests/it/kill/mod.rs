//! SIGKILL at random moments under load: what the engine promises in `docs/`, held against real processes that die.
//! Whatever was accepted ends, with one recorded result a step and a log without gaps; nothing runs that nobody asked
//! for.

mod check;
mod load;
mod supervisor;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::home::{Home, TENANT};
use crate::service::Service;

use load::{Load, Started};
use supervisor::Supervisor;

/// Hosts that are killed.
const KILLS: u32 = 50;
/// Clients that start executions at the same time.
const CLIENTS: u64 = 12;
/// All of it; a host that hangs fails the test and not the machine.
const TEST_MAX: Duration = Duration::from_secs(400);

/// Steps may call the test's service.
const CONFIG: &str = "[egress]\nallow_cidrs = [\"127.0.0.0/8\"]\n\
                      [plugins.http]\nallow_hosts = [\"http://127.0.0.1:*\"]";

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_under_load_lose_nothing_and_record_one_result_a_step() {
    let begun = Instant::now();
    let seed = seed();
    println!("QUANTUM_TEST_SEED={seed}");
    let test = run(seed, begun);
    tokio::time::timeout(TEST_MAX, test).await.expect("the test ends in time");
}

/// Moments and choices are drawn from it. The scheduler has a part in every run, so a seed narrows a failure down
/// without promising it.
fn seed() -> u64 {
    let given = std::env::var("QUANTUM_TEST_SEED").ok();
    given.map_or_else(|| fastrand::u64(..), |text| text.parse().expect("QUANTUM_TEST_SEED is a number"))
}

async fn run(seed: u64, begun: Instant) {
    let home = Home::with_http(CONFIG);
    let service = Service::start().await;
    let first = home.start();
    home.create_tenant(&first, TENANT);
    let client = home.admin(&first);
    load::create_intents(&client).await;

    let mut supervisor = Supervisor::new(&home, first, seed);
    let load = Arc::new(Load::new(client.clone(), service.url(), supervisor.watch()));
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(load.clone().client(number, seed))).collect();
    for _ in 0..KILLS {
        supervisor.kill_once(&load.moments).await;
    }
    load.stop();
    let (last, _url) = supervisor.finish();
    let mut started = Vec::new();
    for one in clients {
        started.extend(one.await.unwrap());
    }
    let client = client.at(&last.url);
    let mut found = check::all(&client, &started).await;
    check::starts_again(&client, &started, &service.url()).await;
    let twice = check::effects(&service.effects(), &mut found);
    last.stop();
    report(&started, &found, twice, begun);
    found.assert_clean();
}

/// The line of the table.
fn report(started: &[Started], found: &check::Found, twice: usize, begun: Instant) {
    println!(
        "executions {} · kills {KILLS} · lost {} · double results {} · ghosts {} · lost attempts {} · \
         effects done again {twice} · followed over a kill {} · {:.1} s",
        started.len(),
        found.lost.len(),
        found.double_results,
        found.ghosts.len(),
        found.lost_attempts,
        started.iter().filter(|one| one.broken_streams > 0).count(),
        begun.elapsed().as_secs_f64(),
    );
}

/// For a client whose host is gone: the next one, when it is there.
pub(super) type Hosts = tokio::sync::watch::Receiver<String>;

/// Counts what happens, so that a kill can come after the n-th thing.
#[derive(Default)]
pub(super) struct Moments {
    count: std::sync::atomic::AtomicU64,
    moved: tokio::sync::Notify,
}

impl Moments {
    pub fn happened(&self) {
        self.count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    /// Returns after so many more.
    pub async fn pass(&self, more: u64) {
        let count = || self.count.load(std::sync::atomic::Ordering::SeqCst);
        let target = count() + more;
        loop {
            let moved = self.moved.notified();
            if count() >= target {
                return;
            }
            moved.await;
        }
    }
}

/// The same caller, wherever the host is now.
pub(super) fn here(client: &Client, hosts: &Hosts) -> Client {
    client.at(&hosts.borrow())
}
