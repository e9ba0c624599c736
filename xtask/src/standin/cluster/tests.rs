//! The API as a client meets it, over HTTP.

use serde_json::{Value, json};

use super::*;
use crate::http::{Answer, Request, send};

const WEB: &str = "/apis/apps/v1/namespaces/production/deployments/web";
const APPLY: &str = "application/apply-patch+yaml";
const OLD: &str = "registry.example/web:1";
const NEW: &str = "registry.example/web:2";

fn start() -> Cluster {
    start_with(Box::new(|_| Ok(())))
}

fn start_with(pull: Pull) -> Cluster {
    let user = |name: &str, token: &str, namespaces: &[&str]| ClusterUser {
        name: name.to_owned(),
        token: token.to_owned(),
        namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
    };
    let users =
        vec![user("quantum", "t0k3n", &["production", "gone"]), user("guest", "gu3st", &["playground"])];
    Cluster::start(ClusterOptions { namespaces: vec!["production".to_owned()], users, pull }).unwrap()
}

fn ask(cluster: &Cluster, request: (&str, &str), media_type: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers = [("authorization", "Bearer t0k3n"), ("content-type", media_type)];
    let (method, path) = request;
    send(&cluster.url(), Request { method, path, headers: &headers, body: &body }).unwrap()
}

fn get(cluster: &Cluster, path: &str) -> Value {
    json_of(&ask(cluster, ("GET", path), "", &Value::Null), 200)
}

fn apply(cluster: &Cluster, manager: &str, more: &str, body: &Value) -> Answer {
    ask(cluster, ("PATCH", &format!("{WEB}?fieldManager={manager}{more}")), APPLY, body)
}

#[track_caller]
fn json_of(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// A `Status` object: its reason and message, and the object.
#[track_caller]
fn refused(answer: &Answer, code: u16) -> (String, String, Value) {
    let body = json_of(answer, code);
    assert_eq!(
        (&body["kind"], &body["status"], &body["code"]),
        (&json!("Status"), &json!("Failure"), &json!(code))
    );
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    (text("reason"), text("message"), body)
}

fn web(image: &str, replicas: u64) -> Value {
    let labels = json!({ "app": "web" });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "production", "labels": labels },
        "spec": {
            "replicas": replicas, "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "web", "image": image, "env": [{ "name": "A", "value": "1" }] }] },
            },
        },
    })
}

/// Looks until nothing changes any more.
fn settle(cluster: &Cluster) -> Value {
    let mut last = Value::Null;
    loop {
        let seen = get(cluster, WEB);
        if seen == last {
            return seen;
        }
        last = seen;
    }
}

fn counts(object: &Value) -> [u64; 4] {
    ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"]
        .map(|name| object["status"][name].as_u64().unwrap_or(0))
}

fn reason(object: &Value, kind: &str) -> String {
    let conditions = object["status"]["conditions"].as_array().unwrap();
    let found = conditions.iter().find(|condition| condition["type"] == kind).unwrap();
    format!("{} {}", found["status"].as_str().unwrap(), found["reason"].as_str().unwrap())
}

#[test]
fn who_has_no_token_is_unauthorized_and_another_namespace_is_forbidden() {
    let cluster = start();
    for authorization in ["", "Bearer wrong", "Basic t0k3n"] {
        let headers = [("authorization", authorization)];
        let request = Request { method: "GET", path: WEB, headers: &headers, body: "" };
        assert_eq!(refused(&send(&cluster.url(), request).unwrap(), 401).0, "Unauthorized");
    }
    let headers = [("authorization", "Bearer gu3st")];
    let request = Request { method: "PATCH", path: WEB, headers: &headers, body: "" };
    let (reason, message, object) = refused(&send(&cluster.url(), request).unwrap(), 403);
    assert_eq!(reason, "Forbidden");
    let expected = "deployments.apps \"web\" is forbidden: User \"guest\" cannot patch resource \"deployments\" in API \
                    group \"apps\" in the namespace \"production\"";
    assert_eq!(message, expected);
    assert_eq!(object["details"], json!({ "name": "web", "group": "apps", "kind": "deployments" }));
}

#[test]
fn what_is_not_there_is_not_found() {
    let cluster = start();
    let (_, message, object) = refused(&ask(&cluster, ("GET", WEB), "", &Value::Null), 404);
    assert_eq!(message, "deployments.apps \"web\" not found");
    assert_eq!(object["details"]["kind"], "deployments");
    let gone = "/apis/apps/v1/namespaces/gone/deployments/web?fieldManager=a";
    let mut body = web(OLD, 1);
    body["metadata"]["namespace"] = json!("gone");
    let (_, message, object) = refused(&ask(&cluster, ("PATCH", gone), APPLY, &body), 404);
    assert_eq!(
        (message.as_str(), &object["details"]["kind"]),
        ("namespaces \"gone\" not found", &json!("namespaces"))
    );
    refused(&ask(&cluster, ("GET", "/apis/apps/v1/nodes"), "", &Value::Null), 404);
    refused(&ask(&cluster, ("DELETE", WEB), "", &Value::Null), 405);
}

#[test]
fn a_deployment_is_created_completed_and_rolled_out_step_by_step() {
    let cluster = start();
    let created = json_of(&apply(&cluster, "quantum", "&force=false", &web(OLD, 3)), 201);
    assert_eq!((&created["metadata"]["generation"], &created["status"]), (&json!(1), &json!({})));
    assert_eq!(created["spec"]["progressDeadlineSeconds"], 600);
    assert_eq!(created["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
    let version = created["metadata"]["resourceVersion"].as_str().unwrap();
    let path = format!(
        "/apis/apps/v1/namespaces/production/deployments?watch=true&fieldSelector=metadata.name%3Dweb\
         &resourceVersion={version}&timeoutSeconds=0"
    );
    // Time is over at once, and yet everything that the controller can do is told.
    let text = ask(&cluster, ("GET", &path), "", &Value::Null).text();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["type"] == "MODIFIED"));
    let seen: Vec<_> = events.iter().map(|event| counts(&event["object"])).collect();
    assert_eq!(seen, [[0, 0, 0, 0], [3, 3, 0, 0], [3, 3, 1, 1], [3, 3, 2, 2], [3, 3, 3, 3]]);
    let last = &events.last().unwrap()["object"];
    assert_eq!(last["status"]["observedGeneration"], 1);
    assert_eq!(last["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    assert_eq!(reason(last, "Progressing"), "True NewReplicaSetAvailable");
    assert_eq!(reason(last, "Available"), "True MinimumReplicasAvailable");
    assert_eq!(Some(last), cluster.deployment("production", "web").as_ref());
}

#[test]
fn a_look_sees_what_is_and_makes_the_next_step() {
    let cluster = start();
    apply(&cluster, "quantum", "", &web(OLD, 1));
    assert_eq!(get(&cluster, WEB)["status"], json!({}));
    assert_eq!(get(&cluster, WEB)["status"]["observedGeneration"], 1);
    assert_eq!(counts(&settle(&cluster)), [1, 1, 1, 1]);
}

#[test]
fn an_update_takes_the_old_pods_away_last_and_keeps_both_revisions() {
    let cluster = start();
    apply(&cluster, "quantum", "", &web(OLD, 2));
    settle(&cluster);
    let updated = json_of(&apply(&cluster, "quantum", "", &web(NEW, 2)), 200);
    assert_eq!(updated["metadata"]["generation"], 2);
    let mut seen = Vec::new();
    while seen.last() != Some(&[2, 2, 2, 2]) {
        let object = get(&cluster, WEB);
        if object["status"]["observedGeneration"] == 2 {
            seen.push(counts(&object));
        }
    }
    assert_eq!(seen, [[2, 0, 2, 2], [4, 2, 2, 2], [4, 2, 3, 3], [4, 2, 4, 4], [2, 2, 2, 2]]);
    let sets = get(&cluster, "/apis/apps/v1/namespaces/production/replicasets?labelSelector=app%3Dweb");
    let told: Vec<_> = sets["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| {
            let revision = set["metadata"]["annotations"]["deployment.kubernetes.io/revision"].clone();
            (
                revision,
                set["spec"]["template"]["spec"]["containers"][0]["image"].clone(),
                set["spec"]["replicas"].clone(),
            )
        })
        .collect();
    assert_eq!(told, [(json!("1"), json!(OLD), json!(0)), (json!("2"), json!(NEW), json!(2))]);
    let object = cluster.deployment("production", "web").unwrap();
    assert_eq!(sets["items"][0]["metadata"]["ownerReferences"][0]["uid"], object["metadata"]["uid"]);

    apply(&cluster, "quantum", "", &web(OLD, 2));
    assert_eq!(settle(&cluster)["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
    let sets = get(&cluster, "/apis/apps/v1/namespaces/production/replicasets");
    assert_eq!(sets["items"].as_array().unwrap().len(), 2);
}

#[test]
fn the_same_apply_again_changes_nothing() {
    let cluster = start();
    apply(&cluster, "quantum", "", &web(OLD, 1));
    let settled = settle(&cluster);
    assert_eq!(json_of(&apply(&cluster, "quantum", "", &web(OLD, 1)), 200), settled);
}

#[test]
fn a_field_of_another_manager_is_a_conflict_unless_it_is_forced_or_the_same() {
    let cluster = start();
    apply(&cluster, "quantum", "", &web(OLD, 1));
    let scale = |replicas: u64| {
        let mut body = web(OLD, replicas);
        body["spec"]["template"]["spec"]["containers"] = json!([{ "name": "web", "image": NEW }]);
        body
    };
    let (reason, message, object) = refused(&apply(&cluster, "other", "", &scale(1)), 409);
    assert_eq!(reason, "Conflict");
    let expected = "Apply failed with 1 conflict: conflict with \"quantum\" using apps/v1: \
                    .spec.template.spec.containers[name=\"web\"].image";
    assert_eq!(message, expected);
    assert_eq!(
        object["details"]["causes"][0],
        json!({
            "reason": "FieldManagerConflict", "message": "conflict with \"quantum\" using apps/v1",
            "field": ".spec.template.spec.containers[name=\"web\"].image",
        })
    );
    assert!(
        refused(&apply(&cluster, "other", "", &scale(2)), 409)
            .1
            .starts_with("Apply failed with 2 conflicts:")
    );
    let forced = json_of(&apply(&cluster, "other", "&force=true", &scale(2)), 200);
    assert_eq!(forced["spec"]["replicas"], 2);
    let (_, message, _) = refused(&apply(&cluster, "quantum", "", &web(OLD, 2)), 409);
    assert!(message.contains("conflict with \"other\""), "{message}");
    let same = json_of(&apply(&cluster, "quantum", "", &web(NEW, 2)), 200);
    assert_eq!(same["metadata"]["managedFields"].as_array().unwrap().len(), 2);
}

#[test]
fn what_a_manager_does_not_say_any_more_goes_unless_it_is_somebody_elses() {
    let cluster = start();
    let mut body = web(OLD, 3);
    body["metadata"]["labels"]["team"] = json!("shop");
    body["spec"]["template"]["spec"]["containers"][0]["ports"] =
        json!([{ "containerPort": 80, "protocol": "TCP" }]);
    apply(&cluster, "quantum", "", &body);
    let theirs = json!({ "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "labels": { "team": "shop", "tier": "front" } } });
    json_of(&apply(&cluster, "other", "", &theirs), 200);
    let mut less = web(OLD, 3);
    less["spec"].as_object_mut().unwrap().remove("replicas");
    less["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("env");
    let object = json_of(&apply(&cluster, "quantum", "", &less), 200);
    assert_eq!(object["metadata"]["labels"], json!({ "app": "web", "team": "shop", "tier": "front" }));
    assert_eq!(object["spec"]["replicas"], 1);
    let container = &object["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&container["env"], &container["ports"]), (&json!([]), &json!([])));
}

#[test]
fn an_object_that_cannot_be_is_refused_with_its_fields() {
    let cluster = start();
    let check = |change: fn(&mut Value), field: &str| {
        let mut body = web(OLD, 1);
        change(&mut body);
        let (reason, message, object) = refused(&apply(&cluster, "quantum", "", &body), 422);
        assert_eq!(
            (reason.as_str(), object["details"]["causes"][0]["field"].as_str()),
            ("Invalid", Some(field))
        );
        assert!(message.starts_with("Deployment.apps \"web\" is invalid: "), "{message}");
    };
    check(|body| body["spec"]["replicas"] = json!(-1), "spec.replicas");
    check(|body| body["spec"]["selector"] = json!({}), "spec.selector");
    check(
        |body| body["spec"]["selector"]["matchLabels"]["app"] = json!("x"),
        "spec.template.metadata.labels",
    );
    check(|body| body["spec"]["template"]["spec"]["containers"] = json!([]), "spec.template.spec.containers");
    check(
        |body| body["spec"]["template"]["spec"]["containers"][0]["image"] = json!(""),
        "spec.template.spec.containers[0].image",
    );
    apply(&cluster, "quantum", "", &web(OLD, 1));
    check(
        |body| {
            body["spec"]["selector"]["matchLabels"] = json!({ "name": "web" });
            body["spec"]["template"]["metadata"]["labels"] = json!({ "name": "web" });
        },
        "spec.selector",
    );
    assert_eq!(
        refused(&ask(&cluster, ("PATCH", WEB), APPLY, &web(OLD, 1)), 422).2["details"]["causes"][0]["field"],
        "fieldManager"
    );
    refused(&apply(&cluster, "quantum", "", &json!({ "kind": "Deployment" })), 400);
    let other = WEB.replace("web", "other");
    refused(&ask(&cluster, ("PATCH", &format!("{other}?fieldManager=a")), APPLY, &web(OLD, 1)), 400);
    refused(&ask(&cluster, ("PATCH", WEB), "application/json", &web(OLD, 1)), 415);
}

#[test]
fn a_dry_run_checks_everything_and_stores_nothing() {
    let cluster = start();
    let object = json_of(&apply(&cluster, "quantum", "&dryRun=All", &web(OLD, 1)), 201);
    assert_eq!(object["spec"]["progressDeadlineSeconds"], 600);
    assert_eq!(cluster.deployment("production", "web"), None);
    refused(&apply(&cluster, "quantum", "&dryRun=All", &web("", 1)), 422);
}

#[test]
fn an_update_needs_the_version_that_it_was_made_from_and_takes_its_fields() {
    let cluster = start();
    apply(&cluster, "quantum", "", &web(OLD, 1));
    let mut object = settle(&cluster);
    let put = |object: &Value| {
        ask(&cluster, ("PUT", &format!("{WEB}?fieldManager=rollback")), "application/json", object)
    };
    object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(NEW);
    object["status"] = json!({ "readyReplicas": 9 });
    let updated = json_of(&put(&object), 200);
    assert_eq!((&updated["metadata"]["generation"], counts(&updated)), (&json!(2), [1, 1, 1, 1]));
    let entries = updated["metadata"]["managedFields"].as_array().unwrap();
    let owner = entries.iter().find(|entry| entry["manager"] == "rollback").unwrap();
    let image = json!({ "f:spec": { "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"web\"}": { "f:image": {} } } } } } });
    assert_eq!((&owner["operation"], &owner["fieldsV1"]), (&json!("Update"), &image));
    assert!(
        refused(&put(&object), 409)
            .1
            .starts_with("Operation cannot be fulfilled on deployments.apps \"web\"")
    );
    assert!(
        refused(&apply(&cluster, "quantum", "", &web(OLD, 1)), 409).1.contains("conflict with \"rollback\"")
    );

    // The fields are handed to the one who applies: no conflict any more.
    let applied = entries.iter().find(|entry| entry["manager"] == "quantum").unwrap();
    let mut handed = applied.clone();
    handed["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"web\"}"]["f:image"] =
        json!({});
    let merge = json!({ "metadata": {
        "resourceVersion": updated["metadata"]["resourceVersion"], "managedFields": [handed],
    } });
    let media_type = "application/merge-patch+json";
    json_of(&ask(&cluster, ("PATCH", WEB), media_type, &merge), 200);
    refused(&ask(&cluster, ("PATCH", WEB), media_type, &merge), 409);
    let again = json_of(&apply(&cluster, "quantum", "", &web(OLD, 1)), 200);
    assert_eq!(again["spec"]["template"]["spec"]["containers"][0]["image"], OLD);
}

#[test]
fn an_image_that_cannot_be_pulled_ends_in_the_progress_deadline_until_another_is_wanted() {
    let cluster =
        start_with(Box::new(|image| if image == OLD { Err("not found".to_owned()) } else { Ok(()) }));
    apply(&cluster, "quantum", "", &web(OLD, 2));
    let stuck = settle(&cluster);
    assert_eq!(
        (counts(&stuck), reason(&stuck, "Progressing")),
        ([2, 2, 0, 0], "False ProgressDeadlineExceeded".to_owned())
    );
    assert_eq!(reason(&stuck, "Available"), "False MinimumReplicasUnavailable");
    let pods = get(&cluster, "/api/v1/namespaces/production/pods?labelSelector=app%3Dweb&limit=1");
    let waiting = &pods["items"][0]["status"]["containerStatuses"][0]["state"]["waiting"];
    assert_eq!(waiting["reason"], "ImagePullBackOff");
    assert_eq!(waiting["message"], format!("Back-off pulling image \"{OLD}\": not found"));
    assert_eq!(pods["items"].as_array().unwrap().len(), 1);
    apply(&cluster, "quantum", "", &web(NEW, 2));
    assert_eq!(counts(&settle(&cluster)), [2, 2, 2, 2]);
}

#[test]
fn a_watch_tells_what_others_do_while_it_waits() {
    let cluster = Arc::new(start());
    let watching = Arc::clone(&cluster);
    let path = "/apis/apps/v1/namespaces/production/deployments?watch=true&timeoutSeconds=60";
    let (sender, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        use std::io::{BufRead, BufReader, Write};
        let url = watching.url();
        let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nauthorization: Bearer t0k3n\r\n\r\n").unwrap();
        let lines = BufReader::new(stream).lines().map_while(std::result::Result::ok);
        lines.map_while(|line| sender.send(line).ok()).for_each(drop);
    });
    assert_eq!(told.recv().unwrap(), "HTTP/1.1 200 OK");
    apply(&cluster, "quantum", "", &web(OLD, 1));
    let ready = told.iter().find(|line| line.contains("\"readyReplicas\":1")).unwrap();
    assert!(ready.starts_with("{\"type\":\"MODIFIED\""), "{ready}");
}
