//! Connections that die without a word: nothing passes any more, and neither end is told. So it is when a router forgets
//! them, or the machine of the database is gone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use quantum_store::conformance::{create, execution_id, intent, scope, with_tenants};
use quantum_store::{Health, PostgresOptions, Store};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{LOGIN, Prepared, prepared};

/// Between a store and its server.
struct Network {
    port: u16,
    /// Connections from now on die with it.
    alive: Arc<Mutex<watch::Sender<()>>>,
    _tasks: JoinSet<()>,
}

impl Network {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let alive = Arc::new(Mutex::new(watch::Sender::new(())));
        let (mut tasks, now) = (JoinSet::new(), alive.clone());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let mut alive = now.lock().unwrap().subscribe();
                connections.spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        // Both ends stay open, and nobody reads.
                        _ = alive.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, alive, _tasks: tasks }
    }

    fn forget(&self) {
        *self.alive.lock().unwrap() = watch::Sender::new(());
    }
}

async fn opened(database: &Prepared, network: &Network) -> Store {
    let name = database.database.name();
    let url = format!("postgres://{LOGIN}@127.0.0.1:{}/{name}", network.port);
    // As many connections as a host has: what was under way when they died holds some of them for a while.
    let options = PostgresOptions { patience: Duration::from_secs(2), ..PostgresOptions::new(url) };
    with_tenants(&move || Box::pin(Store::connect(options.clone())), &["t-1"]).await.unwrap()
}

/// Whoever asks next is not told that the database is gone, however many connections are dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_died_without_a_word_are_opened_anew_by_whoever_needs_one() {
    let Some(database) = prepared().await else { return };
    let network = Network::to(database.server.port()).await;
    let store = opened(&database, &network).await;
    for number in 1..=2 {
        store.journal().commit(create(&scope("t-1"), number)).await.unwrap();
        let mine = scope("t-1");
        let (executions, id) = (store.executions(&mine), execution_id(1));
        let found = futures::future::join_all((0..4).map(|_| executions.get(&id))).await;
        assert!(found.into_iter().all(|found| found.expect("a connection that lives").is_some()));
        store.intents(&mine).create(intent(number, &format!("web-{number}")), None).await.unwrap();
        network.forget();
    }
    store.journal().commit(create(&scope("t-1"), 3)).await.unwrap();
    assert_eq!(store.health(), Health::Ready);
}
