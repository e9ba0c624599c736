//! The wait for a rollout: watches, looks, ends.

use quantum_sdk::Failure;
use quantum_sdk::http::ErrorKind;
use quantum_sdk::testing::{Answer, Host};
use serde_json::{Value, json};

use super::cluster::{
    applied, apply_url, code, deploy, deployment, details, events, host, object_url, pods_url, ready,
    refusal, status, watch_url,
};

/// Applied, with the first watch scripted.
fn started(host: Host, watch: Answer) -> Host {
    host.answer("PATCH", &apply_url(), Answer::json(200, &applied(10)));
    host.answer("GET", &watch_url(10, 5), watch);
    host
}

fn failed(message: &str) -> Value {
    let mut object = deployment(12, 2, 1, 2);
    object["status"]["conditions"] = json!([
        { "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "ok" },
        { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": message },
    ]);
    object
}

#[test]
fn each_change_is_told_once() {
    let host = started(
        host(),
        events(&[
            ("ADDED", deployment(11, 2, 1, 2)),
            ("MODIFIED", deployment(12, 2, 1, 2)),
            ("BOOKMARK", json!({ "kind": "Deployment", "metadata": { "resourceVersion": "13" } })),
        ]),
    );
    host.answer("GET", &object_url(), Answer::json(200, &deployment(14, 2, 3, 2)));
    host.answer("GET", &watch_url(14, 5), events(&[("MODIFIED", ready(15))]));
    deploy(&host, json!({})).unwrap();
    let told: Vec<(u8, String)> = host.progress();
    let told: Vec<(u8, &str)> = told.iter().map(|(percent, text)| (*percent, text.as_str())).collect();
    assert_eq!(
        told,
        [
            (0, "applying deployment \"web\" in namespace \"production\""),
            (5, "the cluster has not observed the change yet"),
            (65, "1 of 3 replicas are updated"),
            (65, "2 of 3 updated replicas are available"),
            (100, "rolled out"),
        ]
    );
}

#[test]
fn a_watch_that_ends_or_breaks_or_is_too_old_is_followed_by_a_look() {
    let gone = refusal(410, "Expired", "too old resource version: 10 (20)", Value::Null);
    for watch in [
        events(&[]),
        events(&[("ERROR", gone.clone())]),
        Answer::json(410, &gone),
        Answer::status(503),
        Answer::error(ErrorKind::Connection),
        Answer::text(200, "{\"type\":\"MODIFIED\",\"obj"),
        events(&[("MODIFIED", ready(11))]).breaks_after(40),
    ] {
        let host = started(host(), watch);
        host.answer("GET", &object_url(), Answer::json(200, &ready(20)));
        let before = host.context().now();
        deploy(&host, json!({})).unwrap();
        assert_eq!(host.context().now() - before, 1_000, "a look is no sooner than a second after the last");
    }
}

#[test]
fn a_cluster_that_may_not_be_watched_is_looked_at() {
    let denied = status(403, "Forbidden", "cannot watch resource \"deployments\"", json!({}));
    let host = started(host(), denied);
    for version in 11..14 {
        host.answer("GET", &object_url(), Answer::json(200, &deployment(version, 2, 1, 2)));
    }
    host.answer("GET", &object_url(), Answer::json(200, &ready(14)));
    deploy(&host, json!({})).unwrap();
    let watches = host.requests().iter().filter(|request| request.url.contains("watch=true")).count();
    assert_eq!(watches, 1);
}

#[test]
fn a_cluster_that_is_away_for_a_while_does_not_end_the_wait() {
    let host = started(host(), Answer::error(ErrorKind::Connection));
    for answer in [Answer::status(503), Answer::error(ErrorKind::Timeout)] {
        host.answer("GET", &object_url(), answer);
        host.answer("GET", &watch_url(10, 5), Answer::error(ErrorKind::Connection));
    }
    host.answer("GET", &object_url(), Answer::json(200, &ready(20)));
    deploy(&host, json!({})).unwrap();
}

#[test]
fn a_rollout_that_makes_no_progress_fails_with_conditions_and_what_the_pods_say() {
    let host =
        started(host(), events(&[("MODIFIED", failed("ReplicaSet \"web-5d9\" has timed out progressing."))]));
    let pods = json!({ "kind": "PodList", "items": [
        { "metadata": { "name": "web-1" }, "status": { "phase": "Running",
            "containerStatuses": [{ "name": "web", "state": { "running": {} } }] } },
        { "metadata": { "name": "web-2" }, "status": { "phase": "Pending",
            "containerStatuses": [{ "name": "web", "state": { "waiting": { "reason": "ImagePullBackOff",
                "message": "Back-off pulling image \"registry.example/web\"" } } }] } },
    ] });
    host.answer("GET", &pods_url(), Answer::json(200, &pods));
    let failure = deploy(&host, json!({})).unwrap_err();
    let reason = "container \"web\" waits: ImagePullBackOff: Back-off pulling image \"registry.example/web\"";
    assert_eq!(
        failure.to_string(),
        format!(
            "rollout-failed: deployment \"web\" in namespace \"production\" does not become ready: ReplicaSet \
             \"web-5d9\" has timed out progressing.; pod \"web-2\": {reason}"
        )
    );
    let details = details(&failure);
    assert_eq!((code(&failure), &details["cause"]), (("rollout-failed", false), &json!("progress-deadline")));
    assert_eq!(details["conditions"][1]["reason"], "ProgressDeadlineExceeded");
    assert_eq!(details["pods"], json!([{ "name": "web-2", "phase": "Pending", "reasons": [reason] }]));
}

#[test]
fn pods_that_may_not_be_listed_are_left_out() {
    let host = started(host(), events(&[("MODIFIED", failed("stuck"))]));
    host.answer("GET", &pods_url(), status(403, "Forbidden", "cannot list pods", json!({})));
    let failure = deploy(&host, json!({})).unwrap_err();
    assert_eq!((code(&failure), &details(&failure)["pods"]), (("rollout-failed", false), &Value::Null));
}

#[test]
fn the_wait_is_over_after_the_given_seconds() {
    let host = started(host(), events(&[]).takes(5_000));
    host.answer("GET", &object_url(), Answer::json(200, &deployment(11, 2, 3, 2)));
    host.answer("GET", &watch_url(11, 3), events(&[]).takes(3_000));
    host.answer("GET", &object_url(), Answer::json(200, &deployment(12, 2, 3, 2)));
    host.answer("GET", &pods_url(), Answer::json(200, &json!({ "items": [] })));
    let failure = deploy(&host, json!({ "wait": 8 })).unwrap_err();
    assert_eq!((code(&failure), &details(&failure)["cause"]), (("rollout-failed", false), &json!("wait")));
    assert!(failure.to_string().ends_with("after 8 s, 2 of 3 updated replicas are available"), "{failure}");
}

#[test]
fn the_steps_deadline_ends_the_wait_in_time_for_an_answer() {
    let host = started(host().deadline_in(6_000), events(&[]).takes(5_000));
    host.answer("GET", &object_url(), Answer::json(200, &deployment(11, 2, 3, 2)));
    host.answer("GET", &watch_url(11, 1), events(&[]).takes(1_000));
    host.answer("GET", &object_url(), Answer::json(200, &deployment(12, 2, 3, 2)));
    host.answer("GET", &pods_url(), Answer::json(200, &json!({ "items": [] })));
    assert_eq!(code(&deploy(&host, json!({})).unwrap_err()), ("rollout-failed", false));
}

#[test]
fn a_cancelled_execution_stops_the_wait() {
    let host = started(host().cancel_in(3_000), events(&[]).takes(5_000));
    assert_eq!(deploy(&host, json!({})), Err(Failure::Cancelled));
    let at_an_event = started(
        super::cluster::host().cancel_in(3_000),
        events(&[("MODIFIED", deployment(11, 2, 1, 2)), ("MODIFIED", ready(12))]).takes(4_000),
    );
    assert_eq!(deploy(&at_an_event, json!({})), Err(Failure::Cancelled));
}

#[test]
fn a_deployment_that_goes_away_or_is_paused_is_not_waited_for() {
    let missing = json!({ "name": "web", "group": "apps", "kind": "deployments" });
    let host = started(super::cluster::host(), events(&[("DELETED", ready(11))]));
    assert_eq!(code(&deploy(&host, json!({})).unwrap_err()), ("deployment-not-found", false));

    let host = started(super::cluster::host(), events(&[]));
    host.answer("GET", &object_url(), status(404, "NotFound", "deployments.apps \"web\" not found", missing));
    let failure = deploy(&host, json!({})).unwrap_err();
    assert!(failure.to_string().ends_with("was deleted while its rollout was waited for"), "{failure}");

    let mut paused = deployment(11, 2, 0, 3);
    paused["spec"]["paused"] = json!(true);
    let host = started(super::cluster::host(), events(&[("MODIFIED", paused)]));
    assert_eq!(code(&deploy(&host, json!({})).unwrap_err()), ("deployment-paused", false));
}

#[test]
fn a_look_that_is_refused_ends_the_wait() {
    let host = started(host(), events(&[]));
    host.answer("GET", &object_url(), status(401, "Unauthorized", "Unauthorized", json!({})));
    assert_eq!(code(&deploy(&host, json!({})).unwrap_err()), ("cluster-unauthorized", false));
}
