//! What decides the effects of running steps: the policies, about what is installed at that moment.

use std::sync::{Arc, OnceLock};

use quantum_catalog::Directory;
use quantum_core::port::{
    ActionDirectory, ActionEntry, EffectGate, HttpCall, SecretCall, StepSubject, Verdict,
};
use quantum_core::time::Timestamp;
use quantum_policy::Authorizer;

pub(crate) struct Gate {
    authorizer: Authorizer,
    /// Known once the bundled plugins are; no step runs before.
    directory: OnceLock<Arc<Directory>>,
}

impl Gate {
    pub fn new(authorizer: Authorizer) -> Arc<Self> {
        Arc::new(Self { authorizer, directory: OnceLock::new() })
    }

    /// Called once, while the host is built.
    pub fn look_into(&self, directory: Arc<Directory>) {
        let first = self.directory.set(directory);
        debug_assert!(first.is_ok(), "a host has one directory");
    }
}

impl EffectGate for Gate {
    fn in_force(&self, subject: &StepSubject) -> Option<Arc<ActionEntry>> {
        let Some(directory) = self.directory.get() else { return Some(Arc::clone(&subject.action)) };
        directory.pinned(&subject.tenant, &subject.action.component, &subject.action.manifest.name)
    }

    fn http_request(&self, subject: &StepSubject, call: &HttpCall<'_>, now: Timestamp) -> Verdict {
        self.authorizer.http_request(subject, call, now)
    }

    fn secret(&self, subject: &StepSubject, call: &SecretCall<'_>, now: Timestamp) -> Verdict {
        EffectGate::secret(&self.authorizer, subject, call, now)
    }
}
