//! Attacks on authentication: each is refused with the exact status and code, and the host keeps serving.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quantum_api::auth::embedded::{Grant, SigningError, SigningKey, issue};
use quantum_api::auth::{IssuerError, Issuers, SharedSecretIssuer};
use quantum_core::vocabulary::Role;
use serde_json::{Value, json};

use crate::world::{A, Answer, SECRET, World, send};

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signed with HS256, whatever the header says.
fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(tag))
}

async fn ask(world: &World, token: &str) -> Answer {
    world.get(token, "/api/v1/intents").await
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert_eq!(answer.problem(), (401, code.to_owned()), "{}", answer.text);
    assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"quantum\""));
}

/// Header and claims of an embedded token, to be changed.
fn parts(token: &str) -> (Value, Value, String) {
    let parts: Vec<&str> = token.split('.').collect();
    let read = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(parts[0]), read(parts[1]), parts[2].to_owned())
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

/// Header and claims that the issuer with a shared secret would make for `ida`.
fn shared(world: &World) -> (Value, Value) {
    let now = world.clock_now().as_millis() / 1_000;
    let claims = json!({
        "iss": "https://issuer.example", "aud": "quantum-test", "sub": "ida", "iat": now, "exp": now + 60
    });
    (json!({ "alg": "HS256", "kid": "k1", "typ": "JWT" }), claims)
}

#[tokio::test]
async fn a_signature_holds_for_exactly_what_was_signed() {
    let world = World::start().await;
    let good = world.admin(A);
    let (header, claims, signature) = parts(&good);
    let more = with(claims, "sub", json!("somebody-else"));
    let token = format!("{}.{}.{signature}", encode(header.to_string()), encode(more.to_string()));
    refused(&ask(&world, &token).await, "token-invalid");
    let (rest, _) = good.rsplit_once('.').unwrap();
    refused(&ask(&world, &format!("{rest}.{}", encode([0; 64]))).await, "token-invalid");
    ask(&world, &good).await.is(200);
}

/// All of these carry a signature that holds: only the rule about the header refuses them.
#[tokio::test]
async fn a_token_does_not_choose_how_it_is_verified() {
    let world = World::start().await;
    world.add_member(A, "ida", &[Role::Viewer], true).await;
    let (header, claims) = shared(&world);
    ask(&world, &hs256(&header, &claims, SECRET)).await.is(200);
    for alg in ["none", "None", "nOnE", "EdDSA", "RS256", "HS384", "", "hs256"] {
        let token = hs256(&with(header.clone(), "alg", json!(alg)), &claims, SECRET);
        refused(&ask(&world, &token).await, "token-invalid");
    }
    for name in ["crit", "jku", "x5u", "jwk", "x5c", "b64"] {
        let token = hs256(&with(header.clone(), name, json!(["exp"])), &claims, SECRET);
        refused(&ask(&world, &token).await, "token-invalid");
    }
    for kid in ["other", "../../dev/null", "' OR 1=1--", &"k".repeat(4_000), "\u{0}", "ä", "", "k1 "] {
        let token = hs256(&with(header.clone(), "kid", json!(kid)), &claims, SECRET);
        refused(&ask(&world, &token).await, "token-invalid");
    }
    refused(
        &ask(&world, &hs256(&with(header.clone(), "typ", json!("id+jwt")), &claims, SECRET)).await,
        "token-invalid",
    );
    for iss in
        [json!("https://issuer.example/"), json!("urn:quantum:test"), json!(7), json!(["i"]), json!(null)]
    {
        let token = hs256(&header, &with(claims.clone(), "iss", iss), SECRET);
        refused(&ask(&world, &token).await, "token-invalid");
    }
}

#[tokio::test]
async fn the_public_key_is_no_secret_of_hs256() {
    let world = World::start().await;
    let (header, claims, _) = parts(&world.admin(A));
    let header = with(header, "alg", json!("HS256"));
    let text = encode(&world.issuer.public_key);
    for secret in [world.issuer.public_key.as_slice(), text.as_bytes()] {
        refused(&ask(&world, &hs256(&header, &claims, secret)).await, "token-invalid");
    }
}

#[tokio::test]
async fn a_token_without_the_right_shape_is_not_decoded() {
    let world = World::start().await;
    let good = world.admin(A);
    let (head, rest) = good.split_once('.').unwrap();
    let twice = encode(r#"{"alg":"EdDSA","alg":"none"}"#);
    let shapes = [
        rest.to_owned(),
        format!("{good}.x"),
        format!("{good}.x.y"),
        "..".to_owned(),
        format!("{good}="),
        format!("{head}.{rest}+"),
        "a".repeat(9 * 1024),
        format!("{twice}.{rest}"),
        format!("{}.{rest}", encode("[1]")),
    ];
    for token in shapes {
        refused(&ask(&world, &token).await, "token-malformed");
    }
}

#[tokio::test]
async fn there_is_one_authorization_header_and_it_is_a_bearer_token() {
    let world = World::start().await;
    let good = world.admin(A);
    let bare = send(world.request("GET", "/api/v1/intents")).await;
    refused(&bare, "token-missing");
    assert_eq!(bare.header("www-authenticate"), "Bearer realm=\"quantum\"");
    for value in ["Basic YTpi", "Bearer", "Bearer ", "qtm_id_secret_sum"] {
        let answer = send(world.request("GET", "/api/v1/intents").header("Authorization", value)).await;
        refused(&answer, "token-malformed");
    }
    let two = world.request("GET", "/api/v1/intents").bearer_auth(&good).bearer_auth(&good);
    refused(&send(two).await, "token-malformed");
    refused(
        &send(world.request("GET", &format!("/api/v1/intents?access_token={good}"))).await,
        "token-missing",
    );
}

#[tokio::test]
async fn a_token_ends_thirty_seconds_after_its_end() {
    let world = World::start().await;
    let token = world.admin(A);
    ask(&world, &token).await.is(200);
    world.clock.advance(3_600_000 + 29_000);
    ask(&world, &token).await.is(200);
    world.clock.advance(2_000);
    let expired = ask(&world, &token).await;
    refused(&expired, "token-expired");
    assert_eq!(expired.json()["detail"], "it ended at 2026-11-23T11:00:00.000Z");
}

#[tokio::test]
async fn a_token_begins_at_most_thirty_seconds_before_its_start() {
    let world = World::start().await;
    for (ahead_ms, status) in [(29_000, 200), (31_000, 401)] {
        let at = world.clock_now().plus_millis(ahead_ms);
        let says = Grant {
            issued_at: at,
            expires_at: at.plus_millis(60_000),
            ..world.says("ann", Some(A), &[Role::Admin])
        };
        let token = issue(&world.key, &world.issuer, &says).unwrap();
        ask(&world, &token).await.is(status);
    }
}

#[tokio::test]
async fn a_token_for_another_host_is_refused() {
    let world = World::start().await;
    let mut elsewhere = world.issuer.clone();
    elsewhere.audience = "quantum-elsewhere".into();
    let token = issue(&world.key, &elsewhere, &world.says("ann", Some(A), &[Role::Admin])).unwrap();
    refused(&ask(&world, &token).await, "token-claims");
    let (other, _) = SigningKey::generate().unwrap();
    let token = issue(&other, &world.issuer, &world.says("ann", Some(A), &[Role::Admin])).unwrap();
    refused(&ask(&world, &token).await, "token-invalid");
}

#[tokio::test]
async fn claims_of_the_wrong_type_are_refused_and_never_skipped() {
    let world = World::start().await;
    world.add_member(A, "ida", &[Role::Viewer], true).await;
    let now = world.clock_now().as_millis() / 1_000;
    let (header, claims) = shared(&world);
    let sign = |claims: &Value| hs256(&header, claims, SECRET);
    ask(&world, &sign(&claims)).await.is(200);
    let wrong = [
        ("exp", json!("soon")),
        ("exp", json!(1.5e9)),
        ("exp", json!(-1)),
        ("exp", json!(9_223_372_036_854_775_808_u64)),
        ("exp", json!(null)),
        ("exp", json!(now + 100_000)),
        ("iat", json!("now")),
        ("nbf", json!("now")),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!(7)),
        ("sub", json!(7)),
        ("sub", json!("a b")),
        ("sub", json!("")),
        ("tenant_id", json!("NOT A TENANT")),
        ("roles", json!(["root"])),
        ("roles", json!("admin")),
        ("kind", json!("god")),
    ];
    for (name, value) in wrong {
        let answer = ask(&world, &sign(&with(claims.clone(), name, value.clone()))).await;
        refused(&answer, "token-claims");
    }
    for name in ["exp", "iat", "aud", "sub"] {
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove(name);
        refused(&ask(&world, &sign(&without)).await, "token-claims");
    }
    refused(&ask(&world, &sign(&with(claims.clone(), "nbf", json!(now + 40)))).await, "token-not-yet-valid");
    ask(&world, &sign(&with(claims, "aud", json!(["other", "quantum-test"])))).await.is(200);
}

#[tokio::test]
async fn a_token_like_the_tutorials_names_a_user_that_must_be_a_member() {
    let world = World::start().await;
    let exp = world.clock_now().as_millis() / 1_000 + 60;
    let sign = |claims: Value| hs256(&json!({ "alg": "HS256" }), &claims, SECRET);
    let token = sign(json!({ "user_id": "tina", "exp": exp, "tenant_id": A, "roles": ["admin"] }));
    refused(&ask(&world, &token).await, "principal-unknown");
    world.add_member(A, "tina", &[Role::Viewer], true).await;
    world.clock.advance(2_000);
    ask(&world, &token).await.is(200);
    // Its roles are claims, and this issuer does not provision.
    let answer = world.post(&token, "/api/v1/intents", &json!({ "name": "x", "definition": {} })).await;
    assert_eq!(answer.problem(), (403, "forbidden".into()));
    let alg =
        hs256(&json!({ "alg": "HS256", "kid": "k1" }), &json!({ "user_id": "tina", "exp": exp }), SECRET);
    refused(&ask(&world, &alg).await, "token-invalid");
}

#[tokio::test]
async fn the_embedded_issuer_makes_members_of_tenants_that_exist() {
    let world = World::start().await;
    ask(&world, &world.token("newcomer", A, &[Role::Viewer])).await.is(200);
    // A later token does not raise what the store says.
    let token = world.token("newcomer", A, &[Role::Admin]);
    let answer = world.post(&token, "/api/v1/intents", &json!({ "name": "x", "definition": {} })).await;
    assert_eq!(answer.problem(), (403, "forbidden".into()));
    refused(&ask(&world, &world.token("ann", "no-such-tenant", &[Role::Admin])).await, "principal-unknown");
}

#[tokio::test]
async fn a_disabled_member_is_refused_from_the_next_second_on() {
    let world = World::start().await;
    let token = world.token("dora", A, &[Role::Viewer]);
    ask(&world, &token).await.is(200);
    world.add_member(A, "dora", &[Role::Viewer], false).await;
    world.clock.advance(1_000);
    refused(&ask(&world, &token).await, "principal-unknown");
}

#[tokio::test]
async fn a_short_secret_is_refused_and_so_is_an_issuer_with_two_keys() {
    let shared = |issuer: &str, secret: &[u8]| SharedSecretIssuer {
        issuer: Some(issuer.into()),
        audience: None,
        kid: None,
        secret: secret.to_vec(),
        provision: false,
    };
    let short = Issuers::new(None, vec![shared("i", b"secret")]).unwrap_err();
    assert_eq!(short, IssuerError::ShortSecret { issuer: "i".into(), bytes: 6 });
    let twice = Issuers::new(None, vec![shared("i", SECRET), shared("i", SECRET)]).unwrap_err();
    assert_eq!(twice, IssuerError::Twice { issuer: "i".into() });
}

#[tokio::test]
async fn a_token_lives_a_day_at_most() {
    let world = World::start().await;
    let says = world.says("ann", Some(A), &[]);
    let long = Grant { expires_at: says.issued_at.plus_millis(86_400_001), ..says };
    assert!(matches!(issue(&world.key, &world.issuer, &long), Err(SigningError::Lifetime)));
}

/// As the tutorial's: no issuer, no key id.
pub fn tutorial(claims: &Value) -> String {
    hs256(&json!({ "alg": "HS256" }), claims, SECRET)
}
