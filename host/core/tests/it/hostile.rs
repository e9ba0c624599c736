//! Input that is made to hurt: nothing panics, and nothing takes more than its limits allow.

use proptest::prelude::*;
use quantum_core::expression::{Scope, Template, Variables};
use quantum_core::intent::{CheckContext, check_document};
use quantum_core::limits::EXPRESSION_BYTES_MAX;
use serde_json::{Value, json};

use crate::support::{Actions, tenant};

/// Half of what a worker thread of the host has.
const STACK_BYTES: usize = 1024 * 1024;

/// Compiles and evaluates; whatever comes out is right, as long as something does.
fn swallow(text: &str) {
    let template = match Template::compile(&json!(text), "", Variables::RUNNING) {
        Ok(template) => template,
        Err(findings) => {
            for finding in findings {
                let (from, to) = finding.span.unwrap();
                assert!(text.get(from..to).is_some(), "{from}..{to} does not lie on letters of {text:?}");
            }
            return;
        }
    };
    let input = json!({ "a": 1, "items": [1, 2, 3], "text": "x" });
    let scope = Scope {
        input: &input,
        intent: &input,
        execution: &input,
        element: None,
        result: None,
        step: &|_| None,
    };
    drop(template.evaluate(&scope));
}

fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).unwrap().join().unwrap();
}

fn any_fragment() -> impl Strategy<Value = String> {
    let words = [
        "input",
        "steps",
        ".",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "'",
        "\"",
        "\\",
        "$",
        "${",
        "$${",
        "a",
        "1",
        "-",
        "!",
        "+",
        "*",
        "/",
        "%",
        "?",
        ":",
        ",",
        "&&",
        "||",
        "==",
        "<",
        " in ",
        "map(",
        "has(",
        "x,",
        "size(",
        "null",
        "true",
        "0x",
        "1e9",
        "u",
        "r'",
        "b\"",
        "'''",
        "//",
        "\n",
        "é",
        "😀",
        " ",
        "steps.a",
        "input.items",
        ".map(x,",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..40)
        .prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        swallow(&text);
        swallow(&format!("${{{text}}}"));
    }

    #[test]
    fn no_pieces_of_expressions_are_too_strange(text in any_fragment()) {
        swallow(&text);
        swallow(&format!("é${{ {text} }}"));
    }
}

#[test]
fn an_expression_as_deep_as_its_bytes_allow_fits_a_small_stack() {
    let pieces = [
        ("(", ")"),
        ("[", "]"),
        ("!", ""),
        ("-", ""),
        ("{1:", "}"),
        ("size(", ")"),
        ("true?", ":1"),
        ("[1].map(x,", ")"),
        ("has(", ")"),
        ("", "+1"),
        ("", "-1"),
        ("", ".a"),
        ("", "[0]"),
        ("", "==1"),
        ("", "&&true"),
        ("", "||false"),
        ("", ".size()"),
        ("", " in [1]"),
        ("", "?1:1"),
        ("", ".map(x,x)"),
        ("a.", ""),
        ("1+", ""),
        ("1?1:", ""),
        ("\"", ""),
        ("", "*2"),
        ("", "<1"),
        ("true&&", ""),
        ("[1,", "]"),
        ("", ",1"),
        ("\n", ""),
        ("\\", ""),
        ("`", "`"),
    ];
    on_a_small_stack(move || {
        for middle in ["1", "input", "input.items", "true", "a", ""] {
            for (before, after) in pieces {
                let count = (EXPRESSION_BYTES_MAX - middle.len()) / (before.len() + after.len());
                swallow(&format!("${{{}{middle}{}}}", before.repeat(count), after.repeat(count)));
            }
        }
    });
}

fn check(document: &Value) -> usize {
    let (tenant, actions) = (tenant(), Actions::installed());
    check_document(document, &CheckContext { tenant: &tenant, actions: &actions }).findings.len()
}

/// As many steps as 256 KiB hold: refused for their number before anything is done with each.
#[test]
fn a_document_full_of_tiny_steps_is_refused_at_once() {
    for order in ["sequential", "graph"] {
        let steps = vec![json!({ "action": "a" }); 17_000];
        let document = json!({ "name": "many", "definition": { "order": order, "steps": steps } });
        assert_eq!(check(&document), 1);
    }
}

#[test]
fn a_graph_with_every_edge_is_checked() {
    let id = |at: usize| format!("s{at}");
    let step = |at: usize| json!({ "id": id(at), "action": "plain", "depends_on": (0..at).map(id).collect::<Vec<_>>() });
    let steps: Vec<Value> = (0..200).map(step).collect();
    assert_eq!(check(&json!({ "name": "dense", "definition": { "order": "graph", "steps": steps } })), 0);
}
