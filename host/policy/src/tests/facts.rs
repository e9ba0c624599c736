//! Random questions, as a host could ask them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use quantum_core::id::{Digest, ExecutionId, IntentUid, PrincipalId, StepId, TenantId};
use quantum_core::manifest::{ActionManifest, Effects};
use quantum_core::port::{ActionEntry, Grant, HttpCall, PrincipalKind, Requester, SecretCall, StepSubject};
use quantum_core::schema::Schema;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{
    AddressClass, AuthMethod, Capability, Environment, ExecutionStatus, Group, IntentStatus, Operation, Role,
    Signature, Trust,
};
use serde_json::json;

use crate::entity;
use crate::facts::{
    Auth, Caller, Change, Context, ExecutionFacts, IntentFacts, PluginFacts, Resource, SecretFacts,
};
use crate::gate::{call_question, secret_question, start_question};
use crate::needs::Needs;
use crate::question::{Asked, Question};
use crate::words::WORDS;

/// Everything that any question is made of. Few values of each, so that they meet.
#[derive(Debug, Clone)]
pub struct World {
    caller: Caller,
    tenant: TenantId,
    requester: Requester,
    owned: bool,
    environment: Environment,
    status: IntentStatus,
    execution_status: ExecutionStatus,
    labels: BTreeMap<String, String>,
    context: Context,
    flags: (bool, bool, bool),
    trust: Trust,
    signature: Signature,
    capabilities: Vec<Capability>,
    address: (IpAddr, AddressClass),
}

fn word<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    select(all)
}

fn requester() -> impl Strategy<Value = Requester> {
    let kind = select(vec![PrincipalKind::User, PrincipalKind::ServiceAccount]);
    (select(vec!["ann", "bob", "c::d"]), kind)
        .prop_map(|(id, kind)| Requester { id: PrincipalId::new(id).unwrap(), kind })
}

fn tenant() -> impl Strategy<Value = TenantId> {
    select(vec!["t1", "t1", "t1", "t2"]).prop_map(|id| TenantId::new(id).unwrap())
}

prop_compose! {
    fn caller()(
        who in requester(),
        tenant in tenant(),
        roles in subsequence(Role::ALL, 0..=3),
        active in prop::bool::weighted(0.9),
        method in word(AuthMethod::ALL),
        mfa in any::<bool>(),
        age_seconds in select(vec![0, 60, u64::MAX]),
        scopes in subsequence(vec!["read-only".to_owned(), "x\"y".to_owned()], 0..=1),
        environments in subsequence(Environment::ALL, 0..=4),
    ) -> Caller {
        let auth = Auth { method, mfa, age_seconds, scopes: scopes.into_iter().collect() };
        let environments: BTreeSet<Environment> = environments.into_iter().collect();
        let roles = roles.into_iter().collect();
        Caller { id: who.id, kind: who.kind, tenant, roles, active, auth, environments }
    }
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    let all =
        ["10.0.0.1", "::1", "::ffff:10.0.0.1", "::10.0.0.1", "fd00::1", "255.255.255.255", "2001:db8::"];
    select(all.map(|text| text.parse().unwrap()).to_vec())
}

prop_compose! {
    fn context()(
        now in select(vec![0, -1, 1_795_428_000_250, 4_102_444_800_999]),
        ip in prop::option::of(addresses()),
        environment in word(Environment::ALL),
        plugin_tenant in prop::option::of(tenant()),
        trust in word(Trust::ALL),
        signature in word(Signature::ALL),
        capabilities in subsequence(Capability::ALL, 0..=2),
        change in (any::<bool>(), any::<bool>(), 0..3_u32, prop::option::of(select(vec!["CHG-1".to_owned()]))),
    ) -> Context {
        let id = "quantum:http".to_owned();
        let plugin = PluginFacts { id, tenant: plugin_tenant, trust, signature, capabilities, yanked: false };
        let (in_change_window, frozen, approvals, ticket) = change;
        Context {
            now: Timestamp::from_millis(now),
            ip,
            environment: Some(environment),
            plugin: Some(plugin),
            change: Change { in_change_window, frozen, approvals, ticket },
        }
    }
}

prop_compose! {
    pub fn world()(
        caller in caller(),
        tenant in tenant(),
        requester in requester(),
        owned in any::<bool>(),
        (environment, status, execution_status) in
            (word(Environment::ALL), word(IntentStatus::ALL), word(ExecutionStatus::ALL)),
        labels in prop::collection::btree_map("class|a b", "open|confidential|\"", 0..=2),
        context in context(),
        flags in any::<(bool, bool, bool)>(),
        (trust, signature) in (word(Trust::ALL), word(Signature::ALL)),
        capabilities in subsequence(Capability::ALL, 0..=7),
        address in (addresses(), word(AddressClass::ALL)),
    ) -> World {
        World {
            caller, tenant, requester, owned, environment, status, execution_status, labels, context, flags, trust,
            signature, capabilities, address,
        }
    }
}

impl World {
    /// What kinds of things the question of this operation is about.
    pub fn asked(&self, operation: Operation) -> Asked {
        let resource = match operation {
            Operation::StepStart => &WORDS.plugin_action,
            Operation::HttpRequest => &WORDS.endpoint,
            Operation::SecretUse | Operation::SecretReveal => &WORDS.secret,
            _ => entity::resource_type(&self.resource(operation)),
        };
        let principal = match operation.group() {
            Group::Runtime => &WORDS.step,
            _ => entity::caller_type(self.asking(operation).kind),
        };
        Asked { operation, principal, resource }
    }

    /// The question of this operation, with the facts that are needed.
    pub fn question<'n>(&self, operation: Operation, needs: &'n Needs) -> Question<'n> {
        let now = self.context.now;
        let question = match operation {
            Operation::StepStart => start_question(&self.step(), 2, now, needs),
            Operation::HttpRequest => call_question(&self.step(), &self.call(), now, needs),
            Operation::SecretUse | Operation::SecretReveal => {
                let reveal = operation == Operation::SecretReveal;
                secret_question(&self.step(), &self.secret_call(reveal), now, needs)
            }
            _ => {
                let (caller, resource) = (self.asking(operation), self.resource(operation));
                Question::of_caller(&caller, operation, &resource, &self.context, needs)
            }
        };
        question.unwrap()
    }

    /// Administration is for people.
    fn asking(&self, operation: Operation) -> Caller {
        let people_only = matches!(operation.group(), Group::Administer | Group::Platform)
            || operation == Operation::ExecutionApprove;
        let kind = if people_only { PrincipalKind::User } else { self.caller.kind };
        Caller { kind, ..self.caller.clone() }
    }

    fn resource(&self, operation: Operation) -> Resource<'_> {
        use Operation as O;
        match operation {
            O::PlatformTenants => Resource::Platform,
            O::SecretWrite | O::SecretDelete => Resource::Secret(SecretFacts {
                tenant: &self.tenant,
                name: "API_TOKEN",
                environment: self.environment,
                expires_at: self.flags.0.then_some(self.context.now),
            }),
            O::ExecutionView
            | O::ExecutionCancel
            | O::ExecutionPause
            | O::ExecutionResume
            | O::ExecutionSignal
            | O::ExecutionApprove
            | O::ExecutionRestart
            | O::ExecutionRecording
            | O::ExecutionReplay => Resource::Execution(ExecutionFacts {
                tenant: &self.tenant,
                id: ExecutionId::from_uuid(uuid::Uuid::nil()),
                intent: IntentUid::from_uuid(uuid::Uuid::nil()),
                intent_status: self.status,
                environment: self.environment,
                status: self.execution_status,
                requested_by: &self.requester,
                dry_run: self.flags.0,
                labels: &self.labels,
            }),
            O::IntentView | O::IntentPlan | O::IntentUpdate | O::IntentActivate => self.intent(),
            O::IntentPause | O::IntentArchive | O::IntentExecute | O::IntentSchedule => self.intent(),
            _ => Resource::Tenant(&self.tenant),
        }
    }

    fn intent(&self) -> Resource<'_> {
        Resource::Intent(IntentFacts {
            tenant: &self.tenant,
            uid: IntentUid::from_uuid(uuid::Uuid::nil()),
            owner: self.owned.then_some(&self.requester),
            environment: self.environment,
            status: self.status,
            labels: &self.labels,
        })
    }

    fn step(&self) -> StepSubject {
        StepSubject {
            tenant: self.tenant.clone(),
            execution: ExecutionId::from_uuid(uuid::Uuid::nil()),
            step: StepId::new("fetch").unwrap(),
            environment: self.environment,
            dry_run: self.flags.0,
            requested_by: self.requester.clone(),
            action: Arc::new(self.action()),
        }
    }

    fn action(&self) -> ActionEntry {
        let schema = || Schema::compile(&json!({})).unwrap();
        let manifest = json!({ "name": "http-request", "parameters": {}, "result": {}, "side_effects": self.flags.1,
            "dry_run": self.flags.2 });
        let manifest: ActionManifest = serde_json::from_value(manifest).unwrap();
        assert_eq!(manifest.effects, Effects::AtLeastOnce);
        ActionEntry {
            plugin: "quantum:http".into(),
            version: "1.0.0".into(),
            component: Digest::new(format!("sha256:{}", "0".repeat(64))).unwrap(),
            manifest,
            parameters: schema(),
            result: schema(),
            trust: self.trust,
            signature: self.signature,
            grant: Grant { capabilities: self.capabilities.clone(), ..Grant::default() },
            settings: Arc::default(),
        }
    }

    fn secret_call(&self, reveal: bool) -> SecretCall<'static> {
        let environment = self.context.environment.unwrap();
        let expires_at = self.flags.2.then_some(self.context.now);
        SecretCall { name: "API_TOKEN", environment, expires_at, reveal, attempt: 2 }
    }

    fn call(&self) -> HttpCall<'static> {
        let (ip, address_class) = self.address;
        let granted = self.owned;
        let (host, path) = ("api.example.com", "/v1\"");
        HttpCall {
            method: "GET",
            host,
            port: 443,
            path,
            tls: self.flags.1,
            ip,
            address_class,
            granted,
            attempt: 1,
        }
    }
}
