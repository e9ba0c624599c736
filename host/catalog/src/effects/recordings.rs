//! Recordings of attempts: content like artifacts, held by names of their execution that no step and no caller can write
//! or ask for, and that no list of artifacts shows.

use quantum_core::id::{ExecutionId, StepId, TenantId};
use quantum_core::port::{BoxFuture, EffectError, RecordingKey, RecordingSlotKey, RecordingStore};
use quantum_store::{
    ArtifactFilter, Holder, NamedArtifact, NewArtifact, PageRequest, StoredArtifact, TenantScope,
};

use super::Effects;
use super::refusal::refusal;
use crate::Error;

/// What their names begin with: a character that names of artifacts cannot have.
const PREFIX: &str = "\u{1}recording";
const MEDIA_TYPE: &str = "application/vnd.quantum.recording+json";
/// Names of one look for the last attempt; a step that is tried more often takes more looks.
const NAMES: u32 = 200;

/// The recordings of one tenant.
pub struct KeptRecordings<'a> {
    effects: &'a Effects,
    scope: &'a TenantScope,
}

impl Effects {
    pub const fn recordings<'a>(&'a self, scope: &'a TenantScope) -> KeptRecordings<'a> {
        KeptRecordings { effects: self, scope }
    }
}

impl KeptRecordings<'_> {
    /// Of this attempt, or of the last one that has one. None: there is none. Err: `Store`.
    pub async fn find(
        &self,
        execution: ExecutionId,
        slot: &RecordingSlotKey,
        attempt: Option<u32>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let found = match attempt {
            Some(attempt) => {
                let artifacts = self.effects.shared.store.artifacts(self.scope);
                artifacts.by_name(Holder::Execution(execution), &name(slot, attempt)).await?
            }
            None => self.last(execution, slot).await?,
        };
        let Some(found) = found else { return Ok(None) };
        Ok(self.effects.shared.blobs.get(&found.digest).await?)
    }

    /// The attempts of a step that have one, of a step with many of them the first in the order of their names. Err:
    /// `Store`.
    pub async fn of_step(
        &self,
        execution: ExecutionId,
        step: &StepId,
    ) -> Result<Vec<(RecordingSlotKey, u32)>, Error> {
        let filter = ArtifactFilter { holder: Holder::Execution(execution), prefix: Some(all_of(step)) };
        let artifacts = self.effects.shared.store.artifacts(self.scope);
        let page = artifacts.list(&filter, PageRequest { limit: NAMES, after: None }).await?;
        Ok(page.items.iter().filter_map(|named| attempt_of(step, &named.name)).collect())
    }

    async fn last(
        &self,
        execution: ExecutionId,
        slot: &RecordingSlotKey,
    ) -> Result<Option<StoredArtifact>, Error> {
        let filter = ArtifactFilter { holder: Holder::Execution(execution), prefix: Some(head(slot)) };
        let artifacts = self.effects.shared.store.artifacts(self.scope);
        let (mut last, mut after): (Option<NamedArtifact>, _) = (None, None);
        loop {
            let page = artifacts.list(&filter, PageRequest { limit: NAMES, after }).await?;
            // By time: numbers begin anew when the execution is restarted.
            last = last.into_iter().chain(page.items).max_by_key(|named| named.at);
            after = page.next;
            if after.is_none() {
                return Ok(last.map(|named| named.artifact));
            }
        }
    }

    /// Of attempts with the same number, before a restart of the execution and after it, the later one stays. Err: `Store`, over the quota as well.
    async fn keep(&self, key: &RecordingKey, recording: Vec<u8>) -> Result<(), Error> {
        let (bytes, at) = (recording.len() as u64, self.effects.now());
        let (holder, name) = (Holder::Execution(key.execution), name(&key.slot, key.attempt));
        let new = |digest| NewArtifact {
            digest,
            bytes,
            media_type: Some(MEDIA_TYPE.to_owned()),
            holder,
            name: Some(name.clone()),
            by: key.execution.to_string(),
            at,
            quota: self.effects.options().artifacts,
        };
        let artifacts = self.effects.shared.store.artifacts(self.scope);
        artifacts.check(&new(quantum_store::Blobs::digest(&recording))).await?;
        let digest = self.effects.shared.blobs.put(recording).await?;
        // A name of an execution that is moved leaves what it held under its digest, where lists show it.
        artifacts.remove_name(holder, &name, at).await?;
        artifacts.record(new(digest)).await?;
        Ok(())
    }
}

impl RecordingStore for Effects {
    fn keep(
        &self,
        tenant: &TenantId,
        key: RecordingKey,
        recording: Vec<u8>,
    ) -> BoxFuture<'static, Result<(), EffectError>> {
        let (effects, scope) = (self.clone(), TenantScope::effect(tenant.clone()));
        Box::pin(async move { effects.recordings(&scope).keep(&key, recording).await.map_err(refusal) })
    }
}

fn all_of(step: &StepId) -> String {
    format!("{PREFIX}/{step}/")
}

fn head(slot: &RecordingSlotKey) -> String {
    let RecordingSlotKey { step, element, compensates } = slot;
    let phase = if *compensates { "undo" } else { "run" };
    let element = element.map(|element| element.to_string()).unwrap_or_default();
    format!("{}{phase}/{element}/", all_of(step))
}

/// Attempts in their order.
fn name(slot: &RecordingSlotKey, attempt: u32) -> String {
    format!("{}{attempt:010}", head(slot))
}

/// Of a step's name, back again.
fn attempt_of(step: &StepId, name: &str) -> Option<(RecordingSlotKey, u32)> {
    let mut parts = name.strip_prefix(&all_of(step))?.split('/');
    let (phase, element, attempt) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
    let slot =
        RecordingSlotKey { step: step.clone(), element: element.parse().ok(), compensates: phase == "undo" };
    Some((slot, attempt))
}
