//! What the pods say of a rollout that hangs: why containers wait or end, and why pods have no node.

use quantum_sdk::prelude::*;

use crate::api::Cluster;
use crate::object::{ContainerStatus, List, Pod};
use crate::target::Target;

/// Pods that are asked for: the first ones tell enough, and details stay small.
const PODS_MAX: usize = 20;

/// A pod that is not as it should be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Troubled {
    pub name: String,
    pub phase: String,
    pub reasons: Vec<String>,
}

/// None: listing pods is not permitted, or the cluster cannot say at the moment.
pub fn troubled(cluster: &Cluster<'_>, target: &Target, selector: &str) -> Option<Vec<Troubled>> {
    match cluster.get::<List<Pod>>(&target.pods(selector, PODS_MAX)) {
        Ok(pods) => Some(pods.items.iter().filter_map(trouble).collect()),
        Err(failure) => {
            let reason = failure.to_string();
            cluster.ctx.log().info("the pods cannot be asked", &[("reason", &reason)]);
            None
        }
    }
}

/// None: nothing is wrong with it.
fn trouble(pod: &Pod) -> Option<Troubled> {
    let status = &pod.status;
    let unscheduled = status.conditions.iter().filter(|c| c.kind == "PodScheduled" && c.status == "False");
    let unscheduled = unscheduled.map(|c| format!("not scheduled: {}", joined(&c.reason, &c.message)));
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses);
    let reasons: Vec<String> = unscheduled.chain(containers.flat_map(container)).collect();
    (!reasons.is_empty()).then(|| Troubled {
        name: pod.metadata.name.clone(),
        phase: status.phase.clone(),
        reasons,
    })
}

fn container(status: &ContainerStatus) -> Vec<String> {
    let name = &status.name;
    let waiting = status.state.waiting.iter();
    let waiting = waiting.map(|s| format!("container \"{name}\" waits: {}", joined(&s.reason, &s.message)));
    let ended = status.state.terminated.iter().chain(&status.last_state.terminated);
    let ended = ended.filter(|s| s.exit_code != 0).map(|s| {
        let reason = joined(&s.reason, &s.message);
        format!("container \"{name}\" ended with {}: {reason}", s.exit_code)
    });
    waiting.chain(ended).collect()
}

fn joined(reason: &str, message: &str) -> String {
    match (reason, message) {
        ("", "") => "no reason is given".to_owned(),
        (one, "") | ("", one) => one.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(status: Value) -> Option<Vec<String>> {
        let pod =
            serde_json::from_value(json!({ "metadata": { "name": "web-1" }, "status": status })).unwrap();
        trouble(&pod).map(|troubled| troubled.reasons)
    }

    #[test]
    fn every_reason_is_told_and_a_good_pod_is_not() {
        let running =
            json!({ "name": "web", "state": { "running": { "startedAt": "2025-01-01T00:00:00Z" } } });
        assert_eq!(check(json!({ "phase": "Running", "containerStatuses": [running] })), None);
        let reasons = check(json!({
            "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/3 nodes are available" }],
            "initContainerStatuses": [{ "name": "init", "state": { "terminated": { "exitCode": 0, "reason": "Completed" } } }],
            "containerStatuses": [
                { "name": "web", "state": { "waiting": { "reason": "CrashLoopBackOff" } },
                    "lastState": { "terminated": { "exitCode": 137, "reason": "OOMKilled" } } },
                { "name": "side", "state": { "waiting": { "reason": "ImagePullBackOff", "message": "not found" } } },
                { "name": "odd", "state": { "terminated": { "exitCode": 1 } } },
            ],
        }));
        assert_eq!(
            reasons.unwrap(),
            [
                "not scheduled: Unschedulable: 0/3 nodes are available",
                "container \"web\" waits: CrashLoopBackOff",
                "container \"web\" ended with 137: OOMKilled",
                "container \"side\" waits: ImagePullBackOff: not found",
                "container \"odd\" ended with 1: no reason is given",
            ]
        );
    }
}
