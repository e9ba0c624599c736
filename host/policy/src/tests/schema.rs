//! The hot path builds entities and contexts without a schema; here the same facts go through it.

use proptest::prelude::*;
use quantum_core::vocabulary::Operation;

use super::facts::world;
use super::reference;
use crate::compile::PolicySet;
use crate::needs::Needs;
use crate::source::PolicySources;
use crate::words::PARSED_SCHEMA;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_question_fits_the_schema(world in world()) {
        let set = PolicySet::compile(&PolicySources::shipped()).unwrap();
        let everything = Needs::everything();
        for operation in Operation::ALL {
            let slice = set.slice(world.asked(*operation));
            prop_assert!(slice.is_some(), "{}", operation);
            let question = world.question(*operation, &everything);
            let put = reference::put(question, slice.unwrap(), Some(&PARSED_SCHEMA));
            prop_assert!(put.is_ok(), "{}: {}", operation, put.err().unwrap());
        }
    }
}
