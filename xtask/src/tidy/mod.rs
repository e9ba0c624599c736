//! `cargo xtask tidy`: rules of the house that a compiler does not know, all findings at once.
//!
//! Runs as a test of this package too. A rule looks at values and gives findings; only this file reads the checkout.

mod crypto;
mod exceptions;
mod finding;
mod rooms;
mod scope;
mod size;
mod source;
mod tokens;
mod words;

use std::path::{Path, PathBuf};

pub use exceptions::Exceptions;
pub use finding::Finding;
pub use rooms::{Package, check_rooms};
pub use size::{FILE_LINES_MAX, FUNCTION_LINES_MAX, Oversize};
pub use source::Source;

use crate::error::{Error, Result};
use crate::{codegen, workspace};

const EXCEPTIONS: &str = "xtask/tidy-exceptions.toml";

/// Prints the findings of the whole checkout; an error when there are any.
pub fn run() -> Result<()> {
    let findings = check()?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() { Ok(()) } else { Err(Error::Tidy(findings.len())) }
}

/// Every finding of the checkout, in order of place.
pub fn check() -> Result<Vec<Finding>> {
    let root = workspace::root();
    let exceptions = root.join(EXCEPTIONS);
    let text = std::fs::read_to_string(&exceptions).map_err(Error::file(&exceptions))?;
    let mut files = Vec::new();
    for path in rust_files(&root)? {
        let relative = workspace::relative(&path);
        if !codegen::is_generated(&relative) {
            files.push((relative, std::fs::read_to_string(&path).map_err(Error::file(&path))?));
        }
    }
    let mut findings = check_texts(&files, &text);
    let graph = workspace::graph()?;
    findings.extend(rooms::check_rooms(&rooms::packages(&graph)));
    findings.extend(rooms::check_reach(&graph));
    findings.extend(crypto::check(&crypto::reached()?));
    findings.sort();
    Ok(findings)
}

/// The rules for source files. `files` are paths and texts, `exceptions` the text of the list of exceptions.
pub fn check_texts(files: &[(String, String)], exceptions: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut oversize = Vec::new();
    for (path, text) in files {
        match Source::parse(path, text) {
            Ok(source) => {
                findings.extend(words::check(&source));
                findings.extend(scope::check(&source));
                oversize.extend(size::measure(&source));
            }
            Err(finding) => findings.push(finding),
        }
    }
    match Exceptions::parse(EXCEPTIONS, exceptions) {
        Ok(list) => findings.extend(list.check(&oversize)),
        Err(finding) => findings.push(finding),
    }
    findings.sort();
    findings
}

/// All `.rs` files of the checkout, without build output and hidden folders.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(Error::file(&folder))? {
            let entry = entry.map_err(Error::file(&folder))?;
            let kind = entry.file_type().map_err(Error::file(entry.path()))?;
            let name = entry.file_name();
            if kind.is_dir() && is_ours(&name.to_string_lossy()) {
                folders.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_some_and(|end| end == "rs") {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// `fuzz/target`, `node_modules` and the like are other people's or made by a build.
fn is_ours(folder: &str) -> bool {
    !folder.starts_with('.') && !matches!(folder, "target" | "node_modules")
}
