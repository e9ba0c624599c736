//! A host in a temporary folder, and a client of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use quantum_api::auth::embedded::{Grant as Says, SigningKey, issue};
use quantum_api::auth::{EmbeddedIssuer, Issuers, SharedSecretIssuer};
use quantum_api::{ApiOptions, Limits, Services, StoredIntents, router, serve};
use quantum_catalog::{Bundled, Catalog, Directory, EffectOptions, Membership, Tenant, Vault};
use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::installation::Settings;
use quantum_core::manifest::{ActionManifest, Capabilities, Effects, MANIFEST_VERSION, Manifest};
use quantum_core::port::{
    Attempt, AttemptOutcome, AttemptReport, Bill, BoxFuture, Failure, FailureKind, Grant, LogEntry, LogLine,
    LogSink, PrincipalKind, StepRunner,
};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Role;
use quantum_engine::{Clock, Engine, EngineOptions, LogBuffer, ManualClock};
use quantum_policy::{Authorizer, PolicySet, PolicySources};
use quantum_sandbox::{Sandbox, SandboxOptions};
use quantum_store::{Archive, Blobs, PostgresOptions, Store, StoreOptions};
use quantum_testing::{Postgres, TestDatabase};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub const A: &str = "tenant-a";
pub const B: &str = "tenant-b";
pub const SECRET: &[u8] = b"a secret of the tests, of 32 bytes and more";

pub struct World {
    pub base: String,
    pub address: SocketAddr,
    pub key: SigningKey,
    pub issuer: EmbeddedIssuer,
    pub catalog: Catalog,
    pub store: Store,
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    /// A permit for each step of action `hold` that may end.
    pub gate: Arc<Semaphore>,
    client: reqwest::Client,
    shutdown: CancellationToken,
    _dir: TempDir,
    database: Option<TestDatabase>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of a problem.
    #[track_caller]
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let body = self.json();
        assert_eq!(body["status"], self.status);
        assert_eq!(body["request_id"], self.header("x-request-id"));
        (self.status, body["code"].as_str().unwrap().to_owned())
    }

    /// Without what differs between two equal answers.
    pub fn normal(&self) -> String {
        self.text.replace(self.header("x-request-id"), "ID")
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

impl World {
    pub fn is_on_postgres(&self) -> bool {
        self.database.is_some()
    }

    pub async fn start() -> Self {
        Self::with_limits(|_| {}).await
    }

    pub async fn with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        Self::build(change, PolicySources::shipped()).await
    }

    /// With these policies of the operator beside the shipped ones.
    pub async fn with_policies(text: &str) -> Self {
        Self::build(|_| {}, PolicySources::shipped().with("test.cedar", text)).await
    }

    async fn build(change: impl FnOnce(&mut Limits), policies: PolicySources) -> Self {
        static TLS: Once = Once::new();
        TLS.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T10:00:00Z").unwrap()));
        let gate = Arc::new(Semaphore::new(0));
        let shutdown = CancellationToken::new();
        let database = database();
        let services = services(&dir, &clock, &gate, &shutdown, policies, database.as_ref()).await;
        let (key, _) = SigningKey::generate().unwrap();
        let issuer = key.issuer("urn:quantum:test", "quantum-test");
        let shared =
            vec![shared(None, None, false), shared(Some("https://issuer.example"), Some("k1"), false)];
        let issuers = Issuers::new(Some(issuer.clone()), shared).unwrap();
        let mut options = ApiOptions::new(issuers, [7; 32]);
        change(&mut options.limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = options.limits.clone();
        let Services { catalog, store, engine, .. } = services.clone();
        tokio::spawn(serve(listener, router(services, options), limits, shutdown.clone()));
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        let base = format!("http://{address}");
        let world = Self {
            base,
            address,
            key,
            issuer,
            catalog,
            store,
            engine,
            clock,
            gate,
            client,
            shutdown,
            _dir: dir,
            database,
        };
        for id in [A, B] {
            world.add_tenant(id).await;
        }
        world
    }

    pub fn stop(&self) {
        self.shutdown.cancel();
    }

    pub async fn add_tenant(&self, id: &str) {
        let tenant = Tenant { id: tenant(id), name: id.to_owned(), created_at: self.clock.now() };
        self.catalog.tenants().create(tenant).await.unwrap();
    }

    pub async fn add_member(&self, id: &str, user: &str, roles: &[Role], active: bool) {
        let member = Membership {
            tenant: tenant(id),
            principal: PrincipalId::new(user).unwrap(),
            kind: PrincipalKind::User,
            roles: roles.iter().map(ToString::to_string).collect(),
            active,
        };
        self.catalog.tenants().upsert_member(member, self.clock.now()).await.unwrap();
    }

    /// A token of the embedded issuer, for an hour.
    pub fn token(&self, user: &str, tenant_id: &str, roles: &[Role]) -> String {
        issue(&self.key, &self.issuer, &self.says(user, Some(tenant_id), roles)).unwrap()
    }

    pub fn says(&self, user: &str, tenant_id: Option<&str>, roles: &[Role]) -> Says {
        Says {
            subject: PrincipalId::new(user).unwrap(),
            kind: PrincipalKind::User,
            tenant: tenant_id.map(tenant),
            roles: roles.to_vec(),
            issued_at: self.clock.now(),
            expires_at: self.clock.now().plus_millis(3_600_000),
            token_id: "t1".into(),
        }
    }

    /// May do everything in the tenant.
    pub fn admin(&self, tenant: &str) -> String {
        self.token(&format!("admin-{tenant}"), tenant, &[Role::Admin])
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        send(self.request("GET", path).bearer_auth(token)).await
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        send(self.request("POST", path).bearer_auth(token).json(body)).await
    }

    /// Creates an intent of these steps and gives its id.
    pub async fn intent(&self, token: &str, name: &str, steps: Value) -> String {
        let body = json!({ "name": name, "definition": { "steps": steps } });
        let created = self.post(token, "/api/v1/intents", &body).await.is(201);
        created.json()["id"].as_str().unwrap().to_owned()
    }

    /// Starts an execution and gives its id.
    pub async fn execute(&self, token: &str, id: &str) -> String {
        let path = format!("/api/v1/intents/{id}/execute");
        let started = send(self.request("POST", &path).bearer_auth(token)).await.is(202);
        started.json()["execution_id"].as_str().unwrap().to_owned()
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

pub fn tenant(id: &str) -> TenantId {
    TenantId::new(id).unwrap()
}

fn shared(issuer: Option<&str>, kid: Option<&str>, provision: bool) -> SharedSecretIssuer {
    SharedSecretIssuer {
        issuer: issuer.map(str::to_owned),
        audience: issuer.map(|_| "quantum-test".to_owned()),
        kid: kid.map(str::to_owned),
        secret: SECRET.to_vec(),
        provision,
    }
}

/// On PostgreSQL when the environment says so: every test of the API is run on both.
pub const DATABASE: &str = "QUANTUM_TEST_STORE";

/// None: a file.
fn database() -> Option<TestDatabase> {
    let wanted = std::env::var(DATABASE).unwrap_or_default();
    assert!(wanted.is_empty() || wanted == "postgres", "{DATABASE} is postgres, or not there");
    let server =
        if wanted.is_empty() { None } else { Some(Postgres::shared().expect("PostgreSQL is installed")) };
    server.map(|server| server.prepared(quantum_store::conformance::prepare_database))
}

async fn open_store(dir: &TempDir, database: Option<&TestDatabase>) -> Store {
    let Some(database) = database else {
        return Store::open(StoreOptions::new(dir.path().join("quantum.db"))).await.unwrap();
    };
    let server = Postgres::shared().expect("it runs");
    let url = server.url(database.name(), quantum_store::conformance::LOGIN);
    Store::connect(PostgresOptions { connections: 8, ..PostgresOptions::new(url) }).await.unwrap()
}

async fn services(
    dir: &TempDir,
    clock: &Arc<ManualClock>,
    gate: &Arc<Semaphore>,
    closing: &CancellationToken,
    policies: PolicySources,
    database: Option<&TestDatabase>,
) -> Services {
    let store = open_store(dir, database).await;
    let directory = Arc::new(Directory::open(&store, vec![bundled()]).await.unwrap());
    let catalog = Catalog::new(store.clone(), directory.clone());
    let authorizer = Authorizer::new(PolicySet::compile(&policies).unwrap());
    let logs = Arc::new(LogBuffer::default());
    let blobs = Blobs::open(dir.path()).unwrap();
    let now = clock.clone();
    let options = EffectOptions::new(Arc::new(move || now.now()));
    let artifacts = Blobs::open_artifacts(dir.path()).unwrap();
    let effects = quantum_catalog::Effects::new(store.clone(), artifacts, Vault::new(&[3; 32], &[]), options);
    let ports = quantum_engine::Ports {
        store: store.clone(),
        archive: Archive::new(dir.path()),
        runner: Arc::new(Echo { gate: gate.clone(), logs: logs.clone() }),
        gate: Arc::new(authorizer.clone()),
        actions: directory,
        recordings: Arc::new(effects.clone()),
        intents: Arc::new(StoredIntents::new(catalog.clone(), authorizer.clone())),
        clock: clock.clone(),
        chance: || 0.5,
    };
    let options = EngineOptions { cancel_grace_ms: 0, ..EngineOptions::default() };
    let engine = Engine::launch(options, ports, logs.clone()).await.unwrap();
    let sandbox = Sandbox::new(
        SandboxOptions { attempts_max: 2, ..SandboxOptions::default() },
        quantum_sandbox::Ports {
            gate: Arc::new(authorizer.clone()),
            logs,
            components: Arc::new(blobs.clone()),
            artifacts: Arc::new(effects.clone()),
            key_values: Arc::new(effects.clone()),
            secrets: Arc::new(effects.clone()),
        },
    );
    Services {
        store,
        catalog,
        engine,
        authorizer,
        effects,
        sandbox: sandbox.unwrap(),
        blobs,
        clock: clock.clone(),
        closing: closing.clone(),
    }
}

/// Gives back its parameters, which are its recording too; `fail` fails for good, `talk` logs a line, `hold` waits for the gate.
struct Echo {
    gate: Arc<Semaphore>,
    logs: Arc<LogBuffer>,
}

impl StepRunner for Echo {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport> {
        let (gate, logs) = (self.gate.clone(), self.logs.clone());
        Box::pin(async move {
            let parameters: Value = serde_json::from_str(&attempt.parameters).unwrap();
            let recording = attempt.parameters.clone().into_bytes();
            attempt.recording.leave(Box::new(|| Some(recording)));
            let outcome = match attempt.subject.action.manifest.name.as_str() {
                "fail" => AttemptOutcome::Failed(Failure {
                    kind: FailureKind::Permanent,
                    problem: Problem::new("no-luck", "it never works"),
                    retry_after_ms: None,
                }),
                "hold" => {
                    gate.acquire().await.unwrap().forget();
                    AttemptOutcome::Completed(parameters)
                }
                "talk" => {
                    logs.write(line(&attempt));
                    AttemptOutcome::Completed(parameters)
                }
                _ => AttemptOutcome::Completed(parameters),
            };
            AttemptReport { outcome, bill: Bill { cpu_us: 7, ..Bill::default() } }
        })
    }
}

fn line(attempt: &Attempt) -> LogLine {
    LogLine {
        tenant: attempt.subject.tenant.clone(),
        execution: attempt.subject.execution,
        step: attempt.subject.step.clone(),
        attempt: attempt.number,
        at: attempt.deadline,
        entry: LogEntry::StepLog {
            level: "info".into(),
            message: "hello".into(),
            fields: Default::default(),
        },
    }
}

pub fn manifest(id: &str, actions: &[&str]) -> Manifest {
    Manifest {
        manifest_version: MANIFEST_VERSION,
        id: id.to_owned(),
        version: "1.0.0".to_owned(),
        title: String::new(),
        description: String::new(),
        publisher: String::new(),
        actions: actions.iter().map(|name| action(name)).collect(),
        capabilities: Capabilities::default(),
        config: None,
        memory_bytes_max: None,
        wit: BTreeMap::new(),
    }
}

fn action(name: &str) -> ActionManifest {
    ActionManifest {
        name: name.to_owned(),
        title: String::new(),
        description: String::new(),
        parameters: json!({
            "type": "object", "properties": { "say": { "type": "string" }, "count": { "type": "integer" } },
            "additionalProperties": false
        }),
        result: json!(true),
        aliases: Vec::new(),
        idempotent: true,
        effects: Effects::AtLeastOnce,
        side_effects: false,
        reversible: false,
        dry_run: false,
    }
}

fn bundled() -> Bundled {
    Bundled {
        manifest: manifest("test:echo", &["echo", "fail", "talk", "hold"]),
        component: Blobs::digest(b"echo"),
        grant: Grant::default(),
        settings: Settings::default(),
    }
}

impl World {
    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }
}
