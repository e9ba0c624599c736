//! The tutorial's requests, as they are written there, against a host that was started without any configuration of
//! its own.

use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, send, types};
use crate::home::{Home, Host, TENANT};

/// Of the gateway section.
pub const DEPLOY_APPLICATION: &str = r#"{
  "name": "deploy-application",
  "definition": {
    "target": "production",
    "version": "1.2.3",
    "environment": "azure-westus"
  }
}"#;

/// Of example 1.
const DEPLOY_WEB_APP: &str = r#"{
    "name": "deploy-web-app",
    "definition": {
        "target": "production",
        "steps": [
            {
                "action": "build-docker-image",
                "image": "myapp:latest",
                "context": "./app"
            },
            {
                "action": "push-to-registry",
                "registry": "azurecr.io",
                "image": "myapp:latest"
            },
            {
                "action": "deploy-to-kubernetes",
                "namespace": "production",
                "replicas": 3
            }
        ]
    }
}"#;

const SECRET: &[u8] = b"SECRET_KEY, of 32 bytes and more than that";

fn start(config: &str) -> (Home, Host) {
    let home = Home::new(config);
    let host = home.start();
    home.create_tenant(&host, TENANT);
    (home, host)
}

async fn create(client: &Client, body: &'static str) -> crate::client::Answer {
    let request = client.request(Method::POST, "/api/v1/intents");
    send(request.header("Content-Type", "application/json").body(body)).await
}

#[tokio::test]
async fn the_request_of_the_gateway_section_is_stored_and_its_definition_of_the_registry_section_too() {
    let (home, host) = start("");
    let client = Client::new(&host.url, &home.token(TENANT, "dev", &["author", "operator"]));
    let answer = create(&client, DEPLOY_APPLICATION).await.is(201);
    assert_eq!(answer.header("location"), "/api/v1/intents/deploy-application-v1");
    let stored = answer.json();
    let shown = json!({
        "id": "deploy-application-v1", "name": "deploy-application", "version": 1, "tenant_id": TENANT,
        "status": "active",
    });
    for (key, value) in shown.as_object().unwrap() {
        assert_eq!(&stored[key], value, "{key}");
    }
    let sent: Value = serde_json::from_str(DEPLOY_APPLICATION).unwrap();
    assert_eq!(stored["definition"], sent["definition"]);
    assert!(stored["created_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        client.get("/api/v1/intents/deploy-application-v1").await.is(200).json()["uid"],
        stored["uid"]
    );

    let path = "/api/v1/intents/deploy-application-v1/execute";
    let (status, code, detail) = send(client.request(Method::POST, path)).await.problem();
    assert_eq!((status, code.as_str()), (409, "no-steps"), "{detail}");

    // With the blueprint of the examples it has steps; here it lacks the plugins.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/blueprints/deploy-application.json");
    home.run(Some(&host), &["blueprint", "apply", file]).ok();
    let refused = send(client.request(Method::POST, path)).await;
    assert_eq!(refused.problem().1, "invalid-document");
    let errors = refused.json()["errors"].as_array().unwrap().clone();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/steps/0/action", "/steps/1/action", "/steps/2/action"]);
}

#[tokio::test]
async fn deploy_web_app_is_stored_with_a_warning_for_each_action_that_is_not_installed() {
    let (home, host) = start("");
    let client = home.admin(&host);
    let created = create(&client, DEPLOY_WEB_APP).await.is(201).json();
    let findings = created["findings"].as_array().unwrap();
    let told: Vec<_> = findings.iter().map(|one| (&one["severity"], &one["pointer"], &one["code"])).collect();
    let (warning, code) = (json!("warning"), json!("action-unknown"));
    let pointers = [0, 1, 2].map(|at| json!(format!("/definition/steps/{at}/action")));
    assert_eq!(told, pointers.iter().map(|pointer| (&warning, pointer, &code)).collect::<Vec<_>>());
    let path = format!("/api/v1/intents/{}/execute", created["id"].as_str().unwrap());
    let refused = send(client.request(Method::POST, &path)).await;
    assert_eq!(refused.problem().1, "invalid-document");
    assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 3);
}

/// Example 1 from its first line to its last, with an action that is installed; then example 2.
#[tokio::test]
async fn an_intent_is_created_executed_without_a_body_and_watched_to_its_end() {
    let (home, host) = start("");
    let client = home.admin(&host);
    let steps =
        json!([{ "action": "hello", "name": "Ada" }, { "id": "again", "action": "greet", "name": "Bob" }]);
    let id = client.intent("say-hello", json!({ "target": "production", "steps": steps })).await;

    let started = send(client.request(Method::POST, &format!("/api/v1/intents/{id}/execute"))).await.is(202);
    let execution = started.json()["execution_id"].as_str().unwrap().to_owned();
    assert_eq!(started.header("location"), format!("/api/v1/executions/{execution}"));

    let events = client.events(&execution).await;
    let expected = [
        "execution_started",
        "step_started",
        "step_completed",
        "step_started",
        "step_completed",
        "execution_completed",
    ];
    assert_eq!(types(&events), expected);
    let result = |at: usize| (events[at]["step"].as_str().unwrap(), &events[at]["result"]);
    assert_eq!(result(2), ("hello", &json!({ "text": "Hello, Ada!" })));
    assert_eq!(result(4), ("again", &json!({ "text": "Hello, Bob!" })));
    assert!(events.iter().all(|event| event["execution_id"] == execution.as_str()));
}

#[tokio::test]
async fn an_execution_that_fails_says_why_in_its_last_event() {
    let (home, host) = start("");
    let client = home.admin(&host);
    let steps = json!([{ "action": "hello", "name": "${ input.names[7] }" }]);
    let id = client.intent("no-luck", json!({ "steps": steps })).await;
    let execution = client.execute(&id, &json!({ "names": [] })).await;
    let events = client.events(&execution).await;
    let last = events.last().unwrap();
    assert_eq!(last["type"], "execution_failed");
    assert_eq!(last["error"]["code"], "expression-failed", "{last}");
    assert!(last["error"]["message"].as_str().unwrap().contains("input.names"), "{last}");
}

#[tokio::test]
async fn set_tenant_switches_among_the_callers_tenants_and_a_list_is_of_one_tenant() {
    let (home, host) = start("");
    home.create_tenant(&host, "tenant-456");
    // The second token makes dev a member there too; the first one then reaches both.
    let dev = Client::new(&host.url, &home.token(TENANT, "dev", &["author"]));
    let other = Client::new(&host.url, &home.token("tenant-456", "dev", &["author"]));
    let names = async |client: &Client, tenant: &str| -> Vec<String> {
        let request = client.request(Method::GET, "/api/v1/intents").header("X-Tenant-ID", tenant);
        let items = send(request).await.is(200).json()["items"].clone();
        items.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    dev.intent("mine", json!({})).await;
    assert!(other.get("/api/v1/intents").await.is(200).json()["items"].as_array().unwrap().is_empty());
    let there = dev.request(Method::POST, "/api/v1/intents").header("X-Tenant-ID", "tenant-456");
    let created = send(there.json(&json!({ "name": "theirs", "definition": {} }))).await.is(201).json();
    assert_eq!(created["tenant_id"], "tenant-456");
    assert_eq!(names(&dev, TENANT).await, ["mine"]);
    assert_eq!(names(&dev, "tenant-456").await, ["theirs"]);

    let eve = Client::new(&host.url, &home.token(TENANT, "eve", &["author"]));
    let foreign = eve.request(Method::GET, "/api/v1/intents").header("X-Tenant-ID", "tenant-456");
    let unknown = eve.request(Method::GET, "/api/v1/intents").header("X-Tenant-ID", "tenant-999");
    assert_eq!(send(foreign).await.problem(), send(unknown).await.problem());
}

#[tokio::test]
async fn a_token_like_the_tutorials_works_once_its_user_is_a_member() {
    let home = Home::new("[[issuers]]\nsecret_file = \"secret\"");
    home.file("secret", SECRET);
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let token = |exp: u64, secret: &[u8]| {
        let claims = json!({ "user_id": "tutor", "exp": exp });
        encode(&Header::default(), &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let far = 4_000_000_000;
    let client = Client::new(&host.url, &token(far, SECRET));
    let (status, code, _) = create(&client, DEPLOY_APPLICATION).await.problem();
    assert_eq!((status, code.as_str()), (401, "principal-unknown"));

    let member = home.admin(&host).request(Method::PUT, "/api/v1/users/tutor");
    send(member.json(&json!({ "roles": ["author", "operator"] }))).await.is(200);
    create(&client, DEPLOY_APPLICATION).await.is(201);
    let steps = json!([{ "action": "hello", "name": "Ada" }]);
    let id = client.intent("say-hello", json!({ "steps": steps })).await;
    assert_eq!(client.run(&id, &json!({})).await["status"], "succeeded");

    let old = Client::new(&host.url, &token(1_704_362_400, SECRET)).get("/api/v1/intents").await;
    assert_eq!(old.problem(), (401, "token-expired".into(), "it ended at 2024-01-04T10:00:00.000Z".into()));
    let forged = token(far, b"another SECRET_KEY, of 32 bytes and more");
    let forged = Client::new(&host.url, &forged).get("/api/v1/intents").await.problem();
    assert_eq!((forged.0, forged.1.as_str()), (401, "token-invalid"));
}
