//! The ports of stored data, in memory.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use quantum_core::id::{Digest, TenantId};
use quantum_core::manifest::HostPattern;
use quantum_core::port::{
    ArtifactInfo, ArtifactReader, ArtifactScope, ArtifactStore, ArtifactWriter, BoxFuture, EffectError,
    KeyValueEntry, KeyValueSpace, KeyValueStore, OpenSecret, SecretSource,
};
use quantum_core::vocabulary::Environment;

use crate::world::digest_of;

/// Counts calls that began and did not end, so that a test sees them ended.
#[derive(Default)]
pub struct Open(AtomicUsize);

pub struct OpenCall(Arc<Open>);

impl Open {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn call(self: &Arc<Self>) -> OpenCall {
        self.0.fetch_add(1, Ordering::SeqCst);
        OpenCall(self.clone())
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The key `hang` is never answered, `busy` cannot be read now.
#[derive(Default)]
pub struct Values {
    pub kept: Mutex<HashMap<(KeyValueSpace, String), KeyValueEntry>>,
    /// The last time to live that was asked for.
    pub ttl_ms: Mutex<Option<u64>>,
    pub open: Arc<Open>,
}

impl Values {
    fn write(&self, space: &KeyValueSpace, key: &str, value: Vec<u8>) -> u64 {
        let mut kept = self.kept.lock().unwrap();
        let entry = kept
            .entry((space.clone(), key.to_owned()))
            .or_insert(KeyValueEntry { value: vec![], revision: 6 });
        *entry = KeyValueEntry { value, revision: entry.revision + 1 };
        entry.revision
    }
}

impl KeyValueStore for Values {
    fn get(
        &self,
        space: &KeyValueSpace,
        key: &str,
    ) -> BoxFuture<'static, Result<Option<KeyValueEntry>, EffectError>> {
        let found = self.kept.lock().unwrap().get(&(space.clone(), key.to_owned())).cloned();
        let (key, open) = (key.to_owned(), self.open.clone());
        Box::pin(async move {
            let _open = open.call();
            match key.as_str() {
                "hang" => pending().await,
                "busy" => Err(EffectError::unavailable("the store is busy")),
                _ => Ok(found),
            }
        })
    }

    fn set(
        &self,
        space: &KeyValueSpace,
        key: &str,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<u64, EffectError>> {
        *self.ttl_ms.lock().unwrap() = ttl_ms;
        let revision = self.write(space, key, value);
        Box::pin(async move { Ok(revision) })
    }

    fn compare_and_set(
        &self,
        space: &KeyValueSpace,
        key: &str,
        expected: Option<u64>,
        value: Vec<u8>,
        _ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<Option<u64>, EffectError>> {
        let known = self.kept.lock().unwrap().get(&(space.clone(), key.to_owned())).map(|it| it.revision);
        let written = (known == expected).then(|| self.write(space, key, value));
        Box::pin(async move { Ok(written) })
    }

    fn delete(&self, space: &KeyValueSpace, key: &str) -> BoxFuture<'static, Result<(), EffectError>> {
        self.kept.lock().unwrap().remove(&(space.clone(), key.to_owned()));
        Box::pin(async { Ok(()) })
    }
}

/// Found by digest and by the names of the execution; names that begin with `shared/` are the tenant's.
#[derive(Default)]
pub struct Artifacts {
    pub bytes: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    /// The scope of the last call.
    pub scope: Mutex<Option<ArtifactScope>>,
    /// Readers and writers that are open.
    pub open: Arc<Open>,
}

struct Reading {
    rest: Vec<u8>,
    _open: OpenCall,
}

struct Writing {
    bytes: Vec<u8>,
    media_type: Option<String>,
    kept: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    _open: OpenCall,
}

impl Artifacts {
    fn find(&self, scope: &ArtifactScope, reference: &str) -> Option<Vec<u8>> {
        *self.scope.lock().unwrap() = Some(scope.clone());
        self.bytes.lock().unwrap().get(reference).cloned()
    }
}

fn info(bytes: &[u8], media_type: Option<String>) -> ArtifactInfo {
    ArtifactInfo { digest: digest_of(bytes), size: bytes.len() as u64, media_type }
}

impl ArtifactStore for Artifacts {
    fn stat(
        &self,
        scope: &ArtifactScope,
        reference: &str,
    ) -> BoxFuture<'static, Result<Option<ArtifactInfo>, EffectError>> {
        let found = self.find(scope, reference).map(|bytes| info(&bytes, None));
        Box::pin(async move { Ok(found) })
    }

    fn open(
        &self,
        scope: &ArtifactScope,
        reference: &str,
        offset: u64,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactReader>, EffectError>> {
        let (found, open) = (self.find(scope, reference), self.open.clone());
        let missing = EffectError::new("missing", format!("there is no artifact {reference:?}"));
        Box::pin(async move {
            let bytes = found.ok_or(missing)?.split_off(offset as usize);
            Ok(Box::new(Reading { rest: bytes, _open: open.call() }) as Box<dyn ArtifactReader>)
        })
    }

    fn create(
        &self,
        scope: &ArtifactScope,
        media_type: Option<String>,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactWriter>, EffectError>> {
        *self.scope.lock().unwrap() = Some(scope.clone());
        let (kept, _open) = (self.bytes.clone(), self.open.call());
        Box::pin(async move {
            let writing = Writing { bytes: vec![], media_type, kept, _open };
            Ok(Box::new(writing) as Box<dyn ArtifactWriter>)
        })
    }
}

impl ArtifactReader for Reading {
    fn read(&mut self, bytes_max: usize) -> BoxFuture<'_, Result<Vec<u8>, EffectError>> {
        let rest = self.rest.split_off(self.rest.len().min(bytes_max));
        let part = std::mem::replace(&mut self.rest, rest);
        Box::pin(async move { Ok(part) })
    }
}

impl ArtifactWriter for Writing {
    fn write(&mut self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), EffectError>> {
        self.bytes.extend(bytes);
        Box::pin(async { Ok(()) })
    }

    fn finish(
        self: Box<Self>,
        name: Option<String>,
    ) -> BoxFuture<'static, Result<ArtifactInfo, EffectError>> {
        Box::pin(async move {
            if name.as_deref() == Some("../x") {
                return Err(EffectError::new("invalid-name", "a name has no dot segments"));
            }
            let info = info(&self.bytes, self.media_type.clone());
            let mut kept = self.kept.lock().unwrap();
            for reference in [Some(info.digest.to_string()), name].into_iter().flatten() {
                kept.insert(reference, self.bytes.clone());
            }
            Ok(info)
        })
    }
}

#[derive(Default)]
pub struct Secrets(Mutex<Vec<(TenantId, OpenSecret)>>);

impl Secrets {
    /// For the environment of the tests' attempts.
    pub fn keep(&self, name: &str, value: &str, hosts: &[&str]) {
        self.keep_in(Environment::ALL[0], name, value, hosts);
    }

    pub fn keep_in(&self, environment: Environment, name: &str, value: &str, hosts: &[&str]) {
        let hosts = hosts.iter().map(|pattern| HostPattern::parse(pattern).unwrap()).collect();
        let (name, value) = (name.to_owned(), value.to_owned());
        self.forget_in(environment, &name);
        let secret = OpenSecret { name, environment, value, hosts, expires_at: None };
        self.0.lock().unwrap().push((TenantId::new("tenant-1").unwrap(), secret));
    }

    /// Of the environment of the tests' attempts.
    pub fn forget(&self, name: &str) {
        self.forget_in(Environment::ALL[0], name);
    }

    fn forget_in(&self, environment: Environment, name: &str) {
        self.0.lock().unwrap().retain(|(_, it)| it.name != name || it.environment != environment);
    }
}

impl SecretSource for Secrets {
    fn open(
        &self,
        tenant: &TenantId,
        name: &str,
        environment: Environment,
    ) -> BoxFuture<'static, Result<OpenSecret, EffectError>> {
        let all = self.0.lock().unwrap();
        let named: Vec<&OpenSecret> =
            all.iter().filter(|(owner, it)| owner == tenant && it.name == name).map(|(_, it)| it).collect();
        let found = named.iter().find(|secret| secret.environment == environment).map(|it| (*it).clone());
        let error = if named.is_empty() {
            EffectError::new("missing", format!("there is no secret {name}"))
        } else {
            EffectError::new("denied", format!("the secret {name} is for other environments"))
        };
        Box::pin(async move { found.ok_or(error) })
    }
}

/// Of what is not stored.
pub fn digest_text(bytes: &[u8]) -> String {
    let digest: Digest = digest_of(bytes);
    digest.to_string()
}
