//! The smallest whole plugin: one action, typed both ways, one log line.

use quantum_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Hello {
    /// Who is greeted.
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Greeting {
    /// The greeting.
    text: String,
}

/// Greets someone.
#[action(idempotent, no_side_effects, aliases("greet"))]
fn hello(ctx: &Context, p: Hello) -> Result<Greeting> {
    ctx.log().info("greeting", &[("name", &p.name)]);
    Ok(Greeting { text: format!("Hello, {}!", p.name) })
}

plugin!(hello);

#[cfg(test)]
mod tests {
    use quantum_sdk::testing::Host;
    use serde_json::json;

    use super::*;

    #[test]
    fn someone_is_greeted_by_name_and_it_is_logged() {
        let host = Host::new();
        assert_eq!(host.run::<hello>(json!({ "name": "Ada" })).unwrap(), json!({ "text": "Hello, Ada!" }));
        assert_eq!(host.logs()[0].field("name"), Some("\"Ada\""));
    }

    #[test]
    fn a_missing_name_is_refused_and_named() {
        let failure = Host::new().run::<hello>(json!({})).unwrap_err();
        let reason =
            "invalid-parameters: the parameters of hello do not fit: missing field `name` at line 1 column 2";
        assert_eq!(failure.to_string(), reason);
    }
}
