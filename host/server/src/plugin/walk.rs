//! The files that an author writes, below a plugin's folder.

use std::io;
use std::path::{Path, PathBuf};

/// Folders that hold what tools wrote; those that begin with a dot are others.
const TOOLS: &[&str] = &["target", "node_modules", "venv", "__pycache__"];

/// All files below the folder. `passed_over`: names of more folders that are not looked into.
pub(super) fn files(dir: &Path, passed_over: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(dir, passed_over, &mut found)?;
    Ok(found)
}

fn collect(dir: &Path, passed_over: &[&str], found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || TOOLS.contains(&&*name) || passed_over.contains(&&*name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, passed_over, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
