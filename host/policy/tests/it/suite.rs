//! Runs a `*.test.yaml` suite: exact `because`, every entity and request held against the schema, no evaluation error.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request,
    RestrictedExpression as Value,
};
use quantum_policy::{PolicySet, PolicySources};
use serde::Deserialize;
use serde_norway::Value as Yaml;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    suite: String,
    policies: Vec<String>,
    #[serde(default)]
    contexts: BTreeMap<String, BTreeMap<String, Yaml>>,
    #[serde(default)]
    fixtures: BTreeMap<String, Fixture>,
    #[serde(default)]
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    r#type: String,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    attrs: BTreeMap<String, Yaml>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    principal: String,
    action: String,
    resource: String,
    #[serde(default)]
    context: Option<String>,
    #[serde(default)]
    with: BTreeMap<String, Yaml>,
    expect: Expect,
    because: BTreeSet<String>,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Allow,
    Deny,
}

/// What a run found.
pub struct Report {
    pub failures: Vec<String>,
    /// Policies of the suite that no test made determining.
    pub unused: BTreeSet<String>,
}

/// Reads and runs a suite. An error means that it cannot be run at all.
pub fn run(text: &str, dir: &Path) -> Result<Report, String> {
    let suite: Suite = serde_norway::from_str(text).map_err(|e| e.to_string())?;
    if suite.tests.is_empty() {
        return Err(format!("suite \"{}\" has no tests", suite.suite));
    }
    let set = policies(&suite, dir)?;
    let entities = suite.entities(&set)?;
    let mut unused: BTreeSet<String> = set.policies().policies().map(|p| p.id().to_string()).collect();
    let mut failures = Vec::new();
    for (number, case) in suite.tests.iter().enumerate() {
        let line = format!("test {}: {} {} {}", number + 1, case.principal, case.action, case.resource);
        match suite.decide(case, &set, &entities) {
            Ok((expect, because)) if expect == case.expect && because == case.because => {
                unused.retain(|id| !because.contains(id));
            }
            Ok((expect, because)) => failures.push(format!("{line}: {expect:?} because {because:?}")),
            Err(error) => failures.push(format!("{line}: {error}")),
        }
    }
    Ok(Report { failures, unused })
}

/// The shipped files are compiled in; a suite names them for its reader.
fn policies(suite: &Suite, dir: &Path) -> Result<PolicySet, String> {
    let shipped = ["00-guard.cedar", "10-roles.cedar", "20-defaults.cedar"];
    let mut sources = PolicySources::shipped();
    for file in suite.policies.iter().filter(|file| !shipped.iter().any(|own| file.ends_with(own))) {
        let text = std::fs::read_to_string(dir.join(file)).map_err(|e| format!("{file}: {e}"))?;
        sources = sources.with(file, &text);
    }
    PolicySet::compile(&sources).map_err(|report| report.to_string())
}

impl Suite {
    fn entities(&self, set: &PolicySet) -> Result<Entities, String> {
        let mut all = Vec::new();
        for (name, fixture) in &self.fixtures {
            let attrs: Vec<_> = fixture
                .attrs
                .iter()
                .map(|(k, v)| Ok((k.clone(), value(v)?)))
                .collect::<Result<_, String>>()?;
            let parents: Vec<EntityUid> = fixture
                .parents
                .iter()
                .map(|p| p.parse().map_err(|e| format!("{p}: {e}")))
                .collect::<Result<_, String>>()?;
            let tags = fixture.tags.iter().map(|(k, v)| (k.clone(), Value::new_string(v.clone())));
            let entity =
                Entity::new_with_tags(self.uid(name)?, attrs, parents, tags).map_err(|e| e.to_string())?;
            all.push(entity);
        }
        let because = |e: &dyn std::error::Error| e.source().map(|s| format!(": {s}")).unwrap_or_default();
        Entities::from_entities(all, Some(set.schema())).map_err(|e| format!("{e}{}", because(&e)))
    }

    fn decide(
        &self,
        case: &Case,
        set: &PolicySet,
        entities: &Entities,
    ) -> Result<(Expect, BTreeSet<String>), String> {
        let mut pairs = self.context(case.context.as_deref().unwrap_or("req"))?;
        pairs.extend(case.with.clone());
        let pairs: Vec<_> =
            pairs.iter().map(|(k, v)| Ok((k.clone(), self.named(v)?))).collect::<Result<_, String>>()?;
        let context = Context::from_pairs(pairs).map_err(|e| e.to_string())?;
        let action = uid("Action", &case.action)?;
        let (principal, resource) = (self.uid(&case.principal)?, self.uid(&case.resource)?);
        let request = Request::new(principal, action, resource, context, Some(set.schema()))
            .map_err(|e| e.to_string())?;
        let response = Authorizer::new().is_authorized(&request, set.policies(), entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        let expect = if response.decision() == Decision::Allow { Expect::Allow } else { Expect::Deny };
        Ok((expect, response.diagnostics().reason().map(ToString::to_string).collect()))
    }

    fn context(&self, name: &str) -> Result<BTreeMap<String, Yaml>, String> {
        let mut pairs = self.contexts.get(name).ok_or_else(|| format!("no context \"{name}\""))?.clone();
        let Some(base) = pairs.remove("extends") else { return Ok(pairs) };
        let mut all = self.context(base.as_str().ok_or("extends is not a name")?)?;
        all.extend(pairs);
        Ok(all)
    }

    fn uid(&self, fixture: &str) -> Result<EntityUid, String> {
        let kind = &self.fixtures.get(fixture).ok_or_else(|| format!("no fixture \"{fixture}\""))?.r#type;
        uid(kind, fixture)
    }

    /// In a context, the name of a fixture is that entity.
    fn named(&self, yaml: &Yaml) -> Result<Value, String> {
        match yaml.as_str() {
            Some(name) if self.fixtures.contains_key(name) => Ok(Value::new_entity_uid(self.uid(name)?)),
            _ => value(yaml),
        }
    }
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let kind: EntityTypeName = kind.parse().map_err(|e| format!("{kind}: {e}"))?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

/// A text that reads like a Cedar call or entity is one; any other text is a string.
fn value(yaml: &Yaml) -> Result<Value, String> {
    match yaml {
        Yaml::Bool(flag) => Ok(Value::new_bool(*flag)),
        Yaml::Number(number) => {
            number.as_i64().map(Value::new_long).ok_or_else(|| format!("{number} is no long"))
        }
        Yaml::String(text) if text.contains("::\"") || text.contains("(\"") => {
            text.parse().map_err(|e| format!("{text}: {e}"))
        }
        Yaml::String(text) => Ok(Value::new_string(text.clone())),
        Yaml::Sequence(items) => Ok(Value::new_set(items.iter().map(value).collect::<Result<Vec<_>, _>>()?)),
        Yaml::Mapping(fields) => {
            let field =
                |(k, v): (&Yaml, &Yaml)| Ok((k.as_str().ok_or("a key is no text")?.to_owned(), value(v)?));
            let fields: Vec<_> = fields.iter().map(field).collect::<Result<_, String>>()?;
            Value::new_record(fields).map_err(|e| e.to_string())
        }
        other => Err(format!("{other:?} has no meaning in Cedar")),
    }
}
