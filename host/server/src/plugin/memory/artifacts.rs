//! Artifacts in memory: contents by digest, with names in executions and in tenants.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quantum_catalog::check_artifact_name;
use quantum_core::id::{Digest, ExecutionId, TenantId};
use quantum_core::port::{
    ArtifactInfo, ArtifactReader, ArtifactScope, ArtifactStore, ArtifactWriter, BoxFuture, EffectError,
};

/// Bytes of one artifact. Over it: `too-large`.
const ARTIFACT_BYTES_MAX: usize = 512 * 1024 * 1024;

#[derive(Default)]
pub(in crate::plugin) struct MemoryArtifacts {
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    contents: HashMap<(TenantId, Digest), Content>,
    names: BTreeMap<(Holder, String), Digest>,
}

#[derive(Clone)]
struct Content {
    bytes: Arc<[u8]>,
    media_type: Option<String>,
}

/// Whose a name is: the tenant's, or of one of its executions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Holder {
    tenant: TenantId,
    execution: Option<ExecutionId>,
}

impl MemoryArtifacts {
    /// Stores it under a name of the tenant.
    pub fn put(&self, tenant: &TenantId, name: &str, media_type: Option<String>, bytes: &[u8]) {
        let holder = Holder { tenant: tenant.clone(), execution: None };
        lock(&self.shelf).store(holder, Some(name.to_owned()), media_type, bytes);
    }

    /// What executions of the tenant stored, by name; by its digest what has no name.
    pub fn stored(&self, tenant: &TenantId) -> BTreeMap<String, ArtifactInfo> {
        let shelf = lock(&self.shelf);
        let of_executions = shelf
            .names
            .iter()
            .filter(|((holder, _), _)| holder.tenant == *tenant && holder.execution.is_some());
        of_executions
            .filter_map(|((_, name), digest)| Some((name.clone(), shelf.info(tenant, digest)?)))
            .collect()
    }
}

impl ArtifactStore for MemoryArtifacts {
    fn stat(
        &self,
        scope: &ArtifactScope,
        reference: &str,
    ) -> BoxFuture<'static, Result<Option<ArtifactInfo>, EffectError>> {
        let shelf = lock(&self.shelf);
        let found = shelf.find(scope, reference);
        let info = found.map(|found| found.and_then(|digest| shelf.info(&scope.tenant, &digest)));
        Box::pin(async { info })
    }

    fn open(
        &self,
        scope: &ArtifactScope,
        reference: &str,
        offset: u64,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactReader>, EffectError>> {
        let shelf = lock(&self.shelf);
        let found = shelf.find(scope, reference);
        let content = found.map(|found| {
            found.and_then(|digest| shelf.contents.get(&(scope.tenant.clone(), digest)).cloned())
        });
        let missing = || EffectError::new("missing", format!("there is no artifact \"{reference}\""));
        let reader = content.and_then(|content| content.ok_or_else(missing)).map(|content| {
            let at = usize::try_from(offset).unwrap_or(usize::MAX).min(content.bytes.len());
            Box::new(Reader { bytes: content.bytes, at }) as Box<dyn ArtifactReader>
        });
        Box::pin(async { reader })
    }

    fn create(
        &self,
        scope: &ArtifactScope,
        media_type: Option<String>,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactWriter>, EffectError>> {
        let holder = Holder { tenant: scope.tenant.clone(), execution: Some(scope.execution) };
        let writer = Writer { shelf: self.shelf.clone(), holder, media_type, bytes: Vec::new() };
        Box::pin(async { Ok(Box::new(writer) as Box<dyn ArtifactWriter>) })
    }
}

impl Shelf {
    /// By digest, then by a name of the execution, then by a name of the tenant.
    fn find(&self, scope: &ArtifactScope, reference: &str) -> Result<Option<Digest>, EffectError> {
        if let Ok(digest) = Digest::new(reference) {
            return Ok(
                Some(digest).filter(|d| self.contents.contains_key(&(scope.tenant.clone(), d.clone())))
            );
        }
        let execution = Holder { tenant: scope.tenant.clone(), execution: Some(scope.execution) };
        if let Some(digest) = self.names.get(&(execution, reference.to_owned())) {
            return Ok(Some(digest.clone()));
        }
        // Before it is looked up: the answer is the same whether the tenant has it or not.
        let prefixes = scope.name_prefixes.as_deref();
        if prefixes.is_some_and(|some| !some.iter().any(|prefix| reference.starts_with(prefix.as_str()))) {
            let message = format!("artifact_prefixes of the installation do not cover \"{reference}\"");
            return Err(EffectError::new("denied", message));
        }
        let tenant = Holder { tenant: scope.tenant.clone(), execution: None };
        Ok(self.names.get(&(tenant, reference.to_owned())).cloned())
    }

    fn info(&self, tenant: &TenantId, digest: &Digest) -> Option<ArtifactInfo> {
        let content = self.contents.get(&(tenant.clone(), digest.clone()))?;
        let size = content.bytes.len() as u64;
        Some(ArtifactInfo { digest: digest.clone(), size, media_type: content.media_type.clone() })
    }

    fn store(
        &mut self,
        holder: Holder,
        name: Option<String>,
        media_type: Option<String>,
        bytes: &[u8],
    ) -> ArtifactInfo {
        let digest = quantum_marketplace::digest(bytes);
        let info =
            ArtifactInfo { digest: digest.clone(), size: bytes.len() as u64, media_type: media_type.clone() };
        let content = Content { bytes: bytes.into(), media_type };
        self.contents.insert((holder.tenant.clone(), digest.clone()), content);
        let name = name.unwrap_or_else(|| digest.to_string());
        self.names.insert((holder, name), digest);
        info
    }
}

struct Reader {
    bytes: Arc<[u8]>,
    at: usize,
}

impl ArtifactReader for Reader {
    fn read(&mut self, bytes_max: usize) -> BoxFuture<'_, Result<Vec<u8>, EffectError>> {
        let end = self.at.saturating_add(bytes_max).min(self.bytes.len());
        let piece = self.bytes.get(self.at..end).unwrap_or_default().to_vec();
        self.at = end;
        Box::pin(async { Ok(piece) })
    }
}

struct Writer {
    shelf: Arc<Mutex<Shelf>>,
    holder: Holder,
    media_type: Option<String>,
    bytes: Vec<u8>,
}

impl ArtifactWriter for Writer {
    fn write(&mut self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), EffectError>> {
        let fits = self.bytes.len().saturating_add(bytes.len()) <= ARTIFACT_BYTES_MAX;
        let written = if fits {
            self.bytes.extend(bytes);
            Ok(())
        } else {
            let message = format!("an artifact has at most {ARTIFACT_BYTES_MAX} bytes");
            Err(EffectError::new("too-large", message))
        };
        Box::pin(async { written })
    }

    fn finish(
        self: Box<Self>,
        name: Option<String>,
    ) -> BoxFuture<'static, Result<ArtifactInfo, EffectError>> {
        let Self { shelf, holder, media_type, bytes } = *self;
        let checked = name.as_deref().map_or(Ok(()), check_name);
        let stored = checked.map(|()| lock(&shelf).store(holder, name, media_type, &bytes));
        Box::pin(async { stored })
    }
}

fn check_name(name: &str) -> Result<(), EffectError> {
    check_artifact_name(name).map_err(|error| EffectError::new("invalid-name", error.to_string()))
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn scope(name_prefixes: Option<&[&str]>) -> ArtifactScope {
        ArtifactScope {
            tenant: TenantId::new("t").unwrap(),
            execution: ExecutionId::from_uuid(Uuid::nil()),
            name_prefixes: name_prefixes.map(|prefixes| prefixes.iter().map(ToString::to_string).collect()),
        }
    }

    async fn write(store: &MemoryArtifacts, name: Option<&str>, bytes: &[u8]) -> Result<String, EffectError> {
        let mut writer = store.create(&scope(None), None).await?;
        writer.write(bytes.to_vec()).await?;
        Ok(writer.finish(name.map(str::to_owned)).await?.digest.to_string())
    }

    async fn read(
        store: &MemoryArtifacts,
        scope: &ArtifactScope,
        reference: &str,
    ) -> Result<Vec<u8>, &'static str> {
        let mut reader = store.open(scope, reference, 1).await.map_err(|error| error.code)?;
        let mut all = Vec::new();
        loop {
            let piece = reader.read(2).await.unwrap();
            if piece.is_empty() {
                return Ok(all);
            }
            all.extend(piece);
        }
    }

    #[tokio::test]
    async fn a_name_of_the_execution_hides_the_tenants_and_both_have_digests() {
        let store = MemoryArtifacts::default();
        store.put(&scope(None).tenant, "app", None, b"-tenant");
        assert_eq!(read(&store, &scope(None), "app").await.unwrap(), b"tenant");
        let digest = write(&store, Some("app"), b"-execution").await.unwrap();
        assert_eq!(read(&store, &scope(None), "app").await.unwrap(), b"execution");
        assert_eq!(read(&store, &scope(None), &digest).await.unwrap(), b"execution");
        let elsewhere = ArtifactScope { execution: ExecutionId::from_uuid(Uuid::max()), ..scope(None) };
        assert_eq!(read(&store, &elsewhere, "app").await.unwrap(), b"tenant");
        let other = ArtifactScope { tenant: TenantId::new("u").unwrap(), ..scope(None) };
        assert_eq!(read(&store, &other, &digest).await, Err("missing"));
        let unnamed = write(&store, None, b"-x").await.unwrap();
        let names: Vec<String> = store.stored(&scope(None).tenant).into_keys().collect();
        assert_eq!(names, ["app", unnamed.as_str()]);
    }

    #[tokio::test]
    async fn prefixes_bound_the_names_of_the_tenant_and_not_those_of_the_execution() {
        let store = MemoryArtifacts::default();
        store.put(&scope(None).tenant, "public/a", None, b"-a");
        store.put(&scope(None).tenant, "private/b", None, b"-b");
        write(&store, Some("own"), b"-own").await.unwrap();
        let bound = scope(Some(&["public/"]));
        assert_eq!(read(&store, &bound, "public/a").await.unwrap(), b"a");
        assert_eq!(read(&store, &bound, "own").await.unwrap(), b"own");
        assert_eq!(read(&store, &bound, "private/b").await, Err("denied"));
        assert_eq!(read(&store, &bound, "none").await, Err("denied"));
        assert_eq!(read(&store, &bound, "public/none").await, Err("missing"));
        assert_eq!(store.stat(&bound, "public/none").await, Ok(None));
    }

    #[tokio::test]
    async fn a_name_that_could_not_be_found_again_is_refused_and_nothing_is_kept() {
        let store = MemoryArtifacts::default();
        for name in ["", "a\nb", "sha256:x", &"n".repeat(256)] {
            assert_eq!(write(&store, Some(name), b"x").await.unwrap_err().code, "invalid-name", "{name:?}");
        }
        drop(store.create(&scope(None), None).await.unwrap());
        assert!(store.stored(&scope(None).tenant).is_empty());
    }
}
