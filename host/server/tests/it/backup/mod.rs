//! `quantum backup` beside a host, and `quantum restore`: what comes back is everything that was accepted before, and
//! nothing that is not what was saved.

mod damage;
mod refusals;
mod saved;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{JoinHandle, block_in_place};

use crate::client::{Client, types};
use crate::home::{Home, Host};
use saved::{ARTIFACT, SECRET, Saved};
pub use saved::{opener, put_secret};

/// Clients that start executions at the same time.
const CLIENTS: usize = 4;
/// Accepted starts before the backup begins.
const STARTS: usize = 60;

/// Clients that start one execution after the other.
struct Load {
    accepted: Arc<Mutex<Vec<String>>>,
    count: watch::Receiver<usize>,
    stopping: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    fn begin(client: &Client) -> Self {
        let (accepted, stopping) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (counted, count) = watch::channel(0);
        let counted = Arc::new(counted);
        let one = || {
            let (client, accepted) = (client.clone(), accepted.clone());
            let (stopping, counted) = (stopping.clone(), counted.clone());
            tokio::spawn(async move {
                while !stopping.load(Ordering::SeqCst) {
                    let execution = client.execute("greets", &json!({ "name": "Ada" })).await;
                    accepted.lock().unwrap().push(execution);
                    counted.send_modify(|count| *count += 1);
                }
            })
        };
        let clients = (0..CLIENTS).map(|_| one()).collect();
        Self { accepted, count, stopping, clients }
    }

    /// Waits until so many were accepted, and gives them.
    async fn accepted(&mut self, at_least: usize) -> Vec<String> {
        self.count.wait_for(|count| *count >= at_least).await.unwrap();
        self.accepted.lock().unwrap().clone()
    }

    /// Clients end what they have begun.
    async fn stop(self) {
        self.stopping.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.await.unwrap();
        }
    }
}

/// Restores into a folder of its own, with a host on it.
fn restore(backup: &Path) -> (Home, Host, Value) {
    let home = Home::empty();
    let data = home.data();
    let arguments = ["--output", "json", "restore", backup.to_str().unwrap(), "--data-dir"];
    let told = home.run(None, &[&arguments[..], &[data.to_str().unwrap()]].concat()).ok();
    let host = home.start();
    (home, host, serde_json::from_str(&told).unwrap())
}

/// The log of an execution, which ends well and has no gap.
async fn whole_log(client: &Client, execution: &str) -> Vec<Value> {
    let log = client.events(execution).await;
    assert!(log.iter().zip(1_u64..).all(|(event, seq)| event["seq"] == seq), "{:?}", types(&log));
    assert_eq!(log.last().unwrap()["type"], "execution_completed", "{:?}", types(&log));
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_everything_that_was_accepted_before_it_began() {
    let saved = Saved::start().await;
    let mut ended = Vec::new();
    for _ in 0..5 {
        let execution = saved.client.run("greets", &json!({ "name": "Bob" })).await;
        let log = whole_log(&saved.client, execution["execution_id"].as_str().unwrap()).await;
        ended.push((execution, log));
    }
    let waiting = saved.client.execute("asks", &json!({})).await;
    saved.client.until(&waiting, "step_waiting", 1).await;
    let mut load = Load::begin(&saved.client);
    let before = load.accepted(STARTS).await;
    let told = block_in_place(|| saved.backup("backup", &[]).ok());
    load.stop().await;
    assert!(told.starts_with("saved ") && told.contains(" of 1 tenants: "), "{told}");

    let (_home, host, told) = restore(&saved.home.path("backup"));
    let client = saved.client.at(&host.url);
    assert!(told["executions"].as_u64().unwrap() as usize > before.len() + ended.len(), "{told}");
    assert!(told["executions_open"].as_u64().unwrap() >= 1, "{told}");
    assert_eq!(told["keys_missing"], json!([]));
    for execution in &before {
        whole_log(&client, execution).await;
    }
    for (execution, log) in &ended {
        let id = execution["execution_id"].as_str().unwrap();
        let read = client.get(&format!("/api/v1/executions/{id}")).await.is(200).json();
        assert_eq!(read, saved.client.get(&format!("/api/v1/executions/{id}")).await.is(200).json());
        assert_eq!(&client.events(id).await, log);
    }
    let signal = format!("/api/v1/executions/{waiting}/signals/answer");
    client.post(&signal, &json!("yes")).await.is(200);
    assert_eq!(whole_log(&client, &waiting).await.last().unwrap()["output"], "yes");
    // The host that was saved knows nothing of it.
    let original = saved.client.get(&format!("/api/v1/executions/{waiting}")).await.is(200).json();
    assert_eq!(original["status"], "waiting", "{original}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_artifacts_and_installed_plugins_come_back() {
    let saved = Saved::start().await;
    saved.backup("backup", &[]).ok();
    let (home, host, _) = restore(&saved.home.path("backup"));
    let client = saved.client.at(&host.url);
    // Its plugin was installed, and traps when it does not get the secret.
    let opened = client.run("opens", &json!({})).await;
    assert_eq!(opened["status"], "succeeded", "{opened}");
    assert_eq!(home.run(Some(&host), &["artifact", "get", "app"]).ok(), ARTIFACT);
    assert_eq!(opened["steps"][0]["output"], "done");
    assert!(!home.log().contains(SECRET), "{}", home.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_host_had_accepted_is_saved_from_its_log() {
    let mut saved = Saved::start().await;
    let mut load = Load::begin(&saved.client);
    let before = load.accepted(STARTS).await;
    load.stop().await;
    drop(saved.host.take());
    let log = saved.home.data().join("quantum.db-wal");
    let bytes = std::fs::metadata(&log).unwrap().len();
    assert!(bytes > 0, "the host left a log");
    saved.backup("backup", &[]).ok();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), bytes, "a backup changes nothing");

    let (_home, host, _) = restore(&saved.home.path("backup"));
    let client = saved.client.at(&host.url);
    for execution in &before {
        whole_log(&client, execution).await;
    }
    // And the folder that was saved is as good as before.
    let host = saved.home.start();
    whole_log(&saved.client.at(&host.url), before.last().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_a_host_that_has_ended_is_saved() {
    let mut saved = Saved::start().await;
    let execution = saved.client.run("greets", &json!({ "name": "Ada" })).await;
    saved.host.take().unwrap().stop();
    saved.backup("backup", &[]).ok();
    let (_home, host, _) = restore(&saved.home.path("backup"));
    let client = saved.client.at(&host.url);
    whole_log(&client, execution["execution_id"].as_str().unwrap()).await;
    saved.home.start().stop();
}
