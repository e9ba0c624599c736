//! `render-text`: a template with `{{ path }}` placeholders.

use quantum_sdk::prelude::*;
use serde_json::Value;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderText {
    /// Text with placeholders such as `{{ user.name }}` or `{{ items.0 }}`; `{{{{` is a literal `{{`.
    template: String,
    /// What the placeholders name.
    values: Value,
}

#[derive(Serialize, JsonSchema)]
pub struct Rendered {
    text: String,
}

/// Fills a text template. Strings are put in as they are, other values as JSON; a path that names nothing is an error.
#[action(idempotent, no_side_effects)]
pub fn render_text(_ctx: &Context, p: RenderText) -> Result<Rendered> {
    render(&p.template, &p.values).map(|text| Rendered { text })
}

fn render(template: &str, values: &Value) -> Result<String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        if let Some(literal) = after.strip_prefix("{{") {
            text.push_str("{{");
            rest = literal;
            continue;
        }
        let Some((path, after)) = after.split_once("}}") else {
            let start: String = after.chars().take(40).collect();
            return Err(Failure::permanent(
                "invalid-template",
                format!("\"{{{{{start}\" has no closing }}}}"),
            ));
        };
        put(&mut text, path.trim(), values)?;
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn put(text: &mut String, path: &str, values: &Value) -> Result<()> {
    match find(path, values) {
        Some(Value::String(value)) => text.push_str(value),
        Some(value) => text.push_str(&value.to_string()),
        None => {
            return Err(Failure::permanent(
                "missing-value",
                format!("the values have nothing at \"{path}\""),
            ));
        }
    }
    Ok(())
}

/// Follows names and numbers between dots.
fn find<'a>(path: &str, values: &'a Value) -> Option<&'a Value> {
    path.split('.').try_fold(values, |value, part| match value {
        Value::Object(fields) => fields.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use quantum_sdk::testing::Host;
    use serde_json::json;

    use super::*;

    fn check(template: &str) -> Result<Value> {
        let values = json!({ "user": { "name": "Ada" }, "items": [1, { "id": "x" }], "none": null });
        let parameters = json!({ "template": template, "values": values });
        Host::new().run::<render_text>(parameters).map(|answer| answer["text"].clone())
    }

    #[test]
    fn placeholders_name_values_at_any_depth() {
        assert_eq!(check("Hi {{ user.name }}, {{items.0}} and {{items.1.id}}"), Ok(json!("Hi Ada, 1 and x")));
        assert_eq!(check("{{ items.1 }} {{none}}"), Ok(json!("{\"id\":\"x\"} null")));
    }

    #[test]
    fn a_doubled_opening_is_literal_and_a_lone_closing_too() {
        assert_eq!(check("{{{{ user.name }} }}"), Ok(json!("{{ user.name }} }}")));
    }

    #[test]
    fn what_cannot_be_filled_is_an_error_that_names_it() {
        let code = |template| check(template).unwrap_err().to_string();
        assert_eq!(code("{{ user.age }}"), "missing-value: the values have nothing at \"user.age\"");
        assert_eq!(code("{{ items.9 }}"), "missing-value: the values have nothing at \"items.9\"");
        assert_eq!(code("a {{ user"), "invalid-template: \"{{ user\" has no closing }}");
    }
}
