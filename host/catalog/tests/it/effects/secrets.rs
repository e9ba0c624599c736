//! Secrets: encrypted, bound, never shown, and opened for one environment at a time.

use quantum_catalog::{Effects, Error, NewSecret, PageRequest, Reach, SecretValue};
use quantum_core::port::{OpenSecret, SecretSource};
use quantum_core::vocabulary::Environment;
use quantum_store::TenantScope;

use super::world::{MASTER, World, code, world, world_with};
use crate::support::{ann, at, hosts, refused, told};

const VALUE: &str = "hunter2-ünique";

fn secret(name: &str, environment: Environment) -> NewSecret {
    NewSecret {
        name: name.into(),
        environment,
        value: SecretValue::new(VALUE.into()),
        reach: Reach::Hosts(hosts(&["https://api.example.com"])),
        expires_at: None,
    }
}

async fn set(effects: &Effects, scope: &TenantScope, name: &str) {
    effects.secrets(scope).set(secret(name, Environment::Test), &ann(), at(1)).await.unwrap();
}

async fn open(effects: &Effects, scope: &TenantScope, name: &str) -> Result<OpenSecret, &'static str> {
    SecretSource::open(effects, scope.tenant(), name, Environment::Test).await.map_err(|error| error.code)
}

async fn ciphertext(world: &World, name: &str) -> Vec<u8> {
    let secrets = world.store.secrets(&world.ours);
    secrets.get(name, Environment::Test).await.unwrap().unwrap().sealed.ciphertext
}

#[tokio::test]
async fn a_secret_opens_for_its_environment_and_says_where_else_it_is() {
    let world = world().await;
    let effects = &world.effects;
    set(effects, &world.ours, "TOKEN").await;
    let opened = open(effects, &world.ours, "TOKEN").await.unwrap();
    assert_eq!((opened.value.as_str(), &opened.hosts), (VALUE, &hosts(&["https://api.example.com"])));
    let asked = |name| SecretSource::open(effects, world.ours.tenant(), name, Environment::Production);
    let denied = asked("TOKEN").await.unwrap_err();
    assert_eq!(denied.code, "denied");
    assert_eq!(
        denied.message,
        "the secret \"TOKEN\" is for test, and this execution runs in production; set it with: quantum secret set \
         TOKEN --environment production --host URL"
    );
    let missing = asked("OTHER").await.unwrap_err();
    assert_eq!(missing.code, "missing");
    assert!(missing.message.contains("quantum secret set OTHER --environment production --host URL"));
    effects.secrets(&world.ours).remove("TOKEN", Environment::Test).await.unwrap();
    assert_eq!(code(asked("TOKEN").await), "missing");
    let again = effects.secrets(&world.ours).remove("TOKEN", Environment::Test).await;
    assert_eq!(refused(again).0, "not-found");
}

#[tokio::test]
async fn a_secret_is_missing_when_its_time_is_over() {
    let world = world().await;
    let secrets = world.effects.secrets(&world.ours);
    let new = NewSecret { expires_at: Some(at(100)), ..secret("TOKEN", Environment::Test) };
    secrets.set(new, &ann(), at(99)).await.unwrap();
    world.set_clock(at(99));
    assert_eq!(open(&world.effects, &world.ours, "TOKEN").await.unwrap().expires_at, Some(at(100)));
    world.set_clock(at(100));
    let expired = SecretSource::open(&world.effects, world.ours.tenant(), "TOKEN", Environment::Test).await;
    let expired = expired.unwrap_err();
    assert_eq!(expired.code, "missing");
    assert!(expired.message.contains("has expired at 2025-11-23T10:00:00.100Z"), "{}", expired.message);
}

#[tokio::test]
async fn the_same_value_is_other_bytes_each_time_and_never_itself() {
    let world = world().await;
    set(&world.effects, &world.ours, "TOKEN").await;
    let first = ciphertext(&world, "TOKEN").await;
    set(&world.effects, &world.ours, "TOKEN").await;
    set(&world.effects, &world.ours, "SECOND").await;
    let (second, other) = (ciphertext(&world, "TOKEN").await, ciphertext(&world, "SECOND").await);
    assert!(first != second && first != other && second != other);
    let plain = |bytes: &[u8]| bytes.windows(4).any(|four| VALUE.as_bytes().windows(4).any(|it| it == four));
    assert!(plain(VALUE.as_bytes()) && ![first, second, other].iter().any(|bytes| plain(bytes)));
}

#[tokio::test]
async fn a_row_that_was_moved_or_changed_does_not_open() {
    let changes = [
        "UPDATE secrets SET name = 'MOVED'",
        "UPDATE secrets SET environment = 'production'",
        "UPDATE secrets SET hosts = '[\"https://evil.example\"]'",
        "UPDATE secrets SET expires_at = 9999999999999",
        "UPDATE secrets SET ciphertext = zeroblob(length(ciphertext))",
    ];
    for change in changes {
        let world = world().await;
        set(&world.effects, &world.ours, "TOKEN").await;
        world.tamper(change).await;
        for (name, environment) in
            [("TOKEN", Environment::Test), ("MOVED", Environment::Test), ("TOKEN", Environment::Production)]
        {
            let opened = SecretSource::open(&world.effects, world.ours.tenant(), name, environment).await;
            let error = opened.expect_err(change);
            assert!(["unavailable", "missing", "denied"].contains(&error.code), "{change}: {error}");
            let there = world.store.secrets(&world.ours).get(name, environment).await.unwrap().is_some();
            assert_eq!(there, error.code == "unavailable", "{change}: {error}");
        }
    }
}

#[tokio::test]
async fn a_row_that_was_copied_to_another_tenant_does_not_open_there() {
    let world = world().await;
    set(&world.effects, &world.ours, "TOKEN").await;
    set(&world.effects, &world.theirs, "OWN").await;
    world
        .tamper(
            "INSERT INTO secrets SELECT 'tenant-b', name, environment, ciphertext, nonce, key_version, hosts, \
             expires_at, version, created_at, created_by, updated_at, updated_by FROM secrets WHERE tenant_id = 'tenant-a'",
        )
        .await;
    assert_eq!(open(&world.effects, &world.theirs, "TOKEN").await.unwrap_err(), "unavailable");
    world
        .tamper("UPDATE tenant_keys SET wrapped = (SELECT wrapped FROM tenant_keys WHERE tenant_id = 'tenant-a') WHERE tenant_id = 'tenant-b'")
        .await;
    assert_eq!(open(&world.effects, &world.theirs, "TOKEN").await.unwrap_err(), "unavailable");
    assert!(open(&world.effects, &world.ours, "TOKEN").await.is_ok());
}

#[tokio::test]
async fn another_master_key_opens_nothing_and_says_which_one_is_wanted() {
    let world = world().await;
    set(&world.effects, &world.ours, "TOKEN").await;
    world.effects.check_keys().await.unwrap();
    let wrong = world.restarted(&[8; 32], &[]);
    let Err(Error::Vault(error)) = wrong.check_keys().await else { panic!("the start must fail") };
    let master = world.store.platform().master_keys().await.unwrap().pop().unwrap();
    assert!(error.to_string().contains(&format!("under the master key {master}")), "{error}");
    let told = SecretSource::open(&wrong, world.ours.tenant(), "TOKEN", Environment::Test).await.unwrap_err();
    assert_eq!(told.code, "unavailable");
    assert!(!told.message.contains(&master), "a component is told nothing of the host");
    let set = wrong.secrets(&world.ours).set(secret("NEXT", Environment::Test), &ann(), at(1)).await;
    assert!(matches!(set, Err(Error::Vault(_))), "{set:?}");
    assert!(open(&world.restarted(&MASTER, &[]), &world.ours, "TOKEN").await.is_ok());
}

#[tokio::test]
async fn keys_are_replaced_and_a_former_master_key_can_go_then() {
    let world = world().await;
    for name in ["ONE", "TWO"] {
        set(&world.effects, &world.ours, name).await;
    }
    let before = ciphertext(&world, "ONE").await;
    let both = world.restarted(&[8; 32], &[MASTER]);
    both.check_keys().await.unwrap();
    assert_eq!(both.secrets(&world.ours).rotate(at(5)).await.unwrap(), 2);
    assert_eq!(both.secrets(&world.theirs).rotate(at(5)).await.unwrap(), 0, "it has none");
    assert_ne!(ciphertext(&world, "ONE").await, before);
    let new = world.restarted(&[8; 32], &[]);
    new.check_keys().await.unwrap();
    for name in ["ONE", "TWO"] {
        assert_eq!(open(&new, &world.ours, name).await.unwrap().value, VALUE);
    }
    assert_eq!(open(&world.effects, &world.ours, "ONE").await.unwrap_err(), "unavailable");
    assert_eq!(new.secrets(&world.ours).rotate(at(6)).await.unwrap(), 2, "again, which changes nothing else");
    set(&new, &world.ours, "THREE").await;
    assert_eq!(open(&new, &world.ours, "THREE").await.unwrap().value, VALUE);
}

#[tokio::test]
async fn a_list_and_debug_show_everything_but_the_value() {
    let world = world().await;
    let secrets = world.effects.secrets(&world.ours);
    let new = secret("TOKEN", Environment::Test);
    let mut shown = format!("{new:?}{:?}", SecretValue::new(VALUE.into()));
    let info = secrets.set(new, &ann(), at(1)).await.unwrap();
    assert_eq!((info.version, info.updated_at, &info.created_by), (1, at(1), &ann()));
    let changed = secrets.set(secret("TOKEN", Environment::Test), &ann(), at(2)).await.unwrap();
    assert_eq!((changed.version, changed.created_at, changed.updated_at), (2, at(1), at(2)));
    secrets.set(secret("TOKEN", Environment::Production), &ann(), at(2)).await.unwrap();
    let page = secrets.list(PageRequest::first(1)).await.unwrap();
    let next = secrets.list(PageRequest { limit: 1, after: page.next.clone() }).await.unwrap();
    assert_eq!((next.items.as_slice(), &next.next), (&[changed][..], &None));
    let wrong = PageRequest { limit: 1, after: Some("x".into()) };
    assert_eq!(refused(secrets.list(wrong).await).0, "invalid-page-token");
    shown += &format!("{page:?}{next:?}{:?}", open(&world.effects, &world.ours, "TOKEN").await.unwrap());
    let stored = world.store.secrets(&world.ours).get("TOKEN", Environment::Test).await.unwrap();
    shown += &format!("{stored:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_secret_is_said_at_once_without_its_value() {
    let world = world().await;
    let secrets = world.effects.secrets(&world.ours);
    let wrong = NewSecret {
        name: "token".into(),
        environment: Environment::Test,
        value: SecretValue::new(format!("{VALUE}{}", "x".repeat(64 * 1024))),
        reach: Reach::Hosts(vec![]),
        expires_at: Some(at(1)),
    };
    let refusal = secrets.set(wrong.clone(), &ann(), at(1)).await.unwrap_err();
    let Error::InvalidSecret { findings, .. } = &refusal else { panic!("{refusal}") };
    let expected =
        ["/name", "/value", "/hosts", "/expires_at"].map(|at| format!("Error {at} invalid-secret"));
    assert_eq!(told(findings), expected);
    assert_eq!(refusal.code(), "invalid-secret");
    assert!(!format!("{refusal:?}").contains("hunter2"));
    let good = |value: String, reach| NewSecret {
        value: SecretValue::new(value),
        reach,
        ..secret("TOKEN", Environment::Test)
    };
    for everywhere in ["*", "GET *"] {
        let reach = Reach::Hosts(hosts(&["https://api.example.com", everywhere]));
        let (code, text) = refused(secrets.set(good("x".into(), reach), &ann(), at(1)).await);
        assert!(code == "invalid-secret" && text.contains("every host"), "{text}");
    }
    assert!(secrets.set(good(String::new(), Reach::Reveal), &ann(), at(1)).await.is_err());
    secrets.set(good("x".repeat(64 * 1024), Reach::Reveal), &ann(), at(1)).await.unwrap();
    assert!(open(&world.effects, &world.ours, "TOKEN").await.unwrap().hosts.is_empty());
}

#[tokio::test]
async fn a_tenant_has_no_more_secrets_than_it_may() {
    let world = world_with(|options| options.secrets_max = 2).await;
    let secrets = world.effects.secrets(&world.ours);
    set(&world.effects, &world.ours, "TOKEN").await;
    secrets.set(secret("TOKEN", Environment::Staging), &ann(), at(1)).await.unwrap();
    let (code, text) = refused(secrets.set(secret("OTHER", Environment::Test), &ann(), at(1)).await);
    assert_eq!(code, "quota");
    assert!(text.contains("2 are kept, and at most 2; remove some: quantum secret list"), "{text}");
    set(&world.effects, &world.ours, "TOKEN").await;
    set(&world.effects, &world.theirs, "OTHER").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn secrets_that_are_set_while_keys_are_replaced_all_open() {
    let world = world().await;
    let names: Vec<String> = (0..12).map(|number| format!("S{number}")).collect();
    let setting = names.iter().map(|name| {
        let (effects, scope, name) = (world.effects.clone(), world.ours.clone(), name.clone());
        tokio::spawn(async move { set(&effects, &scope, &name).await })
    });
    let rotating = (0..3).map(|round| {
        let (effects, scope) = (world.effects.clone(), world.ours.clone());
        tokio::spawn(async move {
            effects.secrets(&scope).rotate(at(round)).await.unwrap();
        })
    });
    for task in setting.chain(rotating).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    for name in &names {
        assert_eq!(open(&world.effects, &world.ours, name).await.unwrap().value, VALUE, "{name}");
    }
}
