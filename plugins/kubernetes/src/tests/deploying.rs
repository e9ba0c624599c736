//! What is applied, and what comes of it.

use quantum_sdk::testing::{Answer, Host};
use serde_json::{Value, json};

use super::cluster::{IMAGE, applied, apply_url, code, deploy, events, host, ready, watch_url};

/// The object that is applied.
fn sent(host: &Host, more: Value) -> Value {
    host.answer("PATCH", &apply_url(), Answer::json(200, &ready(10)));
    deploy(host, more).unwrap();
    serde_json::from_slice(&host.requests()[0].body).unwrap()
}

#[test]
fn a_deployment_is_applied_and_waited_for() {
    let host = host();
    host.answer("PATCH", &apply_url(), Answer::json(201, &applied(10)));
    host.answer("GET", &watch_url(10, 5), events(&[("MODIFIED", ready(11))]));
    let deployed = deploy(&host, json!({ "replicas": 3 })).unwrap();
    let expected = json!({
        "namespace": "production", "name": "web", "image": IMAGE, "replicas": 3, "generation": 2, "revision": 2,
        "ready_replicas": 3,
    });
    assert_eq!(deployed, expected);
    let apply = &host.requests()[0];
    assert_eq!(apply.header("content-type"), Some("application/apply-patch+yaml"));
    let bearer = format!("Bearer {}", host.secret_placeholder("KUBERNETES_TOKEN"));
    assert!(host.requests().iter().all(|request| request.header("authorization") == Some(&bearer)));
}

#[test]
fn little_is_said_when_little_is_given() {
    let expected = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "production",
            "labels": { "app.kubernetes.io/name": "web", "app.kubernetes.io/managed-by": "quantum" },
        },
        "spec": {
            "selector": { "matchLabels": { "app.kubernetes.io/name": "web" } },
            "template": {
                "metadata": { "labels": { "app.kubernetes.io/name": "web" } },
                "spec": { "containers": [{ "name": "web", "image": IMAGE }] },
            },
        },
    });
    assert_eq!(sent(&host(), json!({})), expected);
}

#[test]
fn everything_that_is_given_is_said() {
    let config = json!({
        "server": "https://cluster.example:6443", "container_name": "app", "image_pull_secrets": ["pull", "more"],
        "selector_label": "app",
    });
    let object = sent(
        &host().config(config),
        json!({
            "replicas": 4,
            "container_port": 8080,
            "env": { "A": "text", "B": 8, "C": true, "D": { "secret": "db", "key": "password" },
                "E": { "config_map": "flags", "key": "e" } },
            "labels": { "team": "web" },
            "resources": { "requests": { "cpu": "250m", "memory": "128Mi" }, "limits": { "cpu": 1 } },
        }),
    );
    assert_eq!(
        object["metadata"]["labels"],
        json!({ "app": "web", "team": "web", "app.kubernetes.io/managed-by": "quantum" })
    );
    let spec = json!({
        "replicas": 4,
        "selector": { "matchLabels": { "app": "web" } },
        "template": {
            "metadata": { "labels": { "app": "web", "team": "web" } },
            "spec": {
                "imagePullSecrets": [{ "name": "pull" }, { "name": "more" }],
                "containers": [{
                    "name": "app", "image": IMAGE,
                    "ports": [{ "containerPort": 8080, "protocol": "TCP" }],
                    "env": [
                        { "name": "A", "value": "text" }, { "name": "B", "value": "8" }, { "name": "C", "value": "true" },
                        { "name": "D", "valueFrom": { "secretKeyRef": { "name": "db", "key": "password" } } },
                        { "name": "E", "valueFrom": { "configMapKeyRef": { "name": "flags", "key": "e" } } },
                    ],
                    "resources": { "requests": { "cpu": "250m", "memory": "128Mi" }, "limits": { "cpu": "1" } },
                }],
            },
        },
    });
    assert_eq!(object["spec"], spec);
}

#[test]
fn manager_and_force_are_told_and_a_proxy_needs_no_token() {
    let config = json!({ "server": "http://127.0.0.1:8001/k8s", "auth": "none", "field_manager": "shop" });
    let host = Host::new().config(config);
    let url = "http://127.0.0.1:8001/k8s/apis/apps/v1/namespaces/production/deployments/web\
               ?fieldManager=shop&force=true";
    host.answer("PATCH", url, Answer::json(200, &ready(10)));
    deploy(&host, json!({ "force": true })).unwrap();
    assert_eq!(host.requests()[0].header("authorization"), None);
}

#[test]
fn the_url_is_made_from_the_installations_template() {
    let config = |template: &str| json!({ "server": "https://cluster.example:6443", "base_url": template });
    let ours = host().config(config("https://{name}.{namespace}.example.com"));
    ours.answer("PATCH", &apply_url(), Answer::json(200, &ready(10)));
    assert_eq!(deploy(&ours, json!({})).unwrap()["url"], "https://web.production.example.com");
    let failure = deploy(&host().config(config("https://{pod}.example.com")), json!({})).unwrap_err();
    assert_eq!(code(&failure), ("invalid-config", false));
}

#[test]
fn a_dry_run_lets_the_cluster_check_and_waits_for_nothing() {
    let host = host().dry_run(true);
    host.answer("PATCH", &format!("{}&dryRun=All", apply_url()), Answer::json(200, &applied(10)));
    assert_eq!(deploy(&host, json!({})).unwrap()["generation"], 2);
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn no_wait_gives_what_the_cluster_has_at_once() {
    let host = host();
    host.answer("PATCH", &apply_url(), Answer::json(200, &applied(10)));
    assert_eq!(deploy(&host, json!({ "wait": 0 })).unwrap()["revision"], 1);
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn containers_of_others_are_warned_of() {
    let host = host();
    let mut object = ready(10);
    object["spec"]["template"]["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": "old", "image": "web:1" }));
    host.answer("PATCH", &apply_url(), Answer::json(200, &object));
    deploy(&host, json!({})).unwrap();
    assert!(host.logs().iter().any(|line| line.field("containers") == Some("[\"old\"]")));
}

#[test]
fn what_cannot_be_right_is_refused_before_anything_is_sent() {
    for (more, code_and_start) in [
        (json!({ "namespace": "Production" }), "invalid-parameters: namespace: \"Production\""),
        (json!({ "name": "web/../x" }), "invalid-parameters: name: \"web/../x\""),
        (json!({ "image": "" }), "invalid-parameters: image: \"\" is no reference"),
        (json!({ "image": "web: 1" }), "invalid-parameters: image: \"web: 1\" is no reference"),
        (json!({ "labels": { "app.kubernetes.io/name": "x" } }), "invalid-parameters: labels: \"app.kuber"),
        (
            json!({ "container_port": 0 }),
            "invalid-parameters: the parameters of deploy-to-kubernetes do not fit: con",
        ),
        (
            json!({ "replicas": -1 }),
            "invalid-parameters: the parameters of deploy-to-kubernetes do not fit: replicas",
        ),
        (
            json!({ "env": { "A": [] } }),
            "invalid-parameters: the parameters of deploy-to-kubernetes do not fit: env.A: \
            expected a string, a number, a boolean, { \"secret\": NAME",
        ),
        (
            json!({ "resources": { "cpu": 1 } }),
            "invalid-parameters: the parameters of deploy-to-kubernetes do not fit",
        ),
        (
            json!({ "replica": 1 }),
            "invalid-parameters: the parameters of deploy-to-kubernetes do not fit: unknown field `replica`",
        ),
    ] {
        let host = host();
        let failure = deploy(&host, more).unwrap_err();
        assert!(failure.to_string().starts_with(code_and_start), "{failure}");
        assert_eq!((host.requests().len(), failure.is_retryable()), (0, false));
    }
}

#[test]
fn a_configuration_that_does_not_fit_is_told_with_its_key() {
    for (config, part) in [
        (json!({ "server": "cluster.example" }), "server: \"cluster.example\" is no URL"),
        (json!({ "field_manager": "" }), "field_manager: \"\" is no name of a field manager"),
        (json!({ "field_manager": "a&force=true" }), "field_manager: \"a&force=true\" is no name"),
        (json!({ "selector_label": "" }), "selector_label: \"\" is empty"),
        (json!({ "auth": "basic" }), "auth: unknown variant `basic`, expected `token` or `none`"),
        (json!({ "sever": "https://a" }), "unknown field `sever`"),
    ] {
        let failure = deploy(&host().config(config), json!({})).unwrap_err();
        assert_eq!(code(&failure), ("invalid-config", false));
        assert!(failure.to_string().contains(part), "{failure}");
    }
}

#[test]
fn a_missing_secret_is_told_by_its_name() {
    let host = Host::new().config(json!({ "server": "https://cluster.example:6443" }));
    let failure = deploy(&host, json!({})).unwrap_err();
    assert_eq!(failure.to_string(), "secret-missing: there is no secret \"KUBERNETES_TOKEN\"");
}

#[test]
fn an_unsaid_server_is_the_one_of_the_cluster_that_it_runs_in() {
    let host = host().config(json!({}));
    let url = apply_url().replace("https://cluster.example:6443", "https://kubernetes.default.svc");
    host.answer("PATCH", &url, Answer::json(200, &ready(10)));
    deploy(&host, json!({})).unwrap();
}
