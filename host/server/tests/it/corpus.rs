//! The hostile plugins of `plugins/hostile`, on a whole host: each row of its README.md gets exactly what it says, and
//! a neighbour in another tenant gets what it gets without.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bombs::Bombs;
use crate::client::Client;
use crate::guests::{WORLD, encode, manifest, pack};
use crate::home::{Home, packed_hostile, poll_again};
use crate::hostile::World;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/hostile");
const NEIGHBOUR: &str = "tenant-456";
/// Executions of the neighbour beside each attack.
const BESIDE: usize = 3;
/// Looks at a log until it counts as all there.
const LOOKS_MAX: u32 = 200;
const SECRET: &str = "s3cr3t-value-of-the-tenant";
/// Where the attacks may go; what they get there is about the addresses. That of `forbidden.example` is not among them.
const HOSTS: [&str; 9] = [
    "http://127.0.0.1:*",
    "http://127.0.0.2:*",
    "http://169.254.169.254",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://[::ffff:169.254.169.254]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://10.0.0.7",
];

/// Attacks that are made many times, and that hold much while they last. Never more than three break in a row, else the
/// plugin would be suspended.
const MANY: [&str; 7] =
    ["recursion", "memory-bomb", "panic", "huge-result", "list-bomb", "argument-bomb", "value-bomb"];
const WARM_UP_ROUNDS: usize = 3;
const ROUNDS: usize = 15;
/// Of the host's memory over all rounds: a quarter of a mebibyte an attack. Ten thousand are made by
/// `cargo xtask bench hostile`.
const GROWTH_BYTES_MAX: u64 = 25 * 1024 * 1024;

/// A row of the table. In its texts `{port}` is that of the server with the harmful answers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// An action of the crate, or a file.
    component: String,
    /// What it is told to ask for.
    url: Option<String>,
    /// `install`, `run` or `sandbox`.
    place: String,
    /// `-`: it succeeds, and the message is the last line of its log.
    code: String,
    message: String,
}

impl Row {
    fn parse(line: &str) -> Self {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [component, _, place, code, message] = cells.try_into().expect("a row has five cells");
        let mut words = component.split('`').filter(|word| !word.trim().is_empty());
        Self {
            component: words.next().unwrap().to_owned(),
            url: words.next().map(str::to_owned),
            place: place.to_owned(),
            code: code.trim_matches('`').to_owned(),
            message: message.trim_matches('`').to_owned(),
        }
    }

    fn file(&self) -> Option<PathBuf> {
        self.component.starts_with("wat/").then(|| Path::new(FOLDER).join(&self.component))
    }

    /// Of the plugin, where it has one of its own.
    fn name(&self) -> &str {
        self.component.trim_start_matches("wat/").trim_end_matches(".wat")
    }

    fn told(&self, code: &str, message: &str, port: u16) -> Self {
        let message = message.replace(&format!(":{port}"), ":{port}").replace('\n', " / ");
        Self { code: code.to_owned(), message, ..self.clone() }
    }
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(Path::new(FOLDER).join("README.md")).unwrap();
    text.lines().filter(|line| line.starts_with("| `")).map(Row::parse).collect()
}

/// The host with the attacker's tenant, and a neighbour in another one.
struct Stage {
    world: World,
    bombs: Bombs,
    neighbour: Client,
    alone: Value,
}

impl Stage {
    async fn start() -> Self {
        let world = World::on(Home::new("[egress]\nallow_cidrs = [\"127.0.0.0/8\"]")).await;
        let consent: Vec<String> = HOSTS.iter().map(|host| format!("allow_host={host}")).collect();
        let packed = fs::read(packed_hostile()).unwrap();
        world.client.upload(&consent.join("&"), packed).await.is(201);
        let set = ["secret", "set", "TOKEN", "--environment", "development", "--host", "http://127.0.0.1:*"];
        world.home.run_with(Some(&world.host), &set, SECRET).ok();
        world.home.create_tenant(&world.host, NEIGHBOUR);
        let token = world.home.token(NEIGHBOUR, "eve", &["admin"]);
        let neighbour = Client::new(&world.host.url, &token);
        neighbour.intent("well", json!({ "steps": [{ "action": "hello", "name": "Eve" }] })).await;
        let mut stage = Self { world, bombs: Bombs::start().await, neighbour, alone: Value::Null };
        stage.alone = stage.beside().await;
        stage
    }

    /// What the neighbour gets of an execution: all that is not about time.
    async fn beside(&self) -> Value {
        let ended = self.neighbour.run("well", &json!({})).await;
        let step = &ended["steps"][0];
        json!([ended["status"], ended["error"], step["status"], step["attempts"], step["output"]])
    }

    async fn neighbours(&self) {
        for _ in 0..BESIDE {
            assert_eq!(self.beside().await, self.alone);
        }
    }

    /// What really comes of it.
    async fn attack(&self, row: &Row, at: usize) -> Row {
        match row.place.as_str() {
            "install" => self.install(row).await,
            _ => self.run(row, at).await,
        }
    }

    async fn install(&self, row: &Row) -> Row {
        let component = pack(&component(row), &says(row));
        let refused = self.world.client.upload("", component).await;
        let (_, code, detail) = refused.problem();
        match refused.json()["errors"].get(0) {
            Some(finding) => {
                let word = |key: &str| finding[key].as_str().unwrap();
                row.told(word("code"), word("message"), self.bombs.port)
            }
            None => row.told(&code, &detail, self.bombs.port),
        }
    }

    async fn run(&self, row: &Row, at: usize) -> Row {
        if row.file().is_some() {
            let component = pack(&component(row), &says(row));
            self.world.client.upload("", component).await.is(201);
        }
        let mut step = json!({});
        if let Some(url) = &row.url {
            step["url"] = json!(url.replace("{port}", &self.bombs.port.to_string()));
        }
        if row.code == "timeout" {
            step["timeout"] = json!("300ms");
        }
        let ended = self.world.step(&format!("attack-{at}"), row.name(), step).await;
        assert!(!ended.to_string().contains(SECRET), "{ended}");
        let error = &ended["steps"][0]["error"];
        match error["code"].as_str() {
            Some(code) => row.told(code, error["message"].as_str().unwrap(), self.bombs.port),
            None => row.told("-", &self.line(&ended, &row.message).await, self.bombs.port),
        }
    }

    /// The last line of the log, once it is this one: lines are written a moment later.
    async fn line(&self, execution: &Value, awaited: &str) -> String {
        let mut last = String::new();
        for _ in 0..LOOKS_MAX {
            last = self.last_line(execution).await;
            if last == awaited {
                break;
            }
            poll_again();
        }
        last
    }

    async fn last_line(&self, execution: &Value) -> String {
        let id = execution["execution_id"].as_str().unwrap();
        let mut page = format!("/api/v1/executions/{id}/logs?limit=200");
        let mut last = String::new();
        loop {
            let lines = self.world.client.get(&page).await.is(200).json();
            if let Some(line) = lines["items"].as_array().unwrap().last() {
                last = line["message"].as_str().unwrap().to_owned();
            }
            match lines["next_page_token"].as_str() {
                Some(token) => page = format!("/api/v1/executions/{id}/logs?limit=200&page_token={token}"),
                None => return last,
            }
        }
    }

    /// The component of many attacks is whole after each, and the attacker's tenant goes on as well.
    async fn is_well(&self, at: usize) {
        let behaved = self.world.step(&format!("after-{at}"), "behave", json!({})).await;
        assert_eq!(behaved["steps"][0]["output"], "well", "{behaved}");
    }
}

/// What it says of itself: all that it imports, but for the one that lies.
fn says(row: &Row) -> Value {
    let mut says = manifest(row.name());
    says["capabilities"] = match row.name() {
        "handles" => json!({ "http": { "hosts": ["https://api.example.com"] } }),
        "wrong-version" => json!({ "kv": true }),
        _ => json!({}),
    };
    says
}

fn component(row: &Row) -> Vec<u8> {
    let file = row.file().unwrap_or_else(|| panic!("{} is not a file", row.component));
    let world = fs::read_to_string(file.with_extension("wit"));
    encode(world.as_deref().unwrap_or(WORLD), &fs::read_to_string(file).unwrap())
}

#[tokio::test]
async fn every_attack_gets_exactly_its_error_and_the_neighbour_does_not_notice() {
    let stage = Stage::start().await;
    let mut wrong = Vec::new();
    let rows: Vec<Row> = rows().into_iter().filter(|row| row.place != "sandbox").collect();
    assert!(rows.len() >= 20, "{} rows were read", rows.len());
    for (at, row) in rows.iter().enumerate() {
        let (got, ()) = tokio::join!(stage.attack(row, at), stage.neighbours());
        stage.is_well(at).await;
        if got != *row {
            wrong.push(format!("{} | `{}` | `{}`", row.component, got.code, got.message));
        }
    }
    assert!(wrong.is_empty(), "README.md says something else of:\n{}", wrong.join("\n"));
    stage.world.is_well().await;
}

#[tokio::test]
async fn many_attacks_leave_nothing_in_the_hosts_memory() {
    let stage = Stage::start().await;
    for action in MANY {
        let steps = json!({ "steps": [{ "action": action }] });
        stage.world.client.intent(action, steps).await;
    }
    let attack = async |rounds: usize| {
        for action in MANY.repeat(rounds) {
            let ended = stage.world.client.run(action, &json!({})).await;
            assert_eq!(ended["status"], "failed", "{ended}");
            assert_ne!(ended["error"]["code"], "plugin-suspended");
        }
        stage.world.host.resident_bytes()
    };
    let before = attack(WARM_UP_ROUNDS).await;
    let after = attack(ROUNDS).await;
    assert!(after < before + GROWTH_BYTES_MAX, "from {before} to {after} bytes");
    stage.neighbours().await;
}
