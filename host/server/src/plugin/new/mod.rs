//! `quantum plugin new`: a plugin that builds and passes its tests as it stands. No network, and nothing is overwritten.

mod name;
mod sdk;
mod template;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::error::Error;
use super::languages::{self, Language};
use name::Name;
use sdk::Sdk;

#[derive(Debug, Clone, clap::Args)]
pub struct NewArgs {
    /// Name of the plugin and of its first action, in kebab-case
    pub name: String,
    /// What it is written in
    #[arg(long, default_value = "rust", value_name = "LANGUAGE")]
    pub lang: NewLanguage,
    /// Folder to make [default: the name]
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
    /// What stands before the name in the plugin's id: yours or your company's
    #[arg(long, default_value = "local")]
    pub namespace: String,
    /// Checkout whose SDK a plugin in Rust depends on [default: the one around the folder or around this program]
    #[arg(long, value_name = "DIR")]
    pub sdk: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NewLanguage {
    Rust,
    Python,
    #[value(name = "javascript", alias = "js")]
    JavaScript,
}

/// Makes the folder, and says what to type next.
pub fn new(args: &NewArgs, out: &mut dyn Write) -> Result<PathBuf, Error> {
    let name = Name::parse(args)?;
    let dir = args.path.clone().unwrap_or_else(|| PathBuf::from(&name.name));
    check_empty(&dir)?;
    let absolute = std::path::absolute(&dir).map_err(Error::file(&dir))?;
    let sdk = match args.lang {
        NewLanguage::Rust => Some(Sdk::find(args.sdk.as_deref(), &absolute)?),
        NewLanguage::Python | NewLanguage::JavaScript => None,
    };
    std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
    let dir = dir.canonicalize().map_err(Error::file(&dir))?;
    template::write(&dir, args.lang, &name, sdk.as_ref())?;
    match args.lang {
        NewLanguage::Rust => {}
        NewLanguage::Python => languages::write_helper(&dir, Language::Python)?,
        NewLanguage::JavaScript => languages::write_helper(&dir, Language::JavaScript)?,
    }
    tell(&dir, args.lang, &name, out)?;
    Ok(dir)
}

fn check_empty(dir: &Path) -> Result<(), Error> {
    if !dir.exists() {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(dir).map_err(Error::file(dir))?;
    if entries.next().is_none() { Ok(()) } else { Err(Error::NotEmpty { path: dir.to_owned() }) }
}

fn tell(dir: &Path, lang: NewLanguage, name: &Name, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "made {} in {}", name.id(), dir.display())?;
    let pip =
        format!("python3 -m venv .venv && .venv/bin/pip install {}    # once", languages::PYTHON_TOOL.trim());
    let (tools, native) = match lang {
        NewLanguage::Rust => ("rustup target add wasm32-wasip2    # once", "cargo test"),
        NewLanguage::Python => (pip.as_str(), "PYTHONPATH=target/sdk python3 -m unittest"),
        NewLanguage::JavaScript => ("npm install    # once", "node --test"),
    };
    writeln!(out, "\nnext, in that folder; README.md says more:")?;
    writeln!(out, "  {tools}\n  {native}\n  quantum plugin test")?;
    Ok(())
}
