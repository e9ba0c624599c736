//! What each release left is moved to PostgreSQL, and answered from there as it was then.

use quantum_testing::{Postgres, or_skip};
use serde_json::{Value, json};

use super::{assert_as_then, member, open, open_one, releases, succeeds, tell};
use crate::home::TENANT;

#[tokio::test(flavor = "multi_thread")]
async fn what_every_release_left_is_moved_to_postgres_and_goes_on_there() {
    let Some(server) = or_skip(Postgres::shared()) else { return };
    for release in releases() {
        let database = server.database();
        let (mut home, host) = open(&release);
        let data = home.data().to_str().unwrap().to_owned();
        let url = server.url(database.name(), "quantum");
        let migrate = ["--output", "json", "migrate", "--from", &data, "--to", &url];

        home.run(None, &["store", "prepare", "--owner", &database.url()]).ok();
        let told = home.run(None, &migrate).fails(1);
        assert_eq!(told, format!("error: a host serves the data folder {data}; stop it first\n"));
        host.stop();
        let report: Value = serde_json::from_str(&home.run(None, &migrate).ok()).unwrap();
        assert_eq!((&report["equal"], &report["tenants"]), (&json!(true), &json!(2)), "{report}");
        let next = format!("next: quantum serve --store {url} --data-dir {data}");
        assert_eq!(report["next"][0], json!(next));
        let told = home.run(None, &migrate).fails(2);
        assert!(told.contains("is not empty: it has 2 tenants"), "{told}");

        home.set("QUANTUM_STORE", &url);
        let host = home.start();
        assert_as_then(&host, &release).await;
        let ada = member(&host, TENANT, "ada");
        assert_eq!(ada.run("opens", &json!({})).await["status"], "succeeded", "its secret is opened");
        let asks = open_one(&ada, "asks").await;
        tell(&ada, &asks, "signals/answer", json!("yes")).await;
        succeeds(&ada, &asks).await;
        host.stop();
    }
}
