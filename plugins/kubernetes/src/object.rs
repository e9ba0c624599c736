//! The cluster's objects, as far as they are looked at. Fields are those of the API; what is absent is empty.

use std::collections::BTreeMap;

use quantum_sdk::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::status::not_kubernetes;

/// The revision of a Deployment's template, counted by its controller, on Deployments and ReplicaSets.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    pub name: String,
    pub uid: String,
    pub generation: u64,
    pub resource_version: String,
    pub annotations: BTreeMap<String, String>,
    pub owner_references: Vec<OwnerReference>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OwnerReference {
    pub uid: String,
    pub controller: bool,
}

impl Metadata {
    /// None: the controller has not counted yet.
    pub fn revision(&self) -> Option<u64> {
        self.annotations.get(REVISION)?.parse().ok()
    }

    /// Whether the object belongs to this one.
    pub fn is_controlled_by(&self, uid: &str) -> bool {
        self.owner_references.iter().any(|owner| owner.controller && owner.uid == uid)
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Deployment {
    pub metadata: Metadata,
    pub spec: DeploymentSpec,
    pub status: DeploymentStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct DeploymentSpec {
    pub replicas: Option<u32>,
    pub paused: bool,
    pub selector: Selector,
    pub template: Template,
}

impl DeploymentSpec {
    /// How many pods are wanted: 1 where nothing is said.
    pub fn wanted(&self) -> u32 {
        self.replicas.unwrap_or(1)
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Template {
    pub spec: PodSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PodSpec {
    pub containers: Vec<Container>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Container {
    pub name: String,
    pub image: String,
}

impl PodSpec {
    /// The image of the container of this name; of the first one where there is none.
    pub fn image(&self, container: &str) -> String {
        let named = self.containers.iter().find(|c| c.name == container);
        named.or_else(|| self.containers.first()).map(|c| c.image.clone()).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentStatus {
    pub observed_generation: u64,
    pub replicas: u32,
    pub updated_replicas: u32,
    pub ready_replicas: u32,
    pub available_replicas: u32,
    pub conditions: Vec<Condition>,
}

impl DeploymentStatus {
    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}

/// Of a Deployment or a pod; goes into the details of a failure.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub reason: String,
    pub message: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Selector {
    match_labels: BTreeMap<String, String>,
    match_expressions: Vec<Expression>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Expression {
    key: String,
    operator: String,
    values: Vec<String>,
}

impl Selector {
    /// As a query's `labelSelector`.
    pub fn text(&self) -> String {
        let labels = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        labels.chain(self.match_expressions.iter().map(Expression::text)).collect::<Vec<_>>().join(",")
    }
}

impl Expression {
    fn text(&self) -> String {
        let (key, values) = (&self.key, self.values.join(","));
        match self.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        }
    }
}

/// A ReplicaSet with its template as the cluster has it: it is put back unchanged.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ReplicaSet {
    pub metadata: Metadata,
    pub spec: ReplicaSetSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ReplicaSetSpec {
    pub template: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    pub metadata: Metadata,
    pub status: PodStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodStatus {
    pub phase: String,
    pub conditions: Vec<Condition>,
    pub init_container_statuses: Vec<ContainerStatus>,
    pub container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerStatus {
    pub name: String,
    pub state: ContainerState,
    pub last_state: ContainerState,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ContainerState {
    pub waiting: Option<StateReason>,
    pub terminated: Option<StateReason>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StateReason {
    pub reason: String,
    pub message: String,
    pub exit_code: i64,
}

/// The object as what is looked at. All objects are read this way, so that there is the code for it once.
///
/// Err: permanent, `cluster-answer`.
pub fn read<T: DeserializeOwned>(object: &Value) -> Result<T> {
    T::deserialize(object).map_err(|error| not_kubernetes(&error.to_string()))
}

/// A list of any kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct List<T> {
    #[serde(default = "Vec::new")]
    pub items: Vec<T>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_is_written_as_the_api_takes_it() {
        let selector: Selector = serde_json::from_value(json!({
            "matchLabels": { "app": "web", "tier": "front" },
            "matchExpressions": [
                { "key": "env", "operator": "In", "values": ["a", "b"] },
                { "key": "old", "operator": "NotIn", "values": ["x"] },
                { "key": "here", "operator": "Exists" },
                { "key": "gone", "operator": "DoesNotExist" },
            ],
        }))
        .unwrap();
        assert_eq!(selector.text(), "app=web,tier=front,env in (a,b),old notin (x),here,!gone");
    }

    #[test]
    fn the_image_is_that_of_the_named_container_or_of_the_first() {
        let spec: PodSpec = serde_json::from_value(json!({
            "containers": [{ "name": "proxy", "image": "proxy:1" }, { "name": "web", "image": "web:2" }],
        }))
        .unwrap();
        assert_eq!((spec.image("web").as_str(), spec.image("gone").as_str()), ("web:2", "proxy:1"));
        assert_eq!(PodSpec::default().image("web"), "");
    }
}
