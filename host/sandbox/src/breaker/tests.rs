//! The decision alone, with times that are given.

use super::*;

/// The breaker, its clock, and what it answered.
struct Bench {
    breaker: Breaker,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { breaker: Breaker { in_a_row_max: 3, broken: HashMap::new() }, now: Instant::now() }
    }

    fn admit(&mut self, name: &str) -> Admission {
        self.breaker.admit(&key("one", name), self.now)
    }

    fn settle(&mut self, name: &str, admission: Admission, sign: Sign) -> bool {
        self.breaker.settle(&key("one", name), admission, sign, self.now)
    }

    fn after(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// Breaks until it is suspended.
    fn suspended(name: &str) -> Self {
        let mut bench = Self::new();
        for opens in [false, false, true] {
            assert_eq!(bench.admit(name), Admission::Open);
            assert_eq!(bench.settle(name, Admission::Open, Sign::Broken), opens);
        }
        bench
    }
}

fn key(tenant: &str, name: &str) -> Key {
    Key { tenant: TenantId::new(tenant).unwrap(), component: crate::component::digest_of(name.as_bytes()) }
}

fn suspended(ms: u64) -> Admission {
    Admission::Suspended(Duration::from_millis(ms))
}

#[test]
fn a_component_that_breaks_often_enough_in_a_row_is_suspended_until_its_probe() {
    let mut bench = Bench::suspended("a");
    assert_eq!(bench.admit("a"), suspended(1_000));
    bench.after(999);
    assert_eq!(bench.admit("a"), suspended(1));
    bench.after(1);
    assert_eq!(bench.admit("a"), Admission::Probe);
}

#[test]
fn a_sound_attempt_in_between_begins_the_row_anew() {
    let mut bench = Bench::new();
    for sign in [Sign::Broken, Sign::Broken, Sign::Sound, Sign::Broken, Sign::Broken] {
        assert!(!bench.settle("a", Admission::Open, sign));
    }
    assert_eq!(bench.admit("a"), Admission::Open);
    assert!(!bench.settle("a", Admission::Open, Sign::None));
    assert!(bench.settle("a", Admission::Open, Sign::Broken), "what says nothing does not begin it anew");
}

#[test]
fn one_probe_at_a_time_and_each_that_breaks_doubles_the_pause_up_to_the_last() {
    let mut bench = Bench::suspended("a");
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(|s| s * 1_000) {
        assert_eq!(bench.admit("a"), suspended(pause));
        bench.after(pause);
        assert_eq!(bench.admit("a"), Admission::Probe);
        assert_eq!(bench.admit("a"), suspended(pause), "while it is probed");
        bench.settle("a", Admission::Probe, Sign::Broken);
    }
}

#[test]
fn a_sound_probe_ends_the_suspension_and_one_that_says_nothing_is_made_again_at_once() {
    let mut bench = Bench::suspended("a");
    bench.after(1_000);
    assert_eq!(bench.admit("a"), Admission::Probe);
    bench.settle("a", Admission::Probe, Sign::None);
    assert_eq!(bench.admit("a"), Admission::Probe);
    bench.settle("a", Admission::Probe, Sign::Sound);
    assert_eq!(bench.admit("a"), Admission::Open);
    assert!(!bench.settle("a", Admission::Open, Sign::Broken), "the row begins anew");
}

#[test]
fn attempts_that_began_before_the_suspension_change_nothing_of_it() {
    let mut bench = Bench::suspended("a");
    bench.settle("a", Admission::Open, Sign::Broken);
    bench.settle("a", Admission::Open, Sign::Sound);
    assert_eq!(bench.admit("a"), suspended(1_000));
}

#[test]
fn another_component_and_another_tenant_are_not_suspended_with_it() {
    let mut bench = Bench::suspended("a");
    assert_eq!(bench.admit("b"), Admission::Open);
    assert_eq!(bench.breaker.admit(&key("two", "a"), bench.now), Admission::Open);
}

#[test]
fn the_one_that_broke_longest_ago_is_forgotten_when_there_are_too_many() {
    let mut bench = Bench::suspended("first");
    for n in 1..BROKEN_MAX {
        bench.after(1);
        bench.settle(&n.to_string(), Admission::Open, Sign::Broken);
    }
    assert!(matches!(bench.admit("first"), Admission::Probe | Admission::Suspended(_)));
    bench.settle("one more", Admission::Open, Sign::Broken);
    assert_eq!(bench.breaker.broken.len(), BROKEN_MAX);
    assert_eq!(bench.admit("first"), Admission::Open);
    // What it knew as suspended and probed is gone: the end of that probe is an attempt like others.
    assert!(!bench.settle("first", Admission::Probe, Sign::Broken));
}

#[test]
fn only_traps_and_used_up_limits_speak_against_a_component() {
    use FailureKind::*;
    let sign = |kind| {
        let problem = quantum_core::problem::Problem::new("code", "");
        Sign::of(&AttemptOutcome::Failed(Failure { kind, problem, retry_after_ms: None }))
    };
    assert_eq!([Trap, CpuLimit, MemoryLimit].map(sign), [Sign::Broken; 3]);
    assert_eq!([Permanent, Retryable, OutputLimit, InvalidOutput, Denied].map(sign), [Sign::Sound; 5]);
    assert_eq!([Timeout, Unavailable, HostFault, Lost].map(sign), [Sign::None; 4]);
    assert_eq!(Sign::of(&AttemptOutcome::Cancelled), Sign::Sound);
}
