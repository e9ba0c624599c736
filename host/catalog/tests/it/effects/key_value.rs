//! Values of plugins, over the port.

use futures::future::join_all;
use quantum_catalog::{Effects, KeyValueQuota};
use quantum_core::port::{KeyValueSpace, KeyValueStore};

use super::world::{code, space, world, world_with};
use crate::support::at;

#[tokio::test]
async fn a_value_is_what_was_written_last_under_another_revision_each_time() {
    let world = world().await;
    let (kv, space) = (&world.effects, space(&world.ours, "acme:sync"));
    assert_eq!(kv.get(&space, "cursor").await.unwrap(), None);
    let first = kv.set(&space, "cursor", b"1".to_vec(), None).await.unwrap();
    let second = kv.set(&space, "cursor", b"1".to_vec(), None).await.unwrap();
    let entry = kv.get(&space, "cursor").await.unwrap().unwrap();
    assert_eq!((entry.value.as_slice(), entry.revision), (&b"1"[..], second));
    kv.delete(&space, "cursor").await.unwrap();
    kv.delete(&space, "cursor").await.unwrap();
    assert_eq!(kv.get(&space, "cursor").await.unwrap(), None);
    let stale = kv.compare_and_set(&space, "cursor", Some(second), b"2".to_vec(), None).await.unwrap();
    assert_eq!(stale, None);
    let third = kv.compare_and_set(&space, "cursor", None, b"2".to_vec(), None).await.unwrap().unwrap();
    assert!(first < second && second < third);
    assert_eq!(kv.compare_and_set(&space, "cursor", None, b"3".to_vec(), None).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixteen_who_compare_and_set_exactly_one_wins_each_round() {
    let world = world().await;
    let space = space(&world.ours, "acme:counter");
    let mut expected = None;
    for round in 0..25 {
        let writers = (0..16).map(|writer| {
            let (kv, space): (Effects, KeyValueSpace) = (world.effects.clone(), space.clone());
            let value = format!("{round} {writer}").into_bytes();
            tokio::spawn(async move { kv.compare_and_set(&space, "n", expected, value, None).await.unwrap() })
        });
        let given: Vec<Option<u64>> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
        let won: Vec<(usize, u64)> =
            given.iter().enumerate().filter_map(|(writer, revision)| Some((writer, (*revision)?))).collect();
        let [(winner, revision)] = won.as_slice() else { panic!("round {round}: {won:?}") };
        let entry = world.effects.get(&space, "n").await.unwrap().unwrap();
        assert_eq!(entry.value, format!("{round} {winner}").into_bytes());
        assert_eq!(entry.revision, *revision);
        expected = Some(*revision);
    }
}

#[tokio::test]
async fn a_value_with_a_time_to_live_is_gone_when_the_clock_says_so() {
    let world = world().await;
    let (kv, space) = (&world.effects, space(&world.ours, "acme:lock"));
    kv.set(&space, "lock", b"me".to_vec(), Some(1_000)).await.unwrap();
    kv.set(&space, "long", b"me".to_vec(), Some(u64::MAX)).await.unwrap();
    world.set_clock(at(999));
    assert!(kv.get(&space, "lock").await.unwrap().is_some());
    assert_eq!(kv.compare_and_set(&space, "lock", None, b"you".to_vec(), None).await.unwrap(), None);
    world.set_clock(at(1_000));
    assert_eq!(kv.get(&space, "lock").await.unwrap(), None);
    assert_eq!(world.effects.collect(at(999)).await.unwrap().values, 0);
    assert_eq!(world.effects.collect(at(1_000)).await.unwrap().values, 1);
    assert!(kv.compare_and_set(&space, "lock", None, b"you".to_vec(), Some(5)).await.unwrap().is_some());
    assert!(kv.get(&space, "long").await.unwrap().is_some());
}

#[tokio::test]
async fn keys_and_values_are_bounded_at_the_byte() {
    let world = world().await;
    let (kv, space) = (&world.effects, space(&world.ours, "acme:sync"));
    let longest = "ü".repeat(256);
    kv.set(&space, &longest, vec![0; 64 * 1024], None).await.unwrap();
    assert_eq!(kv.get(&space, &longest).await.unwrap().unwrap().value.len(), 64 * 1024);
    let large = kv.set(&space, "k", vec![0; 64 * 1024 + 1], None).await.unwrap_err();
    assert_eq!(large.code, "too-large");
    assert!(large.message.contains("65537") && large.message.contains("artifact"), "{}", large.message);
    for bad in [String::new(), format!("{longest}x")] {
        assert_eq!(code(kv.set(&space, &bad, vec![], None).await), "invalid-key");
        assert_eq!(code(kv.get(&space, &bad).await), "invalid-key");
        assert_eq!(code(kv.compare_and_set(&space, &bad, None, vec![], None).await), "invalid-key");
        assert_eq!(code(kv.delete(&space, &bad).await), "invalid-key");
    }
}

#[tokio::test]
async fn a_plugin_keeps_no_more_than_its_quota_in_a_tenant() {
    let small = KeyValueQuota { entries_max: 3, bytes_max: 12 };
    let world = world_with(|options| options.key_value = small).await;
    let (kv, ours) = (&world.effects, space(&world.ours, "acme:sync"));
    for key in ["a", "b", "c"] {
        kv.set(&ours, key, b"123".to_vec(), None).await.unwrap();
    }
    let fourth = kv.set(&ours, "d", vec![], None).await.unwrap_err();
    assert_eq!((fourth.code, fourth.retryable), ("quota", false));
    assert!(fourth.message.contains("at most 3; delete keys"), "{}", fourth.message);
    assert_eq!(code(kv.set(&ours, "a", b"1234".to_vec(), None).await), "quota");
    kv.set(&ours, "a", b"321".to_vec(), None).await.unwrap();
    for other in [space(&world.ours, "acme:other"), space(&world.theirs, "acme:sync")] {
        kv.set(&other, "d", b"123".to_vec(), None).await.unwrap();
    }
    kv.delete(&ours, "b").await.unwrap();
    kv.set(&ours, "d", b"123".to_vec(), None).await.unwrap();
}
