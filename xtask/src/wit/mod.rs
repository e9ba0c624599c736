//! `docs/wit.md`: the contract between host and plugins as a page, made from `wit/`.

mod page;
mod text;

use crate::error::{Error, Result};
use crate::workspace;

/// The page, from the folder that host and SDK make their bindings of.
pub fn page() -> Result<Vec<u8>> {
    let folder = workspace::root().join("wit");
    let mut resolve = wit_parser::Resolve::default();
    resolve
        .push_dir(&folder)
        .map_err(|error| Error::Wit { path: folder.clone(), reason: format!("{error:#}") })?;
    Ok(page::page(&resolve).into_bytes())
}
