//! The tutorial's intents with exactly the parameters that are written there, against a real registry and a cluster's
//! API: what they leave behind, field by field, and what does not leave the host.

mod attacks;
mod image;
mod layout;
mod registry;
mod stage;

use serde_json::{Value, json};
use xtask::http::{Reply, Server};

use registry::PASSWORD;
use stage::{NAMESPACE, Stage, TOKEN, example};

/// The steps of an execution that succeeded, by their ids.
#[track_caller]
fn outputs(execution: &Value) -> impl Fn(&str) -> Value {
    assert_eq!(execution["status"], "succeeded", "{execution:#}");
    let steps = execution["steps"].as_array().unwrap().clone();
    move |id| steps.iter().find(|step| step["id"] == id).unwrap()["output"].clone()
}

#[tokio::test]
async fn deploy_web_app_builds_pushes_and_deploys_the_very_bytes_that_were_uploaded() {
    let Some(stage) = Stage::start() else { return };
    let intent = stage.apply("deploy-web-app");
    let execution = stage.client.run(&intent, &json!({})).await;
    let output = outputs(&execution);
    let (built, pushed) = (output("build-docker-image"), output("push-to-registry"));
    assert_eq!((&pushed["digest"], &pushed["registry"]), (&built["digest"], &json!("azurecr.io")));
    assert_eq!((&pushed["pushed_blobs"], &pushed["reused_blobs"]), (&json!(2), &json!(0)));

    let pulled = layout::by_requests(&stage.registry, "myapp", "latest");
    image::check(&pulled, &built, &example("app"));
    if let Some(independent) = layout::by_skopeo(&stage.registry, "myapp:latest") {
        assert_eq!(independent, pulled);
    }

    let deployment = stage.deployment("deploy-web-app");
    let reference = format!("azurecr.io/myapp@{}", built["digest"].as_str().unwrap());
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], reference);
    assert_eq!(
        (&deployment["spec"]["replicas"], &deployment["status"]["availableReplicas"]),
        (&json!(3), &json!(3))
    );
    let deployed = output("deploy-to-kubernetes");
    let expected = json!({
        "namespace": NAMESPACE, "name": "deploy-web-app", "image": reference, "replicas": 3, "generation": 1,
        "revision": 1, "ready_replicas": 3,
    });
    assert_eq!(deployed, expected);
    stage.has_no_secret(&execution, &[PASSWORD, TOKEN]).await;

    // The same again: the same digest, nothing to send, and nothing that the cluster has to do.
    let again = stage.client.run(&intent, &json!({})).await;
    let output = outputs(&again);
    let pushed = output("push-to-registry");
    assert_eq!(
        (&pushed["pushed_blobs"], &pushed["reused_blobs"], &pushed["bytes"]),
        (&json!(0), &json!(2), &json!(0))
    );
    assert_eq!((output("build-docker-image"), output("deploy-to-kubernetes")), (built, expected));
    assert_eq!(stage.deployment("deploy-web-app"), deployment);
}

#[tokio::test]
async fn deploy_application_builds_deploys_and_asks_for_the_health_of_what_runs() {
    let Some(stage) = Stage::start() else { return };
    let (listener, url) = Server::bind().unwrap();
    let service = Server::start(listener, |_| Reply::json(200, &json!({ "status": "ok" }))).unwrap();
    stage.configure("http", "https://myapp.example", &format!("myapp.example={url}"));
    let intent = stage.apply("deploy-application");
    let execution = stage.client.run(&intent, &json!({})).await;
    let output = outputs(&execution);
    let deployment = stage.deployment("deploy-application");
    let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!((image, &output("build-container")["image"]), (&json!("myapp:1.2.3"), &json!("myapp:1.2.3")));
    assert_eq!(deployment["status"]["availableReplicas"], 1);
    let verified = output("verify-deployment");
    assert_eq!((&verified["url"], &verified["checks"]), (&json!("https://myapp.example/health"), &json!(1)));
    let paths: Vec<_> = service.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/health"]);
    stage.has_no_secret(&execution, &[PASSWORD, TOKEN]).await;
}

/// The request of the tutorial's gateway section, which has no steps, with the blueprint of docs/examples.
#[tokio::test]
async fn the_request_without_steps_is_built_deployed_and_checked_by_its_blueprint() {
    let Some(stage) = Stage::start() else { return };
    let (listener, url) = Server::bind().unwrap();
    let service = Server::start(listener, |_| Reply::json(200, &json!({ "status": "ok" }))).unwrap();
    stage.configure("http", "https://myapp.example", &format!("myapp.example={url}"));
    let blueprint = example("blueprints/deploy-application.json");
    stage.quantum(&["blueprint", "apply", blueprint.to_str().unwrap()]);
    let request: Value = serde_json::from_str(crate::tutorial::DEPLOY_APPLICATION).unwrap();
    let intent = stage.client.intent("deploy-application", request["definition"].clone()).await;
    let execution = stage.client.run(&intent, &json!({})).await;
    let output = outputs(&execution);
    assert_eq!(output("build-container")["image"], "myapp:1.2.3");
    let deployment = stage.deployment("deploy-application");
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "myapp:1.2.3");
    let expected =
        json!({ "version": "1.2.3", "region": "azure-westus", "url": "https://myapp.example/health" });
    assert_eq!(execution["output"], expected);
    assert_eq!(service.seen().len(), 1);
}

/// `docs/tutorial`: the hands-on examples as they are written there, with an ordinary client.
#[test]
fn the_tutorials_examples_run_with_a_small_client() {
    let Some(stage) = Stage::start() else { return };
    let folder = example("../tutorial");
    let client = std::fs::read_to_string(folder.join("client.py")).unwrap();
    assert!(client.lines().count() < 60, "it is a small client");
    let token = stage.home.token("tenant-123", "kim", &["author", "operator"]);
    let mut python = std::process::Command::new("python3");
    python.arg(folder.join("examples.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    python.env("QUANTUM_URL", &stage.host.url).env("QUANTUM_TOKEN", &token);
    let done = python.output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
    for step in ["build-docker-image", "push-to-registry", "deploy-to-kubernetes"] {
        assert_eq!(text.matches(&format!("Step {step} completed: {{")).count(), 2, "{text}");
    }
    assert_eq!(text.matches(" completed successfully").count(), 2, "{text}");
    assert!(text.contains("Intents of tenant-123: ['deploy-web-app']"), "{text}");
}

#[tokio::test]
async fn a_second_version_is_rolled_out_and_back() {
    let Some(stage) = Stage::start() else { return };
    let intent = stage.apply("deploy-web-app");
    let first = outputs(&stage.client.run(&intent, &json!({})).await)("deploy-to-kubernetes");
    let changed = stage.home.path("changed");
    std::fs::create_dir(&changed).unwrap();
    std::fs::write(changed.join("index.html"), "another").unwrap();
    stage.quantum(&["artifact", "put", "./app", changed.to_str().unwrap()]);
    let second = outputs(&stage.client.run(&intent, &json!({})).await)("deploy-to-kubernetes");
    assert_eq!((&first["revision"], &second["revision"]), (&json!(1), &json!(2)));
    assert_ne!(first["image"], second["image"]);

    let back = json!([{ "action": "rollback-deployment", "namespace": NAMESPACE, "name": "deploy-web-app" }]);
    let undone = stage.steps("go-back", "production", back).await;
    let undone = outputs(&undone)("rollback-deployment");
    assert_eq!((&undone["revision"], &undone["image"]), (&json!(3), &first["image"]));
    let deployment = stage.deployment("deploy-web-app");
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], first["image"]);
    // The rollback left nothing that the next deployment conflicts with.
    let third = outputs(&stage.client.run(&intent, &json!({})).await)("deploy-to-kubernetes");
    assert_eq!((&third["revision"], &third["image"]), (&json!(4), &second["image"]));
}
