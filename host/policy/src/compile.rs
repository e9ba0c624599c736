//! One policy set, compiled: a slice for each operation, so that a decision looks only at policies that can apply.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use aws_lc_rs::digest;
use cedar_policy::{Entities, EntityTypeName, EntityUid, Policy, RequestEnv, Schema};
use cedar_policy_core::ast;
use quantum_core::vocabulary::Operation;

use crate::check::check_sources;
use crate::finding::{CheckReport, PolicyFinding};
use crate::question::Asked;
use crate::rule::Unfitted;
use crate::slice::Slice;
use crate::source::{PolicySources, SCHEMA};
use crate::words::{PARSED_SCHEMA, WORDS};

/// Hex digits of a policy version: enough to tell the versions of one host apart, short enough to read.
const VERSION_DIGITS: usize = 16;

/// Checked policies, ready to decide. Immutable: a change is a new set.
pub struct PolicySet {
    version: String,
    full: cedar_policy::PolicySet,
    /// One for each type of principal and type of resource that the schema allows.
    slices: BTreeMap<Operation, Vec<Slice>>,
    notes: HashMap<String, Note>,
}

/// What a policy's annotations say to the host.
#[derive(Default)]
pub(crate) struct Note {
    pub reason: Option<String>,
    /// A refusal must look as if the resource did not exist.
    pub looks_absent: bool,
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
        let unfitted: Vec<Unfitted> = policies.iter().map(Unfitted::new).collect();
        let reach: Vec<HashSet<RequestEnv>> =
            policies.iter().map(|policy| policy.get_valid_request_envs(schema).collect()).collect();
        let mut slices: BTreeMap<Operation, Vec<Slice>> = BTreeMap::new();
        for operation in Operation::ALL {
            let action = EntityUid::from(WORDS.action(*operation).as_ref().clone());
            for (principal, resource) in types_of(schema, &action) {
                let env = RequestEnv::new(principal.clone(), action.clone(), resource.clone());
                let able = unfitted.iter().zip(&reach).filter(|(_, reach)| reach.contains(&env));
                let able = able.map(|(policy, _)| policy);
                let slice = Slice::compile(
                    with_groups(&action, &actions),
                    principal.as_ref(),
                    resource.as_ref(),
                    able,
                );
                slices.entry(*operation).or_default().push(slice);
            }
        }
        let full = cedar_policy::PolicySet::from_policies(policies)?;
        Ok(Self { version, full, slices, notes })
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

    /// None: the schema does not know this question.
    pub(crate) fn slice(&self, asked: Asked) -> Option<&Slice> {
        let of_types =
            |slice: &&Slice| slice.principal == *asked.principal && slice.resource == *asked.resource;
        self.slices.get(&asked.operation)?.iter().find(of_types)
    }

    pub(crate) fn note(&self, policy: &str) -> Option<&Note> {
        self.notes.get(policy)
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policies = self.full.num_of_policies();
        f.debug_struct("PolicySet").field("version", &self.version).field("policies", &policies).finish()
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

/// Who may ask this of what.
fn types_of(schema: &Schema, action: &EntityUid) -> BTreeSet<(EntityTypeName, EntityTypeName)> {
    let principals = schema.principals_for_action(action).into_iter().flatten();
    let resources: Vec<_> = schema.resources_for_action(action).into_iter().flatten().collect();
    principals.flat_map(|one| resources.iter().map(|other| (one.clone(), (*other).clone()))).collect()
}

/// The action with all its groups as parents: the groups themselves need not be present.
fn with_groups(action: &EntityUid, actions: &Entities) -> ast::Entity {
    let groups = actions.ancestors(action).into_iter().flatten();
    let groups = groups.map(|group| AsRef::<ast::EntityUID>::as_ref(group).clone()).collect();
    let own = AsRef::<ast::EntityUID>::as_ref(action).clone();
    ast::Entity::new_with_attr_partial_value(own, [], Default::default(), groups, [])
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
