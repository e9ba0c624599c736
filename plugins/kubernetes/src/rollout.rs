//! The wait for a rollout, judged as `kubectl rollout status` does: by what the Deployment's status counts. Changes come
//! by a watch; a look at the object itself is the floor, whatever becomes of the watch.

use std::io::BufReader;
use std::time::Duration;

use quantum_sdk::prelude::*;
use serde_json::{Value, json};

use crate::api::Cluster;
use crate::object::{Deployment, read};
use crate::pods;
use crate::target::Target;

/// Seconds that a step waits when it says nothing.
const WAIT_SECONDS: u64 = 240;
/// Milliseconds before the step's deadline at which the action gives its own answer; later the host ends it without one.
const MARGIN_MS_MAX: u64 = 5_000;
/// Seconds of one watch: how late a cancelled execution is noticed, and how often the object itself is looked at.
const WATCH_SECONDS: u64 = 5;
/// Milliseconds that a watch may be silent beyond its time: longer, and the connection is dead.
const WATCH_GRACE_MS: u64 = 5_000;
/// Milliseconds between two looks at least, so that a watch that ends at once is no attack.
const LOOK_MS_MIN: u64 = 1_000;

/// Seconds that a step waits when it says nothing.
pub fn wait_seconds() -> u64 {
    WAIT_SECONDS
}

/// How far a rollout is.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Ready,
    /// For people: what is missing.
    Waiting(String),
    /// It made no progress for the Deployment's `progressDeadlineSeconds`: the condition's message.
    Failed(String),
}

/// Waits until the Deployment runs as it was applied, so many seconds at most, and gives its last state.
///
/// Err: `rollout-failed`, `deployment-paused`, `deployment-not-found` for good, cancelled, or what a look at the
/// Deployment was refused with.
pub fn wait(cluster: &Cluster<'_>, target: &Target, applied: Deployment, seconds: u64) -> Result<Deployment> {
    if seconds == 0 {
        return Ok(applied);
    }
    let mut rollout = Rollout::new(cluster, target, seconds);
    let mut seen = applied;
    while !rollout.is_ready(&seen)? {
        let look_ms = rollout.now() + LOOK_MS_MIN;
        if let Some(ready) = rollout.follow(&seen)? {
            return Ok(ready);
        }
        rollout.rest_until(look_ms)?;
        if let Some(deployment) = rollout.look()? {
            seen = deployment;
        }
    }
    Ok(seen)
}

struct Rollout<'a> {
    cluster: &'a Cluster<'a>,
    target: &'a Target,
    start_ms: u64,
    end_ms: u64,
    /// False once the cluster refused to be watched.
    may_watch: bool,
    /// The last progress message: each is told once.
    told: String,
}

impl<'a> Rollout<'a> {
    fn new(cluster: &'a Cluster<'a>, target: &'a Target, seconds: u64) -> Self {
        let start_ms = cluster.ctx.now();
        let wanted_ms = start_ms.saturating_add(seconds.saturating_mul(1_000));
        let deadline_ms = cluster.ctx.deadline().map(|deadline_ms| {
            let margin_ms = (deadline_ms.saturating_sub(start_ms) / 10).min(MARGIN_MS_MAX);
            deadline_ms.saturating_sub(margin_ms)
        });
        let end_ms = wanted_ms.min(deadline_ms.unwrap_or(u64::MAX));
        Self { cluster, target, start_ms, end_ms, may_watch: true, told: String::new() }
    }

    fn now(&self) -> u64 {
        self.cluster.ctx.now()
    }

    fn left_ms(&self) -> u64 {
        self.end_ms.saturating_sub(self.now())
    }

    /// Err: it never will be, the time is over, or the execution is being cancelled.
    fn is_ready(&mut self, seen: &Deployment) -> Result<bool> {
        let waiting = match stage(seen) {
            Stage::Ready => {
                self.cluster.ctx.progress(100, "rolled out");
                return Ok(true);
            }
            Stage::Failed(message) => return Err(self.failed(seen, "progress-deadline", &message)),
            Stage::Waiting(_) if seen.spec.paused => return Err(paused(self.target)),
            Stage::Waiting(waiting) => waiting,
        };
        if self.cluster.ctx.cancelled() {
            return Err(Failure::Cancelled);
        }
        if self.left_ms() == 0 {
            let seconds = self.now().saturating_sub(self.start_ms) / 1_000;
            return Err(self.failed(seen, "wait", &format!("after {seconds} s, {waiting}")));
        }
        self.tell(seen, waiting);
        Ok(false)
    }

    fn tell(&mut self, seen: &Deployment, waiting: String) {
        if self.told == waiting {
            return;
        }
        let wanted = u64::from(seen.spec.wanted()).max(1);
        let available =
            if is_observed(seen) { u64::from(seen.status.available_replicas).min(wanted) } else { 0 };
        let percent = 5 + available * 90 / wanted;
        self.cluster.ctx.progress(u8::try_from(percent).unwrap_or(95), &waiting);
        self.told = waiting;
    }

    /// Follows the changes for a few seconds. None: it is not ready yet, or it cannot be watched.
    fn follow(&mut self, seen: &Deployment) -> Result<Option<Deployment>> {
        if !self.may_watch {
            return Ok(None);
        }
        let seconds = (self.left_ms() / 1_000).clamp(1, WATCH_SECONDS);
        let path = self.target.watch(&seen.metadata.resource_version, seconds);
        let silence = Duration::from_millis(seconds * 1_000 + WATCH_GRACE_MS);
        // Whatever is wrong here, the next look at the object says it better.
        let Ok(stream) = self.cluster.stream(&path, silence) else { return Ok(None) };
        if stream.status() != 200 {
            self.may_watch = stream.status() != 403;
            return Ok(None);
        }
        let events = serde_json::Deserializer::from_reader(BufReader::new(stream)).into_iter::<Value>();
        for event in events.map_while(std::result::Result::ok) {
            match event.get("type").and_then(Value::as_str) {
                Some("ADDED" | "MODIFIED") => {
                    let Ok(deployment) = read::<Deployment>(event.get("object").unwrap_or(&Value::Null))
                    else {
                        break;
                    };
                    if self.is_ready(&deployment)? {
                        return Ok(Some(deployment));
                    }
                }
                Some("DELETED") => return Err(deleted(self.target)),
                // An error, mostly 410: the version is too old to be watched from. Or something that was not asked for.
                _ => break,
            }
        }
        Ok(None)
    }

    /// The object as it is now. None: the cluster cannot say at the moment.
    fn look(&self) -> Result<Option<Deployment>> {
        match self.cluster.get(&self.target.deployment()) {
            Ok(deployment) => Ok(Some(deployment)),
            Err(failure) if failure.is_retryable() => {
                let reason = failure.to_string();
                self.cluster.ctx.log().warn("the cluster did not answer", &[("reason", &reason)]);
                Ok(None)
            }
            Err(failure) if failure.problem().is_some_and(|p| p.code == "deployment-not-found") => {
                Err(deleted(self.target))
            }
            Err(failure) => Err(failure),
        }
    }

    fn rest_until(&self, ms: u64) -> Result<()> {
        let rest_ms = ms.saturating_sub(self.now()).min(self.left_ms());
        self.cluster.ctx.sleep(Duration::from_millis(rest_ms))
    }

    fn failed(&self, seen: &Deployment, cause: &str, what: &str) -> Failure {
        let Deployment { metadata, spec, status } = seen;
        let pods = pods::troubled(self.cluster, self.target, &spec.selector.text());
        let first = pods.iter().flatten().find_map(|pod| Some((&pod.name, pod.reasons.first()?)));
        let first = first.map(|(pod, reason)| format!("; pod \"{pod}\": {reason}")).unwrap_or_default();
        let message = format!("{} does not become ready: {what}{first}", self.target.describe());
        Failure::permanent("rollout-failed", message).details(&json!({
            "namespace": self.target.namespace,
            "name": self.target.name,
            "cause": cause,
            "generation": metadata.generation,
            "observed_generation": status.observed_generation,
            "replicas": spec.wanted(),
            "updated_replicas": status.updated_replicas,
            "ready_replicas": status.ready_replicas,
            "available_replicas": status.available_replicas,
            "conditions": status.conditions,
            "pods": pods,
        }))
    }
}

/// Nothing is rolled out while somebody has paused it.
pub fn paused(target: &Target) -> Failure {
    let message = format!(
        "{} is paused, so nothing is rolled out: resume it (kubectl rollout resume), then try again",
        target.describe()
    );
    Failure::permanent("deployment-paused", message)
}

fn deleted(target: &Target) -> Failure {
    let message = format!("{} was deleted while its rollout was waited for", target.describe());
    Failure::permanent("deployment-not-found", message)
}

fn is_observed(seen: &Deployment) -> bool {
    seen.status.observed_generation >= seen.metadata.generation
}

fn stage(seen: &Deployment) -> Stage {
    if !is_observed(seen) {
        return Stage::Waiting("the cluster has not observed the change yet".to_owned());
    }
    let (status, wanted) = (&seen.status, seen.spec.wanted());
    let stuck = status.condition("Progressing").filter(|c| c.reason == "ProgressDeadlineExceeded");
    if let Some(condition) = stuck {
        return Stage::Failed(condition.message.clone());
    }
    let (updated, available) = (status.updated_replicas, status.available_replicas);
    let waiting = if updated < wanted {
        format!("{updated} of {wanted} replicas are updated")
    } else if status.replicas > updated {
        format!("{} old replicas are still there", status.replicas - updated)
    } else if available < updated {
        format!("{available} of {updated} updated replicas are available")
    } else {
        return Stage::Ready;
    };
    let broken = status.condition("ReplicaFailure").filter(|c| c.status == "True");
    Stage::Waiting(match broken {
        Some(condition) => format!("{waiting}; pods cannot be made: {}", condition.message),
        None => waiting,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// generation and observed generation, wanted, all, updated, available.
    fn check(counts: [u32; 6], conditions: Value) -> Stage {
        let [generation, observed, wanted, all, updated, available] = counts;
        stage(
            &serde_json::from_value(json!({
                "metadata": { "generation": generation },
                "spec": { "replicas": wanted },
                "status": {
                    "observedGeneration": observed, "replicas": all, "updatedReplicas": updated,
                    "availableReplicas": available, "conditions": conditions,
                },
            }))
            .unwrap(),
        )
    }

    #[test]
    fn a_rollout_is_ready_when_the_counts_of_the_newest_change_say_so() {
        let waiting = |text: &str| Stage::Waiting(text.to_owned());
        for (counts, expected) in [
            ([2, 1, 3, 3, 3, 3], waiting("the cluster has not observed the change yet")),
            ([2, 2, 3, 4, 1, 3], waiting("1 of 3 replicas are updated")),
            ([2, 2, 3, 4, 3, 3], waiting("1 old replicas are still there")),
            ([2, 2, 3, 3, 3, 2], waiting("2 of 3 updated replicas are available")),
            ([2, 2, 3, 3, 3, 3], Stage::Ready),
            ([2, 3, 3, 3, 3, 3], Stage::Ready),
            ([2, 2, 0, 0, 0, 0], Stage::Ready),
        ] {
            assert_eq!(check(counts, json!([])), expected, "{counts:?}");
        }
    }

    #[test]
    fn a_progress_deadline_is_the_end_and_only_for_the_observed_change() {
        let conditions = json!([{
            "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
            "message": "ReplicaSet \"web-1\" has timed out progressing.",
        }]);
        let end = Stage::Failed("ReplicaSet \"web-1\" has timed out progressing.".to_owned());
        assert_eq!(check([2, 2, 3, 4, 1, 3], conditions.clone()), end);
        assert!(matches!(check([3, 2, 3, 4, 1, 3], conditions), Stage::Waiting(_)));
    }

    #[test]
    fn pods_that_cannot_be_made_are_told_and_waited_for() {
        let conditions = json!([{
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota",
        }]);
        let told = "0 of 3 replicas are updated; pods cannot be made: exceeded quota";
        assert_eq!(check([2, 2, 3, 3, 0, 3], conditions), Stage::Waiting(told.to_owned()));
    }
}
