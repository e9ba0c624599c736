//! What is wrong on purpose: each ends with its code, and nothing secret goes anywhere.

use serde_json::{Value, json};
use xtask::http::{Reply, Server};

use super::registry::PASSWORD;
use super::stage::{NAMESPACE, Stage, TOKEN};

/// The failure of an execution: its code, its message, and whether it is tried again.
#[track_caller]
fn failure(execution: &Value) -> (&str, &str, bool) {
    assert_eq!(execution["status"], "failed", "{execution:#}");
    let error = &execution["error"];
    let text = |key: &str| error[key].as_str().unwrap();
    (text("code"), text("message"), error["retryable"].as_bool().unwrap())
}

fn build(image: &str) -> Value {
    json!({ "id": "build", "action": "build-container", "image": image })
}

fn push(image: &str) -> Value {
    json!({ "id": "push", "action": "push-to-registry", "registry": "azurecr.io", "image": image })
}

#[tokio::test]
async fn a_secret_is_used_where_it_is_meant_for_and_nowhere_else() {
    let Some(stage) = Stage::start() else { return };
    wrong_password(&stage).await;
    wrong_environment(&stage).await;
    another_host(&stage).await;
    another_token(&stage).await;
}

/// The registry does not know the user by it.
async fn wrong_password(stage: &Stage) {
    const WRONG: &str = "wrong-pipeline-password";
    stage.secret("REGISTRY_PASSWORD", WRONG, &["production"], "https://azurecr.io");
    let execution = stage.steps("wrong-password", "production", json!([build("a:1"), push("a:1")])).await;
    let (code, message, retryable) = failure(&execution);
    assert_eq!((code, retryable), ("registry-unauthorized", false), "{message}");
    assert!(message.contains("azurecr.io answered 401"), "{message}");
    assert_eq!(stage.registry.get("/v2/a/tags/list").status, 404);
    stage.has_no_secret(&execution, &[WRONG, PASSWORD]).await;
    stage.secret("REGISTRY_PASSWORD", PASSWORD, &["production"], "https://azurecr.io");
    let execution = stage.steps("right-password", "production", json!([build("a:1"), push("a:1")])).await;
    assert_eq!(execution["status"], "succeeded", "{execution:#}");
}

/// It is stored for production, and this is staging.
async fn wrong_environment(stage: &Stage) {
    let execution = stage.steps("staging", "staging", json!([build("b:1"), push("b:1")])).await;
    let (code, message, retryable) = failure(&execution);
    assert_eq!((code, retryable), ("secret-denied", false), "{message}");
    assert!(message.contains("is for production, and this execution runs in staging"), "{message}");
    assert_eq!(stage.registry.get("/v2/b/tags/list").status, 404);
}

/// The plugin may call the other host, and is told to identify there; the secret is not for it.
async fn another_host(stage: &Stage) {
    let (listener, url) = Server::bind().unwrap();
    let asks = |_: &_| Reply::empty(401).header("www-authenticate", "Basic realm=\"other\"");
    let other = Server::start(listener, asks).unwrap();
    let settings = json!({
        "config": { "context": "./app", "registries": { "other.example": { "username": "ci" } } },
        "endpoints": { "other.example": { "url": url } },
    });
    let settings = stage.home.file("other.json", settings.to_string());
    let consent = ["--allow-host", "https://other.example", "--settings", &format!("@{settings}")];
    stage.quantum(&[&["plugin", "configure", "quantum:oci"][..], &consent].concat());
    let steps =
        json!([build("c:1"), { "action": "push-to-registry", "registry": "other.example", "image": "c:1" }]);
    let execution = stage.steps("another-host", "production", steps).await;
    let (code, message, retryable) = failure(&execution);
    assert_eq!((code, retryable), ("effect-denied", false));
    assert!(message.contains("the secret REGISTRY_PASSWORD is not for this host"), "{message}");
    let seen = other.seen();
    assert!(!seen.is_empty(), "it was asked, and said what it wants");
    assert!(seen.iter().all(|request| request.authorization.is_empty()), "{seen:?}");
    stage.has_no_secret(&execution, &[PASSWORD]).await;
}

/// The cluster knows nobody by it.
async fn another_token(stage: &Stage) {
    const WRONG: &str = "wrong-pipeline-token";
    stage.secret("KUBERNETES_TOKEN", WRONG, &["production"], "https://cluster.example:6443");
    let deploy = json!([{ "action": "deploy-to-kubernetes", "namespace": NAMESPACE, "image": "a:1" }]);
    let execution = stage.steps("another-token", "production", deploy).await;
    let (code, message, retryable) = failure(&execution);
    assert_eq!((code, retryable), ("cluster-unauthorized", false), "{message}");
    stage.has_no_secret(&execution, &[WRONG, TOKEN]).await;
}

#[tokio::test]
async fn what_cannot_be_built_pulled_or_deployed_is_told() {
    let Some(stage) = Stage::start() else { return };
    let missing = json!([{ "action": "build-container", "image": "a:1", "context": "./nothing" }]);
    let execution = stage.steps("missing-context", "production", missing).await;
    assert_eq!(failure(&execution).0, "context-missing");

    let file = stage.home.file("escape.tar", escaping_tar());
    stage.quantum(&["artifact", "put", "./escape", &file]);
    let escapes = json!([{ "action": "build-container", "image": "a:1", "context": "./escape" }]);
    let execution = stage.steps("escaping-context", "production", escapes).await;
    let (code, message, _) = failure(&execution);
    assert_eq!(code, "context-escapes");
    assert!(message.contains("../outside"), "{message}");

    // Deployed by a name that the registry does not have: the pods say so.
    let image = "azurecr.io/nothing:1";
    let deploy =
        json!([{ "action": "deploy-to-kubernetes", "namespace": NAMESPACE, "name": "web", "image": image }]);
    let execution = stage.steps("missing-image", "production", deploy).await;
    let (code, message, retryable) = failure(&execution);
    assert_eq!((code, retryable), ("rollout-failed", false));
    assert!(message.contains("ImagePullBackOff") && message.contains("answered 404"), "{message}");

    let elsewhere = json!([{ "action": "deploy-to-kubernetes", "namespace": "kube-system", "image": "a:1" }]);
    let execution = stage.steps("another-namespace", "production", elsewhere).await;
    let (code, message, _) = failure(&execution);
    assert_eq!(code, "cluster-forbidden");
    assert!(message.contains("cannot patch resource \"deployments\""), "{message}");
}

/// A file whose name leads out; written by hand, since the library refuses to.
fn escaping_tar() -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..10].copy_from_slice(b"../outside");
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    let mut archive = header.as_bytes().to_vec();
    archive.resize(512 * 3, 0);
    archive
}
