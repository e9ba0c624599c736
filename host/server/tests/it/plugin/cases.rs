//! `quantum plugin test`: what is wrong with a case is told, and what to do about it.

use std::fs;

use super::{in_rust, offline, quantum, run};
use crate::home::{Ran, packed};

/// Runs one case with these files, of a plugin that ships.
fn check(files: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("one");
    fs::create_dir(&case).unwrap();
    for (name, text) in files {
        fs::write(case.join(name), text).unwrap();
    }
    let mut test = quantum(&["plugin", "test"]);
    let ran = run(test.arg(packed("hello")).arg("--cases").arg(folder.path()).args(arguments));
    let without = |text: String| text.replace(folder.path().to_str().unwrap(), "DIR");
    Ran { code: ran.code, out: without(ran.out), err: without(ran.err) }
}

const INPUT: (&str, &str) = ("input.json", r#"{ "action": "hello", "parameters": { "name": "Ada" } }"#);
const OUTPUT: (&str, &str) = ("output.json", r#"{ "text": "Hello, Ada!" }"#);

#[test]
fn what_a_case_lacks_is_told() {
    assert!(check(&[INPUT, OUTPUT], &["--filter", "on"]).ok().ends_with("1 passed, 0 failed\n"));
    let served = ("input.json", r#"{ "action": "hello", "parameters": { "name": "${server}" } }"#);
    for (files, arguments, told) in [
        (
            &[INPUT, OUTPUT][..],
            &["--filter", "nothing"][..],
            "find a case whose name contains \"nothing\" in \"DIR\"; there are: one",
        ),
        (
            &[OUTPUT],
            &[],
            "read the case \"DIR/one\": it has no input.json, which says what is called, and no recording.json",
        ),
        (
            &[INPUT],
            &[],
            "read the case \"DIR/one\": it needs output.json or error.json, which say how it ends",
        ),
        (
            &[INPUT, OUTPUT, ("error.json", "{}")],
            &[],
            "it has output.json and error.json, and can end in one way only",
        ),
        (
            &[INPUT, OUTPUT, ("stored_kv.json", "{}")],
            &[],
            "read the case \"DIR/one\": a case has no stored_kv.json; did you mean stored-kv.json?",
        ),
        (
            &[INPUT, ("error.json", r#"{ "kode": "x" }"#)],
            &[],
            "read the case \"DIR/one/error.json\": a failure has no \"kode\"; did you mean code?",
        ),
        (
            &[INPUT, OUTPUT, ("artifacts.json", r#"{ "rain": "rainn.txt" }"#)],
            &[],
            "read the case \"DIR/one/artifacts/rainn.txt\": No such file or directory (os error 2); artifacts.json names it, for the artifact \"rain\"",
        ),
        (
            &[served, OUTPUT],
            &[],
            "read the case \"DIR/one/input.json\": it names ${server}, and without http.json beside it there is no service; [] in it expects no request",
        ),
    ] {
        let ran = check(files, arguments);
        let said = ran.out + &ran.err;
        assert!(said.contains(told), "{told}\n{said}");
        assert_eq!(ran.code, Some(1), "{told}");
    }
}

#[test]
fn a_case_that_cannot_be_read_does_not_keep_the_others_from_being_run() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in
        [("good/input.json", INPUT.1), ("good/output.json", OUTPUT.1), ("bad/input.json", "{")]
    {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let mut test = quantum(&["plugin", "test"]);
    let ran = run(test.arg(packed("hello")).arg("--cases").arg(folder.path()));
    assert!(ran.out.contains("FAILED  bad") && ran.out.ends_with("1 passed, 1 failed\n"), "{}", ran.out);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_failure_that_is_another_one_says_what_it_is() {
    let number = ("input.json", r#"{ "action": "hello", "parameters": { "name": 7 } }"#);
    let ran = check(&[number, ("error.json", r#"{ "code": "no-name" }"#)], &[]);
    let told = "/code: expected \"no-name\", got \"invalid-parameters\"; it says: the parameters of hello do not fit: ";
    assert!(ran.out.contains(told) && ran.out.ends_with("0 passed, 1 failed\n"), "{}", ran.out);
}

/// Whatever is expected of the failure, a result is none.
#[test]
fn a_result_where_a_failure_was_expected_is_told() {
    for expected in ["{}", r#"{ "details": null }"#, r#"{ "code": "no-name" }"#] {
        let ran = check(&[INPUT, ("error.json", expected)], &[]);
        let told = "expected a failure, got the result {\"text\":\"Hello, Ada!\"}";
        assert!(ran.out.contains(told) && ran.out.ends_with("0 passed, 1 failed\n"), "{}", ran.out);
        assert_eq!(ran.code, Some(1), "{expected}");
    }
}

#[test]
fn a_crate_without_an_entry_is_told_how_to_end() {
    let folder = in_rust("endless", "//! Nothing.\n");
    let ran = run(offline(&mut quantum(&["plugin", "build"])).current_dir(folder.path()));
    let told =
        "find an action in the crate: end src/lib.rs with plugin!(NAME), which says what the plugin offers";
    assert!(ran.err.contains(told), "{}", ran.err);
    assert_eq!(ran.code, Some(1));
}
