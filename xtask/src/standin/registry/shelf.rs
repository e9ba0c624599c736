//! What the registry holds: blobs and manifests by digest, and what each repository has of them.

use std::collections::{BTreeMap, BTreeSet};

use super::digest::Digest;

#[derive(Default)]
pub struct Shelf {
    blobs: BTreeMap<Digest, Vec<u8>>,
    repositories: BTreeMap<String, Repository>,
    /// Uploads that are open, by id.
    pub uploads: BTreeMap<String, Upload>,
}

#[derive(Default)]
struct Repository {
    blobs: BTreeSet<Digest>,
    manifests: BTreeMap<Digest, Manifest>,
    tags: BTreeMap<String, Digest>,
}

/// The exact bytes that were pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub digest: Digest,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

pub struct Upload {
    pub repository: String,
    pub bytes: Vec<u8>,
}

impl Shelf {
    /// None: the repository does not have it.
    pub fn blob(&self, repository: &str, digest: &Digest) -> Option<&[u8]> {
        let known = self.repositories.get(repository)?.blobs.contains(digest);
        self.blobs.get(digest).filter(|_| known).map(Vec::as_slice)
    }

    pub fn put_blob(&mut self, repository: &str, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.blobs.insert(digest.clone(), bytes);
        self.repository(repository).blobs.insert(digest.clone());
        digest
    }

    /// Whether the other repository has it; then this one has it too.
    pub fn mount(&mut self, repository: &str, digest: &Digest, from: &str) -> bool {
        let found = self.blob(from, digest).is_some();
        if found {
            self.repository(repository).blobs.insert(digest.clone());
        }
        found
    }

    /// By tag or digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<&Manifest> {
        let repository = self.repositories.get(repository)?;
        let digest = Digest::parse(reference).or_else(|| repository.tags.get(reference).cloned())?;
        repository.manifests.get(&digest)
    }

    /// Under its digest, and under the tag if there is one.
    pub fn put_manifest(&mut self, repository: &str, tag: Option<&str>, manifest: Manifest) {
        let repository = self.repository(repository);
        if let Some(tag) = tag {
            repository.tags.insert(tag.to_owned(), manifest.digest.clone());
        }
        repository.manifests.insert(manifest.digest.clone(), manifest);
    }

    /// None: nothing was ever pushed to such a repository.
    pub fn tags(&self, repository: &str) -> Option<Vec<&str>> {
        Some(self.repositories.get(repository)?.tags.keys().map(String::as_str).collect())
    }

    fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }
}
