//! Recordings come from files, and so from anybody: nothing panics, and what is read is what was written.

use proptest::prelude::*;
use quantum_core::recording::{
    Asked, Data, Difference, RECORDING_FILE_BYTES_MAX, Recording, Why, compare, recording_schema,
};
use quantum_core::schema::Schema;
use serde_json::{Value, json};

/// One of each call, with everything that may be left out.
fn recording() -> Value {
    let ok = |asked: Value, answer: Value| json!({ "asked": asked, "answer": { "ok": answer } });
    let artifact = json!({ "digest": "sha256:00", "size": 3, "media_type": null });
    json!({
        "recording": 1,
        "inputs": {
            "plugin": "a:b", "version": "1.0.0", "component": "sha256:00", "action": "act", "environment": "test",
            "execution": "x", "step": "s", "attempt": 2, "idempotency_key": "k", "deadline": 7, "timeout_ms": 1000,
            "dry_run": false, "trace_parent": "t", "config": "{}", "parameters": "{\"a\":1}"
        },
        "calls": [
            {
                "asked": { "call": "http.request", "method": "POST", "url": "https://a.example/x", "headers": [["a", "b"]] },
                "sent": { "body": "text", "whole": true, "before_answer": 4 },
                "answer": { "ok": { "status": 200, "headers": [["c", { "base64": "/w==" }]], "pieces": ["a", "b"],
                    "trailers": [["t", "u"]], "end": "whole" } }
            },
            {
                "asked": { "call": "http.request", "method": "GET", "url": "https://b.example/", "headers": [] },
                "answer": { "http": { "code": "HTTP-request-denied", "denied": "no", "details": { "rule": "r" } } }
            },
            ok(json!({ "call": "kv.get", "key": "k" }), json!({ "value": "v", "revision": 3 })),
            ok(json!({ "call": "kv.set", "key": "k", "value": { "base64": "AA==" }, "ttl_ms": null }), json!(4)),
            ok(json!({ "call": "kv.compare-and-set", "key": "k", "expected": 4, "value": "", "ttl_ms": 1 }), json!(null)),
            ok(json!({ "call": "kv.delete", "key": "k" }), json!(null)),
            ok(json!({ "call": "artifacts.stat", "reference": "n" }), artifact.clone()),
            ok(json!({ "call": "artifacts.open", "reference": "n", "offset": 0 }), json!(null)),
            ok(json!({ "call": "artifacts.read", "reader": 0, "max": 10 }), json!("abc")),
            ok(json!({ "call": "artifacts.create", "media_type": null }), json!(null)),
            ok(json!({ "call": "artifacts.write", "writer": 0, "bytes": "abc" }), json!(null)),
            ok(json!({ "call": "artifacts.finish", "writer": 0, "name": "n" }), artifact),
            ok(json!({ "call": "secrets.placeholder", "name": "T" }), json!("qsec_0")),
            ok(json!({ "call": "secrets.basic", "user": "u", "name": "T" }), json!("qsec_1")),
            ok(json!({ "call": "secrets.hmac-sha256", "name": "T", "data": "d" }), json!({ "base64": "AAEC" })),
            ok(json!({ "call": "secrets.reveal", "name": "T" }), json!("[secret T]")),
            {
                "asked": { "call": "kv.get", "key": "k" },
                "answer": { "err": { "code": "unavailable", "message": "later", "retryable": true } }
            },
            { "asked": { "call": "kv.get", "key": "never answered" } }
        ],
        "clocks": { "wall": [[1, 999_999_999]], "monotonic": [5] },
        "random": [{ "base64": "AAEC" }],
        "cancelled_at": 2,
        "lines": [{ "type": "step_log", "level": "info", "message": "m" }],
        "cut": { "calls": 18, "why": "bytes" },
        "ended": { "failed": { "kind": "permanent", "problem": { "code": "c", "message": "m", "retryable": false },
            "retry_after_ms": null } }
    })
}

fn read(value: &Value) -> Result<Recording, String> {
    Recording::read(value.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_recording_is_written_as_it_was_read_and_as_its_schema_says() {
    let written = read(&recording()).unwrap().written().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), recording());
    let schema = Schema::compile(&recording_schema()).unwrap();
    assert_eq!(schema.findings(&recording(), "", "recording"), []);
}

#[test]
fn what_is_wrong_with_a_recording_is_told() {
    let check = |change: &dyn Fn(&mut Value), told: &str| {
        let mut changed = recording();
        change(&mut changed);
        let error = read(&changed).unwrap_err();
        assert!(error.contains(told), "{error}");
    };
    check(&|r| r["recording"] = json!(2), "of the format 2");
    check(&|r| r["calls"][2]["answer"] = json!({ "ok": "text" }), "the answer to call 3 is not one to it");
    check(
        &|r| r["calls"][2]["answer"] = json!({ "http": { "code": "x" } }),
        "the answer to call 3 is not one to it",
    );
    check(&|r| r["calls"][0]["answer"]["ok"]["status"] = json!(-1), "the answer to call 1 is not one to it");
    check(&|r| r["calls"][0]["asked"]["call"] = json!("kv.swap"), "unknown variant `kv.swap`");
    check(&|r| r["clocks"]["wall"] = json!([[1, 1_000_000_000]]), "more nanoseconds");
    check(&|r| r["more"] = json!(1), "unknown field `more`");
    check(&|r| *r = json!([]), "no recording");
    let large = vec![b' '; RECORDING_FILE_BYTES_MAX + 1];
    assert!(Recording::read(&large).unwrap_err().to_string().contains("at most 16777216 are read"));
}

#[test]
fn a_recording_that_is_nested_without_end_is_refused() {
    let mut text = recording().to_string();
    text = text.replace("{\"a\":1}", "");
    let deep = text.replace("\"ended\":", &format!("\"ended\":{}", "[".repeat(1_000_000)));
    assert!(Recording::read(deep.as_bytes()).is_err());
}

#[test]
fn a_difference_says_which_call_what_was_expected_and_what_came() {
    let request = |url: &str, value: &str| Asked::HttpRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: vec![quantum_core::recording::Header("a".to_owned(), Data(value.into()))],
    };
    let get = |key: &str| Asked::KvGet { key: key.to_owned() };
    let check = |expected: &Asked, got: &Asked, told: &str| {
        let why = compare(expected, got).unwrap();
        assert_eq!(Difference { after: 2, why }.to_string(), told);
    };
    assert_eq!(compare(&get("a"), &get("a")), None);
    let differs = "call 3 differs from the recorded one: expected";
    check(
        &get("a"),
        &get("b"),
        &format!("{differs} kv.get \"a\", got kv.get \"b\"; /key: expected \"a\", got \"b\""),
    );
    check(
        &get("a"),
        &request("https://x/", ""),
        &format!("{differs} kv.get \"a\", got http.request GET https://x/"),
    );
    check(
        &request("https://x/", "1"),
        &request("https://x/", "2"),
        &format!(
            "{differs} http.request GET https://x/, got http.request GET https://x/; /headers/0/1: expected \"1\", got \"2\""
        ),
    );
    let body = Why::body(&get("a"), b"same and more", b"same and less");
    assert!(
        Difference { after: 0, why: body }
            .to_string()
            .contains("the body at byte 9: expected \"same and more\"")
    );
}

/// Whatever comes out is right, as long as something does; what is accepted is written and read again.
fn swallow(bytes: &[u8]) {
    if let Ok(read) = Recording::read(bytes) {
        let written = read.written().unwrap();
        assert_eq!(Recording::read(&written).unwrap(), read);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_hurt(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        swallow(&bytes);
    }

    /// Bytes of a real one replaced, removed and repeated: most of it is still a recording.
    #[test]
    fn no_damage_hurts(changes in proptest::collection::vec((any::<usize>(), any::<u8>(), 0..4u8), 1..6)) {
        let mut bytes = recording().to_string().into_bytes();
        for (at, byte, how) in changes {
            let at = at % bytes.len();
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        swallow(&bytes);
    }

    /// A value of it replaced by another one: it is JSON, and perhaps no recording.
    #[test]
    fn no_other_value_hurts(at in any::<usize>(), with in 0..8usize) {
        let mut changed = recording();
        let mut places = Vec::new();
        pointers("", &changed, &mut places);
        let other = [json!(null), json!(-1), json!(u64::MAX), json!(1e300), json!(""), json!([]), json!({}), json!(true)];
        *changed.pointer_mut(&places[at % places.len()]).unwrap() = other[with].clone();
        swallow(changed.to_string().as_bytes());
    }
}

fn pointers(at: &str, value: &Value, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| pointers(&format!("{at}/{name}"), member, all))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| pointers(&format!("{at}/{n}"), item, all))
        }
        _ => {}
    }
}
