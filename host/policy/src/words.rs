//! The schema's names, parsed once, and the uids that are made of them.

use std::sync::LazyLock;

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Schema};
use quantum_core::vocabulary::{Environment, Operation, Role};

use crate::source::SCHEMA;

pub(crate) static WORDS: LazyLock<Words> = LazyLock::new(Words::new);

/// The shipped schema, parsed once.
pub(crate) static PARSED_SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let (schema, _) =
        Schema::from_cedarschema_str(SCHEMA).expect("the shipped schema parses: a test reads it");
    schema
});

/// Entity types, and the few uids that never change.
pub(crate) struct Words {
    pub user: EntityTypeName,
    pub service_account: EntityTypeName,
    pub step: EntityTypeName,
    pub tenant: EntityTypeName,
    pub intent: EntityTypeName,
    pub execution: EntityTypeName,
    pub namespace: EntityTypeName,
    pub plugin: EntityTypeName,
    pub plugin_action: EntityTypeName,
    pub host_set: EntityTypeName,
    pub endpoint: EntityTypeName,
    pub secret: EntityTypeName,
    pub environment: EntityTypeName,
    pub trust: EntityTypeName,
    pub signature: EntityTypeName,
    pub capability: EntityTypeName,
    pub intent_status: EntityTypeName,
    pub execution_status: EntityTypeName,
    pub address_class: EntityTypeName,
    pub auth_method: EntityTypeName,
    pub weekday: EntityTypeName,
    /// `Platform::"host"`.
    pub host: EntityUid,
    /// `Action::"platform"`.
    pub platform_actions: EntityUid,
    role: EntityTypeName,
    action: EntityTypeName,
}

impl Words {
    fn new() -> Self {
        let name = |text: &str| text.parse::<EntityTypeName>().expect("the name is a plain identifier");
        Self {
            user: name("User"),
            service_account: name("ServiceAccount"),
            step: name("Step"),
            tenant: name("Tenant"),
            intent: name("Intent"),
            execution: name("Execution"),
            namespace: name("Namespace"),
            plugin: name("Plugin"),
            plugin_action: name("PluginAction"),
            host_set: name("HostSet"),
            endpoint: name("Endpoint"),
            secret: name("Secret"),
            environment: name("EnvClass"),
            trust: name("Trust"),
            signature: name("Signature"),
            capability: name("Capability"),
            intent_status: name("IntentStatus"),
            execution_status: name("ExecutionStatus"),
            address_class: name("AddressClass"),
            auth_method: name("AuthMethod"),
            weekday: name("Weekday"),
            host: uid(&name("Platform"), "host"),
            platform_actions: uid(&name("Action"), "platform"),
            role: name("Role"),
            action: name("Action"),
        }
    }

    pub fn role(&self, role: Role) -> EntityUid {
        uid(&self.role, role.as_str())
    }

    pub fn environment(&self, environment: Environment) -> EntityUid {
        uid(&self.environment, environment.as_str())
    }

    pub fn action(&self, operation: Operation) -> EntityUid {
        uid(&self.action, operation.as_str())
    }
}

/// The id is data: whatever it holds, it is compared, and never parsed.
pub(crate) fn uid(kind: &EntityTypeName, id: impl AsRef<str>) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}
