//! The reader gives what `serde_json` gives, and says where something does not fit.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::read;

#[derive(Debug, PartialEq, Deserialize)]
struct Outer {
    inner: Inner,
    #[serde(default)]
    many: Vec<Inner>,
    #[serde(default)]
    by_name: BTreeMap<String, Inner>,
    #[serde(default)]
    by_number: BTreeMap<u8, Choice>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    n: u8,
    #[serde(default)]
    maybe: Option<Box<Inner>>,
    #[serde(default)]
    wrapped: Wrapped,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Wrapped(Option<i64>);

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    Nothing,
    One(u8),
    Two(u8, u8),
    Named { n: u8 },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    A { n: u8 },
    B,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Unit;

/// As `serde_json` itself reads it: the value, or an error.
fn agrees<T: DeserializeOwned + Debug + PartialEq>(text: &str) {
    assert_eq!(read::<T>(text).ok(), serde_json::from_str::<T>(text).ok(), "{text}");
}

fn all_agree<T: DeserializeOwned + Debug + PartialEq>(texts: &[&str]) {
    texts.iter().for_each(|text| agrees::<T>(text));
}

#[test]
fn plain_values_are_read_as_ever() {
    let texts = [
        "0",
        "-1",
        "255",
        "256",
        "1.5",
        "1e3",
        "true",
        "null",
        "\"x\"",
        "\"\\u00e4\\n\"",
        "[]",
        "{}",
        "",
        "1 2",
    ];
    all_agree::<bool>(&texts);
    all_agree::<u8>(&texts);
    all_agree::<i64>(&texts);
    all_agree::<f64>(&texts);
    all_agree::<f32>(&texts);
    all_agree::<char>(&texts);
    all_agree::<String>(&texts);
    all_agree::<Option<u8>>(&texts);
    all_agree::<()>(&texts);
    all_agree::<Unit>(&texts);
    all_agree::<Value>(&texts);
    all_agree::<Untagged>(&texts);
    all_agree::<(u8, u8)>(&["[1,2]", "[1]", "[1,2,3]"]);
    all_agree::<u128>(&["340282366920938463463374607431768211455", "1", "-1"]);
    all_agree::<i128>(&["-170141183460469231731687303715884105728", "1"]);
}

#[test]
fn types_with_parts_are_read_as_ever() {
    all_agree::<Outer>(&[
        r#"{"inner":{"n":1,"maybe":{"n":2},"wrapped":null},"many":[{"n":1},{"n":2,"wrapped":-3}]}"#,
        r#"{"inner":[1,null,7],"by_name":{"a":{"n":1}},"by_number":{"1":"nothing","2":{"one":1}}}"#,
        r#"{"inner":{"n":1},"by_number":{"3":{"two":[1,2]},"4":{"named":{"n":1}}},"other":[{}]}"#,
        r#"{"inner":{"n":1},"by_number":{"x":"nothing"}}"#,
        r#"{"inner":{"n":1,"unknown":1}}"#,
        r#"{"inner":{"n":1}"#,
        r#"{"inner":{"n":1},}"#,
        "[]",
    ]);
    all_agree::<Choice>(&["\"nothing\"", "\"one\"", r#"{"one":1}"#, r#"{"one":1,"two":[1,2]}"#, "{}", "1"]);
    all_agree::<Tagged>(&[
        r#"{"kind":"A","n":1}"#,
        r#"{"n":1,"kind":"A"}"#,
        r#"{"kind":"B"}"#,
        r#"{"kind":"C"}"#,
    ]);
    all_agree::<Flat>(&[r#"{"a":1,"b":[1.5,{"c":null}]}"#, r#"{"b":1}"#]);
    all_agree::<BTreeMap<bool, u8>>(&[r#"{"true":1}"#, r#"{"maybe":1}"#]);
    all_agree::<BTreeMap<i64, u8>>(&[r#"{"-7":1}"#, r#"{"7.5":1}"#]);
    all_agree::<BTreeMap<Option<String>, u8>>(&[r#"{"a":1}"#]);
}

#[test]
fn raw_json_stays_as_it_was_written() {
    let raw: BTreeMap<String, Box<RawValue>> = read(r#"{"a": {"b" :1.0}}"#).unwrap();
    assert_eq!(raw["a"].get(), r#"{"b" :1.0}"#);
}

#[test]
fn an_error_names_the_path_the_reason_and_the_place() {
    let check = |text: &str, expected: &str| assert_eq!(read::<Outer>(text).unwrap_err(), expected, "{text}");
    check(r#"{"inner":{"n":"x"}}"#, r#"inner.n: invalid type: string "x", expected u8 at line 1 column 17"#);
    check(
        r#"{"inner":{"n":1},"many":[{"n":1},{"n":1.5}]}"#,
        "many[1].n: invalid type: floating point number, expected u8 at line 1 column 41",
    );
    check(
        r#"{"inner":{"n":1,"maybe":{"n":256}}}"#,
        "inner.maybe.n: invalid value: integer `256`, expected u8 at line 1 column 32",
    );
    check(r#"{"inner":{"n":1},"by_name":{"a b":{}}}"#, "by_name.a b: missing field `n` at line 1 column 36");
    check(
        r#"{"inner":{"n":1},"by_number":{"7":{"named":{"n":null}}}}"#,
        "by_number.7.named.n: invalid type: null, expected u8 at line 1 column 52",
    );
    check(
        r#"{"inner":{"n":1},"by_number":{"7":{"two":[1]}}}"#,
        "by_number.7.two: invalid length 1, expected tuple variant Choice::Two with 2 elements at line 1 column 44",
    );
    check(
        r#"{"inner":{"m":1}}"#,
        "inner: unknown field `m`, expected one of `n`, `maybe`, `wrapped` at line 1 column 13",
    );
    check("{}", "missing field `inner` at line 1 column 2");
    check(r#"{"inner":"#, "inner: EOF while parsing a value at line 1 column 9");
    check(r#"{"inner":{"n":1}} x"#, "trailing characters at line 1 column 19");
}

#[test]
fn an_error_that_a_type_catches_leaves_nothing_in_the_path() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Lenient {
        #[serde(deserialize_with = "or_none")]
        first: Option<Inner>,
        second: u8,
    }
    fn or_none<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Inner>, D::Error> {
        Ok(Inner::deserialize(json).ok())
    }
    let error = read::<Lenient>(r#"{"first":{"n":null},"second":true}"#).unwrap_err();
    assert!(error.starts_with("second: invalid type: boolean `true`"), "{error}");
}
