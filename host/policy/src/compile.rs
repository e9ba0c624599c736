//! One policy set, compiled: a slice for each operation, so that a decision looks only at policies that can apply.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use aws_lc_rs::digest;
use cedar_policy::{
    Decision, Entities, Entity, EntityTypeName, EntityUid, Policy, PolicyId, PrincipalConstraint, Request,
    Schema,
};
use quantum_core::vocabulary::Operation;

use crate::check::check_sources;
use crate::finding::{CheckReport, PolicyFinding};
use crate::source::{PolicySources, SCHEMA};
use crate::words::{PARSED_SCHEMA, WORDS};

/// Hex digits of a policy version: enough to tell the versions of one host apart, short enough to read.
const VERSION_DIGITS: usize = 16;

/// Checked policies, ready to decide. Immutable: a change is a new set.
pub struct PolicySet {
    version: String,
    full: cedar_policy::PolicySet,
    slices: BTreeMap<Operation, Slice>,
    notes: HashMap<String, Note>,
    engine: cedar_policy::Authorizer,
}

/// The policies that can apply to one operation.
pub(crate) struct Slice {
    pub action: EntityUid,
    /// The action with all its groups as parents: the groups themselves need not be present.
    pub entity: Entity,
    principals: Vec<EntityTypeName>,
    resources: Vec<EntityTypeName>,
    general: cedar_policy::PolicySet,
    by_principal: HashMap<EntityUid, cedar_policy::PolicySet>,
}

/// What a policy's annotations say to the host.
#[derive(Default)]
pub(crate) struct Note {
    pub reason: Option<String>,
    /// A refusal must look as if the resource did not exist.
    pub looks_absent: bool,
}

/// What the policies said, before it is made a decision.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub forbids: BTreeSet<String>,
    pub permits: BTreeSet<String>,
    /// Policies that could not be evaluated, and why.
    pub errors: BTreeMap<String, String>,
}

impl Outcome {
    /// A policy that errors may be a forbid that would have held: it denies.
    pub fn allowed(&self) -> bool {
        self.forbids.is_empty() && self.errors.is_empty() && !self.permits.is_empty()
    }
}

impl PolicySet {
    /// Refuses the whole set when anything is wrong with it.
    pub fn compile(sources: &PolicySources) -> Result<Self, CheckReport> {
        let (policies, report) = check_sources(sources);
        if !report.passed() {
            return Err(report);
        }
        Self::from_checked(policies, version_of(sources)).map_err(|error| {
            let finding = PolicyFinding::of_file("compile", "policies", "", error.to_string());
            CheckReport { findings: vec![finding], ..report }
        })
    }

    pub(crate) fn from_checked(
        policies: Vec<Policy>,
        version: String,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let schema = &*PARSED_SCHEMA;
        let notes = policies.iter().map(|policy| (policy.id().to_string(), Note::of(policy))).collect();
        let actions = schema.action_entities()?;
        let reach: Vec<HashSet<EntityUid>> = policies.iter().map(|policy| reach(policy, schema)).collect();
        let mut slices = BTreeMap::new();
        for operation in Operation::ALL {
            let action = WORDS.action(*operation);
            let able = policies.iter().zip(&reach).filter(|(_, reach)| reach.contains(&action));
            slices.insert(
                *operation,
                Slice::compile(action.clone(), able.map(|(policy, _)| policy), &actions)?,
            );
        }
        let full = cedar_policy::PolicySet::from_policies(policies)?;
        Ok(Self { version, full, slices, notes, engine: cedar_policy::Authorizer::new() })
    }

    /// The first 16 hex digits of a hash over the schema and all sources.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Every policy, as Cedar has it.
    pub fn policies(&self) -> &cedar_policy::PolicySet {
        &self.full
    }

    /// The schema that the policies were held against.
    pub fn schema(&self) -> &'static Schema {
        &PARSED_SCHEMA
    }

    pub(crate) fn slice(&self, operation: Operation) -> Option<&Slice> {
        self.slices.get(&operation)
    }

    pub(crate) fn note(&self, policy: &str) -> Option<&Note> {
        self.notes.get(policy)
    }

    pub(crate) fn evaluate(&self, slice: &Slice, request: &Request, entities: &Entities) -> Outcome {
        let own = request.principal().and_then(|principal| slice.by_principal.get(principal));
        self.evaluate_all([Some(&slice.general), own].into_iter().flatten(), request, entities)
    }

    /// Sets are combined as one would be: a forbid of any of them wins.
    pub(crate) fn evaluate_all<'a>(
        &self,
        sets: impl Iterator<Item = &'a cedar_policy::PolicySet>,
        request: &Request,
        entities: &Entities,
    ) -> Outcome {
        let mut outcome =
            Outcome { forbids: BTreeSet::new(), permits: BTreeSet::new(), errors: BTreeMap::new() };
        for set in sets {
            let response = self.engine.is_authorized(request, set, entities);
            let determining = response.diagnostics().reason().map(name);
            match response.decision() {
                Decision::Deny => outcome.forbids.extend(determining),
                Decision::Allow => outcome.permits.extend(determining),
            }
            outcome.errors.extend(response.diagnostics().errors().map(error_of));
        }
        if !outcome.forbids.is_empty() {
            outcome.permits.clear();
        }
        outcome
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policies = self.full.num_of_policies();
        f.debug_struct("PolicySet").field("version", &self.version).field("policies", &policies).finish()
    }
}

impl Slice {
    fn compile<'a>(
        action: EntityUid,
        policies: impl Iterator<Item = &'a Policy>,
        actions: &Entities,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let schema = &*PARSED_SCHEMA;
        let groups: HashSet<EntityUid> = actions.ancestors(&action).into_iter().flatten().cloned().collect();
        let mut general = Vec::new();
        let mut named: HashMap<EntityUid, Vec<Policy>> = HashMap::new();
        for policy in policies {
            match policy.principal_constraint() {
                PrincipalConstraint::Eq(principal) => {
                    named.entry(principal).or_default().push(policy.clone())
                }
                _ => general.push(policy.clone()),
            }
        }
        let mut by_principal = HashMap::new();
        for (principal, policies) in named {
            by_principal.insert(principal, cedar_policy::PolicySet::from_policies(policies)?);
        }
        Ok(Self {
            entity: Entity::new_no_attrs(action.clone(), groups),
            principals: schema.principals_for_action(&action).into_iter().flatten().cloned().collect(),
            resources: schema.resources_for_action(&action).into_iter().flatten().cloned().collect(),
            general: cedar_policy::PolicySet::from_policies(general)?,
            by_principal,
            action,
        })
    }

    /// Policies of it, without those for one principal only.
    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.general.num_of_policies()
    }

    /// The schema says that this kind of principal may ask this of this kind of resource. Slices hold for no others.
    pub fn applies(&self, principal: &EntityUid, resource: &EntityUid) -> bool {
        self.principals.contains(principal.type_name()) && self.resources.contains(resource.type_name())
    }
}

impl Note {
    fn of(policy: &Policy) -> Self {
        Self {
            reason: policy.annotation("reason").map(str::to_owned),
            looks_absent: policy.annotation("status") == Some("404"),
        }
    }
}

/// The actions that a policy can apply to, by its scope and its conditions.
fn reach(policy: &Policy, schema: &Schema) -> HashSet<EntityUid> {
    policy.get_valid_request_envs(schema).map(|env| env.action().clone()).collect()
}

fn error_of(error: &cedar_policy::AuthorizationError) -> (String, String) {
    let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
    (name(error.policy_id()), error.inner().to_string())
}

fn name(id: &PolicyId) -> String {
    AsRef::<str>::as_ref(id).to_owned()
}

/// Of the texts alone: where the files lie does not matter. Lengths are hashed too, so that no text can move from
/// one file to the next unseen.
fn version_of(sources: &PolicySources) -> String {
    let mut texts: Vec<&str> = sources.files().iter().map(|source| &*source.text).collect();
    texts.sort_unstable();
    let mut hash = digest::Context::new(&digest::SHA256);
    for text in std::iter::once(SCHEMA).chain(texts) {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    let hex: String = hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.chars().take(VERSION_DIGITS).collect()
}
