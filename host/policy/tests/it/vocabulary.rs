//! The words of core and the words of the Cedar schema are the same.

use std::collections::BTreeSet;

use cedar_policy::{EntityId, EntityUid, SchemaFragment};
use quantum_core::vocabulary::{
    AddressClass, AuthMethod, Capability, Environment, ExecutionStatus, IntentStatus, Operation, Role,
    Signature, Trust,
};
use quantum_policy::{PolicySet, PolicySources};

fn action(id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id("Action".parse().unwrap(), EntityId::new(id))
}

#[test]
fn every_operation_is_an_action_of_its_group() {
    let set = PolicySet::compile(&PolicySources::shipped()).unwrap();
    let actions = set.schema().action_entities().unwrap();
    for operation in Operation::ALL {
        let uid = action(operation.as_str());
        assert!(actions.get(&uid).is_some(), "{operation} is not in the schema");
        let group = action(operation.group().as_str());
        assert!(actions.is_ancestor_of(&group, &uid), "{operation} is not in {group}");
        assert!(
            set.schema().principals_for_action(&uid).unwrap().next().is_some(),
            "nobody may ask {operation}"
        );
    }
}

#[test]
fn closed_sets_hold_the_same_words() {
    let text = include_str!("../../../../policies/quantum.cedarschema");
    let schema = SchemaFragment::from_cedarschema_str(text).unwrap().0.to_json_value().unwrap();
    let check = |entity: &str, words: Vec<&str>| {
        let known = schema[""]["entityTypes"][entity]["enum"].as_array().expect(entity);
        let known: BTreeSet<&str> = known.iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(known, words.into_iter().collect(), "{entity}");
    };
    check("EnvClass", Environment::ALL.iter().map(|w| w.as_str()).collect());
    check("Trust", Trust::ALL.iter().map(|w| w.as_str()).collect());
    check("Signature", Signature::ALL.iter().map(|w| w.as_str()).collect());
    check("Capability", Capability::ALL.iter().map(|w| w.as_str()).collect());
    check("IntentStatus", IntentStatus::ALL.iter().map(|w| w.as_str()).collect());
    check("ExecutionStatus", ExecutionStatus::ALL.iter().map(|w| w.as_str()).collect());
    check("AddressClass", AddressClass::ALL.iter().map(|w| w.as_str()).collect());
    check("AuthMethod", AuthMethod::ALL.iter().map(|w| w.as_str()).collect());
    check("Role", Role::ALL.iter().map(|w| w.as_str()).collect());
}
