//! `quantum plugin pack`: a component that was made elsewhere, in whatever language, and its manifest, in one file that
//! can be installed. It is checked as an install checks it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use quantum_core::manifest::Manifest;
use quantum_core::problem::Finding;
use quantum_marketplace::{Inspection, append_manifest};

use super::build::{gate, replace};
use super::contract;
use super::error::Error;
use super::inspect::thousands;
use super::network::Network;
use super::workbench::Workbench;

#[derive(Debug, Clone, clap::Args)]
pub struct PackArgs {
    /// A component that exports quantum:plugin/actions and has no manifest yet
    pub component: PathBuf,
    /// What it says of itself, as schemas/manifest.json describes it; "wit" may be left out
    #[arg(long, value_name = "FILE", default_value = "manifest.json")]
    pub manifest: PathBuf,
    /// File to write [default: the plugin's name with .wasm, beside the component]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Packs it, and tells its size and digest. Nothing is written when anything is wrong.
pub async fn pack(args: &PackArgs, out: &mut (dyn Write + Send)) -> Result<Inspection, Error> {
    let component = tokio::fs::read(&args.component).await.map_err(Error::file(&args.component))?;
    let mut manifest = read_manifest(&args.manifest)?;
    let path = args.out.clone().unwrap_or_else(|| args.component.with_file_name(file_name(&manifest.id)));
    let (packed, inspection) = packed(&component, &mut manifest, &args.component)?;
    if is_same(&path, &args.component) {
        return Err(Error::PackOntoItself { path });
    }
    gate(inspection.findings(), out)?;
    Workbench::new(None, &Network::default())?.check(packed.clone(), manifest.memory_bytes_max).await?;
    replace(&path, &packed)?;
    tell(&inspection, &path, out)?;
    Ok(inspection)
}

/// The file's bytes, and what can be known of them. A manifest that names no packages of the contract gets those of the
/// component.
fn packed(component: &[u8], manifest: &mut Manifest, path: &Path) -> Result<(Vec<u8>, Inspection), Error> {
    let unusable = |source| Error::Package { path: path.to_owned(), source };
    let packed = append_manifest(component, manifest).map_err(unusable)?;
    let inspection = quantum_marketplace::inspect(&packed).map_err(unusable)?;
    let bound = contract::ours(&contract::bound(&inspection));
    if manifest.wit == bound {
        return Ok((packed, inspection));
    }
    if !manifest.wit.is_empty() {
        return Err(Error::Refused(vec![wit_differs(&manifest.wit, &bound)]));
    }
    manifest.wit = bound;
    let packed = append_manifest(component, manifest).map_err(unusable)?;
    let inspection = quantum_marketplace::inspect(&packed).map_err(unusable)?;
    Ok((packed, inspection))
}

fn wit_differs(said: &BTreeMap<String, String>, bound: &BTreeMap<String, String>) -> Finding {
    let list = |packages: &BTreeMap<String, String>| {
        packages.iter().map(|(name, version)| format!("{name}@{version}")).collect::<Vec<_>>().join(", ")
    };
    let message = format!("says {}, and the component was built against {}", list(said), list(bound));
    Finding::error("/wit", "manifest-version", message)
        .hint("leave \"wit\" out: it is read from the component")
}

fn read_manifest(path: &Path) -> Result<Manifest, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    serde_json::from_str(&text).map_err(|source| Error::ManifestFile { path: path.to_owned(), source })
}

/// `acme:greeter` → `greeter.wasm`.
pub(super) fn file_name(id: &str) -> String {
    format!("{}.wasm", id.split_once(':').map_or(id, |(_, name)| name))
}

pub(super) fn tell(inspection: &Inspection, path: &Path, out: &mut dyn Write) -> Result<(), Error> {
    let Inspection { manifest, digest, size_bytes, .. } = inspection;
    let (id, version, bytes) = (&manifest.id, &manifest.version, thousands(*size_bytes));
    writeln!(out, "{id} {version}  {bytes} bytes  {digest}\n  {}", path.display())?;
    Ok(())
}

fn is_same(path: &Path, other: &Path) -> bool {
    path == other || path.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}
