//! What `quantum:secrets` gives, and to whom.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quantum_core::manifest::SecretPlace;
use quantum_core::port::{FailureKind, Grant};
use quantum_core::vocabulary::{Capability, Environment};
use serde_json::json;

use crate::script::{everything, told};
use crate::world::{World, failure};

fn grant() -> Grant {
    everything(&["*"], &[SecretPlace::Header])
}

fn world(value: &str) -> World {
    let world = World::new();
    world.secrets.keep("TOKEN", value, &["*"]);
    world
}

#[tokio::test]
async fn a_placeholder_is_new_for_each_attempt_and_the_same_within_it() {
    let world = world("s3cr3t-value");
    let lines = ["+[\"", "pTOKEN", "+\",\"", "pTOKEN", "+\"]"];
    let mut given = Vec::new();
    for _ in 0..2 {
        let report = world.script(grant(), &lines).await;
        let pair: Vec<String> = serde_json::from_str(&told(&report)).unwrap();
        assert_eq!(pair[0], pair[1]);
        let hex = pair[0].strip_prefix("qsec_").unwrap();
        assert!(hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        given.extend(pair);
    }
    assert_ne!(given[0], given[2]);
    assert_eq!(*world.gate.asked.lock().unwrap(), ["use TOKEN development"; 4]);
}

#[tokio::test]
async fn a_secret_that_is_not_declared_is_not_even_opened() {
    let world = world("s3cr3t-value");
    let undeclared = "undeclared: the secret \"OTHER\" is not in the plugin's grant; name it in capabilities.secrets of \
                      the plugin's manifest and install the plugin again";
    assert_eq!(told(&world.script(grant(), &["pOTHER"]).await), undeclared);
    assert_eq!(told(&world.script(grant(), &["+user", "uOTHER"]).await), undeclared);
    assert_eq!(told(&world.script(grant(), &["mOTHER"]).await), undeclared);
    let undeclared = undeclared.replace("capabilities.secrets", "capabilities.reveal");
    assert_eq!(told(&world.script(grant(), &["vOTHER"]).await), undeclared);
    let only_used = Grant { reveal: vec![], ..grant() };
    assert!(told(&world.script(only_used, &["vTOKEN"]).await).starts_with("undeclared: "));
    let only_shown = Grant { secrets: vec![], ..grant() };
    assert!(told(&world.script(only_shown, &["pTOKEN"]).await).starts_with("undeclared: "));
    assert!(world.gate.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn using_and_seeing_are_capabilities_of_their_own() {
    let world = world("s3cr3t-value");
    for (missing, lines) in [
        (Capability::SecretsUse, &["pTOKEN"][..]),
        (Capability::SecretsUse, &["+u", "uTOKEN"]),
        (Capability::SecretsUse, &["mTOKEN"]),
        (Capability::SecretsReveal, &["vTOKEN"]),
    ] {
        let mut grant = grant();
        grant.capabilities.retain(|capability| *capability != missing);
        let denied = failure(world.script(grant, lines).await);
        assert_eq!(denied.kind, FailureKind::Denied, "{lines:?}");
        assert_eq!(denied.problem.details.unwrap()["rule"], format!("capability:{missing}"));
    }
    assert!(world.gate.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_installation_says_which_secret_of_the_tenant_it_is() {
    let world = World::new();
    world.secrets.keep("DEV_TOKEN", "12345", &["*"]);
    let settings = json!({ "secrets": { "TOKEN": "OTHER" },
        "environments": { "development": { "secrets": { "TOKEN": "DEV_TOKEN" } } } });
    assert_eq!(told(&world.script_with(settings, grant(), &["vTOKEN"]).await), "\"[secret DEV_TOKEN]\"");
    assert_eq!(*world.gate.asked.lock().unwrap(), ["reveal DEV_TOKEN development"]);
    assert_eq!(told(&world.script(grant(), &["vTOKEN"]).await), "missing: there is no secret TOKEN");
}

#[tokio::test]
async fn a_secret_of_another_environment_is_denied() {
    let world = World::new();
    world.secrets.keep_in(Environment::Production, "TOKEN", "s3cr3t-value", &["*"]);
    let denied = "denied: the secret TOKEN is for other environments";
    for lines in [&["pTOKEN"][..], &["+u", "uTOKEN"], &["mTOKEN"], &["vTOKEN"]] {
        let denial = failure(world.script(grant(), lines).await);
        assert_eq!((denial.kind, denial.problem.to_string()), (FailureKind::Permanent, denied.to_owned()));
    }
    assert!(world.gate.asked.lock().unwrap().is_empty());
}

/// The plugin's own typed failure is kept: it is not a denied request.
#[tokio::test]
async fn a_policy_that_denies_gives_its_reason() {
    let world = world("s3cr3t-value");
    *world.gate.decide_secret.lock().unwrap() = Box::new(|_| false);
    for lines in [&["pTOKEN"][..], &["+u", "uTOKEN"], &["mTOKEN"], &["vTOKEN"]] {
        let denied = failure(world.script(grant(), lines).await);
        let told = "denied: The secret is frozen (secrets.frozen); allow it with: unless { resource == \
                    Secret::\"tenant-1/development/TOKEN\" } at the end of the policy \"secrets.frozen\" in \
                    policies_dir"
            .to_owned();
        assert_eq!((denied.kind, denied.problem.to_string()), (FailureKind::Permanent, told), "{lines:?}");
    }
    *world.gate.decide_secret.lock().unwrap() = Box::new(|call| !call.reveal);
    assert!(told(&world.script(grant(), &["vTOKEN"]).await).starts_with("denied: "));
    assert!(told(&world.script(grant(), &["+\"", "pTOKEN", "+\""]).await).starts_with("\"qsec_"));
}

#[tokio::test]
async fn signatures_are_those_of_the_standards() {
    let signed = async |secret: &str, data: &str| {
        let world = world(secret);
        let report = world.script(grant(), &[&format!("+{data}"), "mTOKEN", "l", "+1"]).await;
        assert_eq!(told(&report), "1");
        world.log()
    };
    // RFC 4231, test case 2.
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(signed("Jefe", "what do ya want for nothing?").await, [format!("info {expected}")]);

    // The example of the Standard Webhooks specification: the key is the decoded rest.
    let data = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
    let signature = STANDARD.decode("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=").unwrap();
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    for prefix in ["whsec_", "base64:"] {
        let secret = format!("{prefix}MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(signed(&secret, data).await, [format!("info {hex}")]);
    }
    let broken = world("whsec_?").script(grant(), &["mTOKEN"]).await;
    let told_so = "invalid-secret: the secret TOKEN does not hold base64 behind its prefix";
    assert_eq!(told(&broken), told_so);
}

#[tokio::test]
async fn users_and_placeholders_are_bounded() {
    let world = world("s3cr3t-value");
    let refused = "invalid-user: a user name has at most 1024 bytes, no colon and no control character";
    for user in ["a:b".to_owned(), "a\tb".to_owned(), "u".repeat(1_025)] {
        assert_eq!(told(&world.script(grant(), &[&format!("+{user}"), "uTOKEN"]).await), refused);
    }
    let longest = format!("+{}", "u".repeat(1_024));
    assert_eq!(told(&world.script(grant(), &[&longest, "uTOKEN", "0", "+1"]).await), "1");

    let asks: Vec<String> = (0..256).map(|n| format!("+user{n}\nuTOKEN\n0")).collect();
    let mut lines: Vec<&str> = asks.iter().map(String::as_str).collect();
    lines.extend(["+user7", "uTOKEN", "0", "+1"]);
    assert_eq!(told(&world.script(grant(), &lines).await), "1");
    lines.extend(["0", "pTOKEN"]);
    let refused = "quota: an attempt is given at most 256 placeholders";
    assert_eq!(told(&world.script(grant(), &lines).await), refused);
}

#[tokio::test]
async fn a_value_that_is_too_large_is_not_used() {
    let world = world(&"x".repeat(64 * 1024 + 1));
    let refused = "too-large: the secret TOKEN has more than 65536 bytes";
    assert_eq!(told(&world.script(grant(), &["pTOKEN"]).await), refused);
}
