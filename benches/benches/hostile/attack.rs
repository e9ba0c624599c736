//! The attacks of `plugins/hostile` that need no more than a sandbox, and how each ends.

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    pub action: &'static str,
    /// JSON; `{port}` is that of a server whose answer has no end.
    pub parameters: &'static str,
    /// Of its failure; none: it succeeds.
    pub code: Option<&'static str>,
}

const fn attack(action: &'static str, code: &'static str) -> Attack {
    Attack { action, parameters: "{}", code: Some(code) }
}

const fn asking(action: &'static str, parameters: &'static str, code: &'static str) -> Attack {
    Attack { action, parameters, code: Some(code) }
}

pub const ATTACKS: [Attack; 14] = [
    attack("spin", "timeout"),
    attack("spin-in-calls", "timeout"),
    attack("recursion", "trap"),
    attack("memory-bomb", "memory-limit"),
    attack("panic", "trap"),
    attack("huge-result", "output-too-large"),
    attack("list-bomb", "trap"),
    attack("argument-bomb", "trap"),
    Attack { action: "log-flood", parameters: "{}", code: None },
    attack("value-bomb", "kv-too-large"),
    attack("key-bomb", "kv-invalid-key"),
    asking("header-bomb", r#"{"url":"http://127.0.0.1:{port}/"}"#, "trap"),
    asking("fetch", r#"{"url":"https://forbidden.example/"}"#, "effect-denied"),
    asking("fetch", r#"{"url":"http://127.0.0.1:{port}/"}"#, "http-connection"),
];

impl Attack {
    /// As rows name it.
    pub fn name(&self) -> String {
        let target = match self.parameters {
            "{}" => "",
            forbidden if forbidden.contains("https") => ", of a host that is not allowed",
            _ => ", of an answer without an end",
        };
        format!("{}{}", self.action, if self.action == "fetch" { target } else { "" })
    }
}
