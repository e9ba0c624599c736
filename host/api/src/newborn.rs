//! The intent that a checked document is about to become. An answer is stored with its effect, so it must be known
//! before; a test holds it to what the catalog then returns.

use quantum_catalog::{Activation, IntentSummary, NewDocument, StoredIntent, VersionSummary, version_id};
use quantum_core::intent::{IntentDocument, environment_of};
use quantum_core::tenant::Targets;
use quantum_core::vocabulary::{IntentStatus, VersionStatus};

use crate::auth::Session;

pub(crate) fn newborn(
    session: &Session,
    document: IntentDocument,
    targets: &Targets,
    new: &NewDocument<'_>,
) -> StoredIntent {
    let draft = new.activation == Activation::Draft;
    let (by, at) = (&session.caller.id, session.now());
    let version = VersionSummary {
        number: 1,
        status: if draft { VersionStatus::Draft } else { VersionStatus::Active },
        description: document.description,
        labels: document.labels,
        environment: environment_of(document.definition.target.as_deref(), targets),
        created_at: at,
        created_by: by.clone(),
    };
    let summary = IntentSummary {
        tenant: session.tenant().clone(),
        uid: new.uid,
        name: document.name,
        status: IntentStatus::Active,
        revision: 1,
        active_version: (!draft).then_some(1),
        latest_version: 1,
        created_at: at,
        created_by: by.clone(),
        updated_at: at,
        version,
    };
    StoredIntent { id: version_id(&summary), summary, definition: document.source }
}
