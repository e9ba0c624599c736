//! `verify-deployment`: asks a health check again and again until it holds.

use std::time::Duration;

use quantum_sdk::http::ErrorKind;
use quantum_sdk::prelude::*;
use serde_json::{Value, json};

use crate::Config;
use crate::request::body;
use crate::subset::holds;

/// Milliseconds that one check may take: a hanging service must not eat the whole deadline.
const CHECK_MS_MAX: u64 = 5_000;
/// Milliseconds before the deadline at which the action gives its own answer; later the host ends it without one.
const MARGIN_MS_MAX: u64 = 1_000;
/// Milliseconds that it waits where the step has no deadline.
const WAIT_MS: u64 = 300_000;
/// Milliseconds between checks at least, so that a check is no attack.
const INTERVAL_MS_MIN: u64 = 50;
/// Characters of the last answer that go into the failure.
const ANSWER_CHARS_MAX: usize = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyDeployment {
    /// A whole URL, or a path that is added to the base URL.
    health_check: String,
    /// Where the deployment is; by default what the installation's configuration says.
    #[serde(default)]
    base_url: Option<String>,
    /// The status of a healthy answer.
    #[serde(default = "ok")]
    expect_status: u16,
    /// Fields that a healthy answer has at least, when it is JSON.
    #[serde(default)]
    expect: Option<Value>,
    /// Milliseconds between two checks.
    #[serde(default = "a_second")]
    interval_ms: u64,
}

fn ok() -> u16 {
    200
}

fn a_second() -> u64 {
    1_000
}

#[derive(Serialize, JsonSchema)]
pub struct Healthy {
    /// What was asked.
    url: String,
    status: u16,
    /// How often it was asked.
    checks: u32,
    waited_ms: u64,
}

/// Waits until a health check holds.
///
/// Asks every `interval_ms` until the status and the expected fields are there, or the step's time is nearly over; then
/// it fails with `not-healthy` and the last answer.
#[action(idempotent, no_side_effects, http = slot("targets"), clock)]
pub fn verify_deployment(ctx: &Context, p: VerifyDeployment) -> Result<Healthy> {
    let url = health_url(ctx, &p)?;
    let start_ms = ctx.now();
    let end_ms = end(start_ms, ctx.deadline());
    let interval_ms = p.interval_ms.max(INTERVAL_MS_MIN);
    for checks in 1.. {
        let timeout_ms = end_ms.saturating_sub(ctx.now()).clamp(1, CHECK_MS_MAX);
        let seen = check(ctx, &p, &url, timeout_ms)?;
        let waited_ms = ctx.now().saturating_sub(start_ms);
        if let Seen::Healthy(status) = seen {
            ctx.progress(100, "healthy");
            return Ok(Healthy { url, status, checks, waited_ms });
        }
        if ctx.now().saturating_add(interval_ms) >= end_ms {
            return Err(not_healthy(&url, checks, waited_ms, &seen));
        }
        ctx.progress(percent(waited_ms, end_ms - start_ms), &format!("check {checks}: {}", seen.describe()));
        ctx.sleep(Duration::from_millis(interval_ms))?;
    }
    Err(Failure::permanent("not-healthy", "the checks are used up"))
}

/// One look at the service.
enum Seen {
    Healthy(u16),
    Answer(u16, Value),
    Error(String),
}

impl Seen {
    fn describe(&self) -> String {
        match self {
            Self::Healthy(status) => format!("{status}"),
            Self::Answer(status, body) => {
                let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                format!("{status} {}", text.chars().take(ANSWER_CHARS_MAX).collect::<String>())
                    .trim_end()
                    .to_owned()
            }
            Self::Error(reason) => reason.clone(),
        }
    }
}

fn health_url(ctx: &Context, p: &VerifyDeployment) -> Result<String> {
    if p.health_check.contains("://") {
        return Ok(p.health_check.clone());
    }
    let base = match &p.base_url {
        Some(base) => Some(base.clone()),
        None => ctx.config::<Config>()?.base_url,
    };
    let Some(base) = base else {
        let message = format!(
            "\"{}\" is a path, and nothing says where the deployment is: give the step base_url, \
            or set base_url in the installation's configuration",
            p.health_check
        );
        return Err(Failure::permanent("no-base-url", message));
    };
    Ok(format!("{}/{}", base.trim_end_matches('/'), p.health_check.trim_start_matches('/')))
}

/// A tenth of the time is left for the own answer, at most a second.
fn end(start_ms: u64, deadline_ms: Option<u64>) -> u64 {
    let end_ms = deadline_ms.unwrap_or(start_ms.saturating_add(WAIT_MS));
    end_ms.saturating_sub((end_ms.saturating_sub(start_ms) / 10).min(MARGIN_MS_MAX)).max(start_ms)
}

/// Err: waiting is of no use, because the request itself is wrong or not allowed.
fn check(ctx: &Context, p: &VerifyDeployment, url: &str, timeout_ms: u64) -> Result<Seen> {
    match ctx.http().get(url).timeout(Duration::from_millis(timeout_ms)).send() {
        Ok(response) => {
            let (status, body) = (response.status(), body(&response));
            let healthy =
                status == p.expect_status && p.expect.as_ref().is_none_or(|fields| holds(fields, &body));
            Ok(if healthy { Seen::Healthy(status) } else { Seen::Answer(status, body) })
        }
        Err(error) if matches!(error.kind(), ErrorKind::Denied | ErrorKind::InvalidRequest) => {
            Err(error.into())
        }
        Err(error) => Ok(Seen::Error(error.to_string())),
    }
}

fn percent(waited_ms: u64, whole_ms: u64) -> u8 {
    u8::try_from((waited_ms.saturating_mul(100) / whole_ms.max(1)).min(99)).unwrap_or(99)
}

fn not_healthy(url: &str, checks: u32, waited_ms: u64, last: &Seen) -> Failure {
    let message =
        format!("{url} was not healthy after {checks} checks in {waited_ms} ms; last: {}", last.describe());
    let details = json!({ "url": url, "checks": checks, "waited_ms": waited_ms, "last": last.describe() });
    Failure::permanent("not-healthy", message).details(&details)
}

#[cfg(test)]
mod tests {
    use quantum_sdk::testing::{Answer, Host};

    use super::*;

    const URL: &str = "https://shop.example.com/health";

    fn scripted(answers: Vec<Answer>) -> Host {
        let host = Host::new().deadline_in(60_000).config(json!({ "base_url": "https://shop.example.com/" }));
        for answer in answers {
            host.answer("GET", URL, answer);
        }
        host
    }

    #[test]
    fn it_waits_until_the_check_holds() {
        let host =
            scripted(vec![Answer::error(ErrorKind::Connection), Answer::status(503), Answer::status(200)]);
        let healthy = host.run::<verify_deployment>(json!({ "health_check": "/health" })).unwrap();
        assert_eq!(healthy, json!({ "url": URL, "status": 200, "checks": 3, "waited_ms": 2_000 }));
        let told: Vec<u8> = host.progress().iter().map(|(percent, _)| *percent).collect();
        assert_eq!(told, [0, 1, 100]);
    }

    #[test]
    fn expected_fields_must_be_there_too() {
        let (starting, up) = (json!({ "status": "starting" }), json!({ "status": "up", "version": "1.2.3" }));
        let host = scripted(vec![Answer::json(200, &starting), Answer::json(200, &up)]);
        let parameters = json!({ "health_check": URL, "expect": { "status": "up" }, "interval_ms": 100 });
        assert_eq!(host.run::<verify_deployment>(parameters).unwrap()["checks"], 2);
    }

    #[test]
    fn it_fails_with_the_last_answer_before_the_deadline() {
        let host = scripted((0..5).map(|_| Answer::text(500, "no database")).collect()).deadline_in(5_000);
        let failure = host.run::<verify_deployment>(json!({ "health_check": URL })).unwrap_err();
        let problem = failure.problem().unwrap();
        assert_eq!((problem.code.as_str(), failure.is_retryable()), ("not-healthy", false));
        assert!(problem.message.ends_with("last: 500 no database"), "{}", problem.message);
        assert_eq!(host.requests().len(), 5, "a sixth check would come after the margin");
    }

    #[test]
    fn a_hanging_service_does_not_eat_the_deadline() {
        let host = scripted(vec![Answer::status(200).takes(30_000), Answer::status(200)]);
        let healthy = host.run::<verify_deployment>(json!({ "health_check": URL })).unwrap();
        assert_eq!(healthy["waited_ms"], 6_000);
    }

    #[test]
    fn a_cancelled_execution_stops_the_waiting() {
        let host = scripted(vec![Answer::status(503), Answer::status(503)]).cancel_in(1_500);
        assert_eq!(host.run::<verify_deployment>(json!({ "health_check": URL })), Err(Failure::Cancelled));
    }

    #[test]
    fn a_denied_request_ends_the_waiting_at_once() {
        let host = scripted(vec![Answer::error(ErrorKind::Denied)]);
        let failure = host.run::<verify_deployment>(json!({ "health_check": URL })).unwrap_err();
        assert_eq!(failure.problem().unwrap().code, "effect-denied");
    }

    #[test]
    fn a_path_without_a_base_says_what_to_set() {
        let failure = Host::new().run::<verify_deployment>(json!({ "health_check": "/health" })).unwrap_err();
        assert_eq!(failure.problem().unwrap().code, "no-base-url");
    }
}
