//! Blueprints: how they change, and what they make of intents without steps.

use std::sync::Arc;

use quantum_catalog::{
    Activation, BlueprintAct, BlueprintOutcome, Bundled, Catalog, Condition, Creation, Directory, Error,
    NewDocument, PageRequest, Purpose, RunnablePlan, WrittenBlueprint,
};
use quantum_core::id::IntentName;
use quantum_core::installation::Settings;
use serde_json::{Value, json};

use crate::support::{
    World, act, action, ann, at, bundled, digest, fetching, next_uid, plugin, reference, refused, told, world,
};

fn name(text: &str) -> IntentName {
    IntentName::new(text).unwrap()
}

fn on(condition: Condition) -> BlueprintAct {
    BlueprintAct { by: ann(), at: at(1), condition }
}

/// One step that gets the definition's `url`.
fn getting() -> Value {
    json!({
        "schema": { "type": "object", "required": ["url"], "properties": { "url": { "type": "string" } } },
        "steps": [{ "action": "http-request", "url": "${ intent.definition.url }" }]
    })
}

fn without_steps(name: &str, definition: Value) -> Value {
    json!({ "name": name, "definition": definition })
}

impl World {
    async fn blueprint(
        &self,
        of: &str,
        source: &Value,
        condition: Condition,
    ) -> Result<WrittenBlueprint, Error> {
        self.catalog.blueprints(&self.scope).put(&name(of), source, on(condition)).await
    }

    async fn planned(&self, of: &str) -> Result<RunnablePlan, Error> {
        self.catalog.intents(&self.scope).plan(&reference(of), Purpose::Execute).await
    }
}

#[tokio::test]
async fn a_change_says_what_it_is_based_on_once_there_is_something_to_overwrite() {
    let world = world().await;
    let changed = |n: u64| {
        let mut source = getting();
        source["description"] = json!(format!("number {n}"));
        source
    };
    let first = world.blueprint("check", &changed(1), Condition::Unsaid).await.unwrap();
    assert_eq!((first.outcome, first.blueprint.summary.revision), (BlueprintOutcome::Created, 1));
    let again = world.blueprint("check", &changed(1), Condition::Unsaid).await.unwrap();
    assert_eq!((again.outcome, again.blueprint), (BlueprintOutcome::Unchanged, first.blueprint));
    let unsaid = world.blueprint("check", &changed(2), Condition::Unsaid).await;
    assert_eq!(refused(unsaid).0, "if-match-required");
    let second = world.blueprint("check", &changed(2), Condition::Revision(1)).await.unwrap();
    assert_eq!((second.outcome, second.blueprint.summary.revision), (BlueprintOutcome::Changed, 2));
    assert_eq!(second.blueprint.summary.description, "number 2");
    for condition in [Condition::Revision(1), Condition::Revision(7)] {
        let (code, text) = refused(world.blueprint("check", &changed(3), condition).await);
        assert_eq!(code, "revision-conflict");
        assert!(text.starts_with("it is at revision 2 by now"), "{text}");
    }
    let third = world.blueprint("check", &changed(3), Condition::Any).await.unwrap();
    assert_eq!(third.blueprint.summary.revision, 3);
    assert_eq!(refused(world.blueprint("absent", &changed(1), Condition::Any).await).0, "revision-conflict");

    let blueprints = world.catalog.blueprints(&world.scope);
    assert_eq!(blueprints.get(&name("check")).await.unwrap(), third.blueprint);
    assert_eq!(blueprints.revision(&name("check"), 2).await.unwrap(), second.blueprint);
    assert_eq!(refused(blueprints.revision(&name("check"), 4).await).0, "not-found");
}

#[tokio::test]
async fn a_removed_blueprint_is_gone_and_its_numbers_do_not_come_back() {
    let world = world().await;
    let blueprints = world.catalog.blueprints(&world.scope);
    world.blueprint("check", &getting(), Condition::Unsaid).await.unwrap();
    let outdated = blueprints.remove(&name("check"), on(Condition::Revision(9))).await;
    assert_eq!(refused(outdated).0, "revision-conflict");
    blueprints.remove(&name("check"), on(Condition::Revision(1))).await.unwrap();
    let (code, text) = refused(blueprints.get(&name("check")).await);
    assert_eq!(code, "not-found");
    assert!(text.ends_with("quantum blueprint list"), "{text}");
    assert_eq!(refused(blueprints.remove(&name("check"), on(Condition::Any)).await).0, "not-found");
    assert!(blueprints.list(PageRequest::first(9)).await.unwrap().items.is_empty());
    assert_eq!(blueprints.revision(&name("check"), 1).await.unwrap().document, getting());
    let new = world.blueprint("check", &getting(), Condition::Unsaid).await.unwrap();
    assert_eq!((new.outcome, new.blueprint.summary.revision), (BlueprintOutcome::Created, 3));
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_blueprint_is_told_at_once() {
    let world = world().await;
    let source = json!({
        "name": "other", "stepz": [], "schema": { "type": "strin" }, "input": { "type": "objec" },
        "steps": [
            { "action": "http-request", "ulr": "x" },
            { "action": "http-request", "url": "${ steps.later.output }" },
            { "id": "later", "action": "http-request", "url": "x", "when": "true" },
        ],
        "output": "${ steps.none.output }"
    });
    let error = world.blueprint("check", &source, Condition::Unsaid).await.unwrap_err();
    let Error::Invalid { findings } = &error else { panic!("{error}") };
    let mut found = told(findings);
    found.sort();
    let expected = [
        "Error /input input-schema",
        "Error /name schema",
        "Error /output step-unknown",
        "Error /schema blueprint-schema",
        "Error /steps/0 parameters",
        "Error /steps/0/ulr parameters",
        "Error /steps/1/url step-order",
        "Error /stepz schema",
    ];
    assert_eq!(found, expected);
    for (source, pointer) in [(json!({}), ""), (json!({ "steps": [] }), "/steps"), (json!([]), "")] {
        let error = world.blueprint("check", &source, Condition::Unsaid).await.unwrap_err();
        let Error::Invalid { findings } = &error else { panic!("{error}") };
        assert_eq!(told(findings), [format!("Error {pointer} schema")], "{source}");
    }
}

#[tokio::test]
async fn an_intent_without_steps_runs_the_blueprint_of_its_name() {
    let world = world().await;
    let source =
        without_steps("check", json!({ "target": "staging", "url": "http://127.0.0.1:1/", "more": 1 }));
    world.created(&source).await;
    assert_eq!(refused(world.planned("check").await).0, "no-steps");
    world.blueprint("check", &getting(), Condition::Unsaid).await.unwrap();
    let first = world.planned("check").await.unwrap();
    let document = &first.plan.document;
    assert_eq!((document.blueprint_revision, document.environment.as_str()), (Some(1), "staging"));
    assert_eq!(document.steps[0].action.component().unwrap().component, digest(1));
    assert_eq!(document.intent.definition, source["definition"], "expressions read what its author wrote");
    assert!(first.encoded.json().contains("\"blueprint_revision\":1"), "{}", first.encoded.json());
    assert!(Arc::ptr_eq(&first.plan, &world.planned("check-v1").await.unwrap().plan));

    // What is changed later holds for what is planned later.
    let mut changed = getting();
    changed["steps"][0]["id"] = json!("get");
    world.blueprint("check", &changed, Condition::Any).await.unwrap();
    let second = world.planned("check").await.unwrap();
    assert_eq!(second.plan.document.blueprint_revision, Some(2));
    assert_eq!(second.plan.document.steps[0].id.as_str(), "get");
    assert_eq!(first.plan.document.steps[0].id.as_str(), "http-request");
    world.catalog.blueprints(&world.scope).remove(&name("check"), on(Condition::Any)).await.unwrap();
    assert_eq!(refused(world.planned("check").await).0, "no-steps");
}

#[tokio::test]
async fn an_intent_with_steps_runs_its_own_and_so_does_another_tenants() {
    let world = world().await;
    world.created(&fetching("check", "http://127.0.0.1:1/")).await;
    world.blueprint("check", &getting(), Condition::Unsaid).await.unwrap();
    assert_eq!(world.planned("check").await.unwrap().plan.document.blueprint_revision, None);
    let source = without_steps("check", json!({ "url": "http://127.0.0.1:1/" }));
    let new = NewDocument { source: &source, uid: next_uid(), activation: Activation::Now };
    let theirs = world.catalog.intents(&world.other);
    theirs.create(new, act()).await.unwrap();
    assert_eq!(refused(theirs.plan(&reference("check"), Purpose::Execute).await).0, "no-steps");
}

#[tokio::test]
async fn a_definition_that_does_not_fit_is_a_warning_when_it_is_stored_and_an_error_when_it_is_planned() {
    let world = world().await;
    world.blueprint("check", &getting(), Condition::Unsaid).await.unwrap();
    let stored = world.create(&without_steps("check", json!({ "url": 7 }))).await.unwrap();
    let Creation::Created { findings, .. } = stored else { panic!("{stored:?}") };
    assert_eq!(told(&findings), ["Warning /definition/url blueprint"]);
    let error = world.planned("check").await.unwrap_err();
    let Error::Invalid { findings } = &error else { panic!("{error}") };
    assert_eq!(told(findings), ["Error /definition/url blueprint"]);
    world.put("check", &without_steps("check", json!({ "url": "http://127.0.0.1:1/" }))).await;
    world.planned("check").await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_a_step_of_the_blueprint_by_now_is_told_where_it_stands_in_it() {
    let world = world().await;
    let source = json!({ "steps": [{ "action": "greet", "name": "Ann" }] });
    let written = world.blueprint("hello", &source, Condition::Unsaid).await.unwrap();
    assert_eq!(told(&written.findings), ["Warning /steps/0/action action-unknown"]);
    world.created(&without_steps("hello", json!({}))).await;
    let error = world.planned("hello").await.unwrap_err();
    let Error::Invalid { findings } = &error else { panic!("{error}") };
    assert_eq!(told(findings), ["Error /steps/0/action action-unknown"]);
    assert!(findings[0].message.starts_with("in the blueprint \"hello\", revision 1: "), "{findings:?}");
    let greet =
        |parameter: &str| plugin(json!({ "id": "acme:hello", "actions": [action("greet", &[], parameter)] }));
    world.install(greet("title"), digest(3), &[]).await;
    let error = world.planned("hello").await.unwrap_err();
    let Error::Invalid { findings } = &error else { panic!("{error}") };
    assert_eq!(told(findings), ["Error /steps/0/name parameters", "Error /steps/0 parameters"]);
}

#[tokio::test]
async fn what_is_wrong_in_some_environments_only_is_told_and_decided_when_an_intent_is_planned() {
    let world = world().await;
    let defaults = json!([{ "action": "http-request", "parameters": { "url": "http://127.0.0.1:1/" } }]);
    let settings = json!({ "environments": { "production": { "defaults": defaults } } });
    let settings: Settings = serde_json::from_value(settings).unwrap();
    let bundled = bundled().into_iter().map(|plugin| Bundled { settings: settings.clone(), ..plugin });
    let directory = Directory::open(&world.store, bundled.collect()).await.unwrap();
    let catalog = Catalog::new(world.store.clone(), Arc::new(directory));
    let source = json!({ "steps": [{ "action": "http-request" }] });
    let blueprints = catalog.blueprints(&world.scope);
    let written = blueprints.put(&name("check"), &source, on(Condition::Unsaid)).await.unwrap();
    assert_eq!(told(&written.findings), ["Warning /steps/0 parameters"]);
    let message = "in development, test, staging: \"url\" is a required property";
    assert_eq!(written.findings[0].message, message);
    let intents = catalog.intents(&world.scope);
    let source = without_steps("check", json!({ "target": "production" }));
    let new = NewDocument { source: &source, uid: next_uid(), activation: Activation::Now };
    intents.create(new, act()).await.unwrap();
    intents.plan(&reference("check"), Purpose::Execute).await.unwrap();
    let source = without_steps("check", json!({ "target": "staging" }));
    intents.replace(&reference("check"), &source, Activation::Now, act()).await.unwrap();
    let refused = intents.plan(&reference("check"), Purpose::Execute).await.unwrap_err();
    let Error::Invalid { findings } = &refused else { panic!("{refused}") };
    assert_eq!(told(findings), ["Error /steps/0 parameters"]);
}
