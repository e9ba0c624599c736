//! `labelSelector` and `fieldSelector` of queries, as far as they are equalities and existence.

use serde_json::Value;

use super::status::{Status, bad_request};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Is(String, String),
    IsNot(String, String),
    Exists(String),
    Missing(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector(Vec<Rule>);

impl Selector {
    /// Err: 400, also for sets, which this cluster does not know.
    pub fn parse(text: &str) -> Result<Self, Status> {
        if text.contains('(') {
            return Err(bad_request(format!(
                "unable to parse requirement: this cluster knows no sets: {text}"
            )));
        }
        let rules = text.split(',').map(str::trim).filter(|rule| !rule.is_empty());
        Ok(Self(rules.map(Rule::parse).collect()))
    }

    /// Whether labels fit.
    pub fn fits(&self, labels: Option<&Value>) -> bool {
        let label = |name: &str| labels.and_then(|labels| labels.get(name)).and_then(Value::as_str);
        self.0.iter().all(|rule| match rule {
            Rule::Is(name, value) => label(name) == Some(value),
            Rule::IsNot(name, value) => label(name) != Some(value),
            Rule::Exists(name) => label(name).is_some(),
            Rule::Missing(name) => label(name).is_none(),
        })
    }

    /// The name that `metadata.name=NAME` wants; none: any. Err: 400 for other fields.
    pub fn name(&self) -> Result<Option<&str>, Status> {
        match self.0.as_slice() {
            [] => Ok(None),
            [Rule::Is(field, value)] if field == "metadata.name" => Ok(Some(value)),
            _ => Err(bad_request("field label not supported: only metadata.name is")),
        }
    }
}

impl Rule {
    fn parse(text: &str) -> Self {
        let owned = |text: &str| text.trim().to_owned();
        match (text.split_once("!="), text.split_once("=="), text.split_once('='), text.strip_prefix('!')) {
            (Some((name, value)), ..) => Self::IsNot(owned(name), owned(value)),
            (_, Some((name, value)), ..) | (_, _, Some((name, value)), _) => {
                Self::Is(owned(name), owned(value))
            }
            (.., Some(name)) => Self::Missing(owned(name)),
            _ => Self::Exists(owned(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_held_against_each_rule() {
        let labels = json!({ "app": "web", "tier": "front" });
        for (text, fits) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier", true),
            ("app!=web", false),
            ("!app", false),
            ("!old, other!=x", true),
            ("app=web,tier=back", false),
        ] {
            assert_eq!(Selector::parse(text).unwrap().fits(Some(&labels)), fits, "{text}");
        }
        assert!(!Selector::parse("app").unwrap().fits(None));
        assert_eq!(Selector::parse("app in (a,b)").unwrap_err().code, 400);
    }

    #[test]
    fn only_a_name_is_selected_by_field() {
        assert_eq!(Selector::parse("metadata.name=web").unwrap().name(), Ok(Some("web")));
        assert_eq!(Selector::parse("").unwrap().name(), Ok(None));
        assert_eq!(Selector::parse("spec.x=1").unwrap().name().unwrap_err().code, 400);
    }
}
