//! Where policies come from: the shipped files, and the files of an operator's folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::finding::{CheckReport, PolicyFinding};

/// Bytes of one policy file: a file is parsed whole, and a thousand policies fit. Over it the file is refused.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The schema that every policy is held against.
pub(crate) const SCHEMA: &str = include_str!("../../../policies/quantum.cedarschema");

const SHIPPED: [(&str, &str); 3] = [
    ("policies/00-guard.cedar", include_str!("../../../policies/00-guard.cedar")),
    ("policies/10-roles.cedar", include_str!("../../../policies/10-roles.cedar")),
    ("policies/20-defaults.cedar", include_str!("../../../policies/20-defaults.cedar")),
];

/// One file of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub file: String,
    pub text: Arc<str>,
    pub origin: Origin,
}

/// Who wrote a file: what an added one may say is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Shipped,
    Added,
}

/// The files that make one policy set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySources(Vec<Source>);

impl PolicySources {
    /// Files of a folder. Over it the folder is refused: what is read again and again has a bound.
    pub const FILES_MAX: usize = 1_000;

    /// The path is one of those that `load` reads.
    pub fn is_policies(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "cedar")
    }

    /// The policies that come with the host.
    pub fn shipped() -> Self {
        let source = |(file, text): (&str, &str)| Source {
            file: file.to_owned(),
            text: text.into(),
            origin: Origin::Shipped,
        };
        Self(SHIPPED.into_iter().map(source).collect())
    }

    /// The shipped policies and the `.cedar` files of a folder, without its subfolders.
    pub fn load(dir: &Path) -> Result<Self, CheckReport> {
        let files = cedar_files(dir).map_err(|error| unreadable(dir, &error))?;
        let mut sources = Self::shipped();
        let mut findings = Vec::new();
        for file in files {
            match read_bounded(&file) {
                Ok(text) => sources = sources.with(file.display().to_string(), &text),
                Err(error) => findings.extend(unreadable(&file, &error).findings),
            }
        }
        if findings.is_empty() {
            Ok(sources)
        } else {
            Err(CheckReport { findings, ..CheckReport::default() })
        }
    }

    /// Adds one file by its text.
    #[must_use]
    pub fn with(mut self, file: impl Into<String>, text: &str) -> Self {
        self.0.push(Source { file: file.into(), text: text.into(), origin: Origin::Added });
        self
    }

    pub(crate) fn files(&self) -> &[Source] {
        &self.0
    }

    /// How many files are not the host's own.
    pub fn added(&self) -> usize {
        self.0.iter().filter(|source| source.origin == Origin::Added).count()
    }
}

fn cedar_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
    files.retain(|path| PolicySources::is_policies(path));
    if files.len() > PolicySources::FILES_MAX {
        let (count, most) = (files.len(), PolicySources::FILES_MAX);
        return Err(std::io::Error::other(format!("it has {count} .cedar files, at most {most} are read")));
    }
    files.sort();
    Ok(files)
}

fn read_bounded(file: &Path) -> std::io::Result<String> {
    let bytes = std::fs::metadata(file)?.len();
    if bytes > FILE_BYTES_MAX {
        let text = format!("it has {bytes} bytes and a policy file may have {FILE_BYTES_MAX}; split it");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, text));
    }
    std::fs::read_to_string(file)
}

fn unreadable(path: &Path, error: &std::io::Error) -> CheckReport {
    let message = format!("the path cannot be read: {error}");
    let help = "name a folder with .cedar files that this user may read";
    let finding = PolicyFinding::of_file("unreadable", path.display().to_string(), "", message).help(help);
    CheckReport { findings: vec![finding], ..CheckReport::default() }
}
