//! The port of artifacts, as a running attempt sees them: everything by digest, its execution's names, and those names
//! of the tenant that the installation lets it read.

use quantum_core::id::ExecutionId;
use quantum_core::port::{
    ArtifactInfo, ArtifactReader, ArtifactScope, ArtifactStore, ArtifactWriter, BoxFuture, EffectError,
};
use quantum_store::{BlobReader, Holder, StoredArtifact, TenantScope};

use super::refusal::refusal;
use super::{Effects, Naming, Upload};

struct Reader(BlobReader);

struct Writer {
    effects: Effects,
    execution: ExecutionId,
    upload: Upload,
}

impl ArtifactStore for Effects {
    fn stat(
        &self,
        scope: &ArtifactScope,
        reference: &str,
    ) -> BoxFuture<'static, Result<Option<ArtifactInfo>, EffectError>> {
        let (effects, scope, reference) = (self.clone(), scope.clone(), reference.to_owned());
        Box::pin(async move { Ok(effects.find(&scope, &reference).await?.map(info)) })
    }

    fn open(
        &self,
        scope: &ArtifactScope,
        reference: &str,
        offset: u64,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactReader>, EffectError>> {
        let (effects, scope, reference) = (self.clone(), scope.clone(), reference.to_owned());
        Box::pin(async move {
            let found = effects.find(&scope, &reference).await?.ok_or_else(|| missing(&reference))?;
            let tenant = TenantScope::effect(scope.tenant);
            let reader = effects.artifacts(&tenant).bytes(&found, offset).await.map_err(refusal)?;
            Ok(Box::new(Reader(reader)) as Box<dyn ArtifactReader>)
        })
    }

    fn create(
        &self,
        scope: &ArtifactScope,
        media_type: Option<String>,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactWriter>, EffectError>> {
        let (effects, scope) = (self.clone(), scope.clone());
        Box::pin(async move {
            let tenant = TenantScope::effect(scope.tenant);
            let upload = effects.artifacts(&tenant).create(media_type).await.map_err(refusal)?;
            let writer = Writer { effects: effects.clone(), execution: scope.execution, upload };
            Ok(Box::new(writer) as Box<dyn ArtifactWriter>)
        })
    }
}

impl Effects {
    async fn find(
        &self,
        scope: &ArtifactScope,
        reference: &str,
    ) -> Result<Option<StoredArtifact>, EffectError> {
        let tenant = TenantScope::effect(scope.tenant.clone());
        let artifacts = self.artifacts(&tenant);
        let own = artifacts.find(reference, &[Holder::Execution(scope.execution)]).await.map_err(refusal)?;
        // A digest was looked up in full; only names are restricted.
        if own.is_some() || quantum_core::id::Digest::new(reference).is_ok() {
            return Ok(own);
        }
        may_read(scope.name_prefixes.as_deref(), reference)?;
        artifacts.find(reference, &[Holder::Tenant]).await.map_err(refusal)
    }
}

/// The answer is the same whether the tenant has such an artifact or not.
fn may_read(prefixes: Option<&[String]>, name: &str) -> Result<(), EffectError> {
    let Some(prefixes) = prefixes else { return Ok(()) };
    if prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())) {
        return Ok(());
    }
    let allowed = match prefixes {
        [] => "none of them".to_owned(),
        some => format!("those that begin with \"{}\"", some.join("\" or \"")),
    };
    let wider: Vec<&str> = prefixes.iter().map(String::as_str).chain([name]).collect();
    let message = format!(
        "the execution has no artifact \"{name}\", and of the tenant's names the plugin may read {allowed}; allow it \
         with: \"artifact_prefixes\": {} in the settings of its installation",
        serde_json::json!(wider)
    );
    Err(EffectError::new("denied", message))
}

fn missing(reference: &str) -> EffectError {
    let message = format!(
        "neither the execution nor the tenant has an artifact \"{reference}\"; store it in an earlier step, or with: \
         quantum artifact put {reference} FILE"
    );
    EffectError::new("missing", message)
}

fn info(artifact: StoredArtifact) -> ArtifactInfo {
    ArtifactInfo { digest: artifact.digest, size: artifact.bytes, media_type: artifact.media_type }
}

impl ArtifactReader for Reader {
    fn read(&mut self, bytes_max: usize) -> BoxFuture<'_, Result<Vec<u8>, EffectError>> {
        Box::pin(async move { self.0.read(bytes_max).await.map_err(|error| refusal(error.into())) })
    }
}

impl ArtifactWriter for Writer {
    fn write(&mut self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), EffectError>> {
        Box::pin(async move { self.upload.write(bytes).await.map_err(refusal) })
    }

    fn finish(
        self: Box<Self>,
        name: Option<String>,
    ) -> BoxFuture<'static, Result<ArtifactInfo, EffectError>> {
        Box::pin(async move {
            let Self { effects, execution, upload } = *self;
            let holder = Holder::Execution(execution);
            let naming = Naming { holder, name, by: execution.to_string(), at: effects.now() };
            upload.finish(naming).await.map(info).map_err(refusal)
        })
    }
}
