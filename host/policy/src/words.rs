//! The schema's names, parsed once, and the uids that are made of them.

use std::sync::{Arc, LazyLock};

use cedar_policy::Schema;
use cedar_policy_core::ast::{Eid, EntityType, EntityUID, Name};
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
    pub user: EntityType,
    pub service_account: EntityType,
    pub step: EntityType,
    pub tenant: EntityType,
    pub intent: EntityType,
    pub execution: EntityType,
    pub namespace: EntityType,
    pub plugin: EntityType,
    pub plugin_action: EntityType,
    pub host_set: EntityType,
    pub endpoint: EntityType,
    pub secret: EntityType,
    pub environment: EntityType,
    pub trust: EntityType,
    pub signature: EntityType,
    pub capability: EntityType,
    pub intent_status: EntityType,
    pub execution_status: EntityType,
    pub address_class: EntityType,
    pub auth_method: EntityType,
    pub weekday: EntityType,
    pub platform: EntityType,
    /// `Platform::"host"`.
    pub host: Arc<EntityUID>,
    /// `Action::"platform"`.
    pub platform_actions: Arc<EntityUID>,
    /// The constructors of values that are not literals.
    pub datetime: Name,
    pub duration: Name,
    pub ip: Name,
    role: EntityType,
    action: EntityType,
}

impl Words {
    fn new() -> Self {
        // Not `parse`: a name that was parsed carries its text along, and each copy of it counts one more reference.
        let plain = |text: &str| Name::parse_unqualified_name(text).expect("the name is a plain identifier");
        let name = |text: &str| EntityType::from(plain(text));
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
            platform: name("Platform"),
            host: uid(&name("Platform"), "host"),
            platform_actions: uid(&name("Action"), "platform"),
            datetime: plain("datetime"),
            duration: plain("duration"),
            ip: plain("ip"),
            role: name("Role"),
            action: name("Action"),
        }
    }

    pub fn role(&self, role: Role) -> Arc<EntityUID> {
        uid(&self.role, role.as_str())
    }

    pub fn environment(&self, environment: Environment) -> Arc<EntityUID> {
        uid(&self.environment, environment.as_str())
    }

    pub fn action(&self, operation: Operation) -> Arc<EntityUID> {
        uid(&self.action, operation.as_str())
    }
}

/// The id is data: whatever it holds, it is compared, and never parsed.
pub(crate) fn uid(kind: &EntityType, id: impl AsRef<str>) -> Arc<EntityUID> {
    Arc::new(EntityUID::from_components(kind.clone(), Eid::new(id.as_ref()), None))
}
