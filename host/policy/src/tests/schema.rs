//! The hot path builds entities and contexts without a schema; here the same facts go through it.

use proptest::prelude::*;
use quantum_core::vocabulary::Operation;

use super::facts::world;
use crate::compile::PolicySet;
use crate::source::PolicySources;
use crate::words::PARSED_SCHEMA;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_question_fits_the_schema(world in world()) {
        let set = PolicySet::compile(&PolicySources::shipped()).unwrap();
        for operation in Operation::ALL {
            let slice = set.slice(*operation).unwrap();
            let question = world.question(*operation);
            prop_assert!(slice.applies(&question.principal.uid(), &question.resource.uid()), "{}", operation);
            if let Err(error) = question.put(slice, Some(&PARSED_SCHEMA)) {
                let mut text = error.to_string();
                let mut source = std::error::Error::source(&error);
                while let Some(inner) = source {
                    text.push_str(&format!(": {inner}"));
                    source = inner.source();
                }
                prop_assert!(false, "{}: {}", operation, text);
            }
        }
    }
}
