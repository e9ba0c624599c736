//! The tools that make components of Python and JavaScript, below `target/tools`. They are pinned beside the helpers of
//! their languages; a machine without the language goes without them, and CI does not.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::shell::{self, Phases};
use crate::workspace;

/// In a folder of tools: what was installed there, so that it is not installed again.
const STAMP: &str = "installed";

/// A language, and how its tools come.
struct Language {
    name: &'static str,
    about: &'static str,
    /// Files of the checkout that say what is installed.
    pins: &'static [&'static str],
    /// Whether the language itself is on the machine.
    check: fn() -> Result<()>,
    /// Fills an empty folder.
    install: fn(&Path) -> Result<()>,
}

const LANGUAGES: [Language; 2] = [
    Language {
        name: "python",
        about: "componentize-py, for plugins in Python",
        pins: &["sdk/py/tools/requirements.txt"],
        check: check_python,
        install: install_python,
    },
    Language {
        name: "javascript",
        about: "jco, for plugins in JavaScript",
        pins: &["sdk/js/tools/package.json", "sdk/js/tools/package-lock.json"],
        check: check_javascript,
        install: install_javascript,
    },
];

/// The task of its own.
pub fn run() -> Result<()> {
    let mut phases = Phases::default();
    prepare(&mut phases);
    phases.finish()
}

/// One phase each. A language that is missing fails the whole in CI, and is left out elsewhere.
pub fn prepare(phases: &mut Phases) {
    for language in &LANGUAGES {
        match (language.check)() {
            Err(missing) if !is_required() => {
                phases.leave_out(language.name, missing.to_string().replace("\n  ", "; "))
            }
            checked => {
                _ = phases.run(language.name, language.about, || checked.and_then(|()| provide(language)))
            }
        }
    }
}

fn is_required() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

fn provide(language: &Language) -> Result<()> {
    let folder = workspace::target_dir()?.join("tools").join(language.name);
    let pins: Result<String> = language.pins.iter().map(|file| read(&workspace::root().join(file))).collect();
    let (pins, stamp) = (pins?, folder.join(STAMP));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == pins) {
        println!("the tools are there: {}", folder.display());
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(Error::file(&folder))?;
    }
    std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    (language.install)(&folder)?;
    std::fs::write(&stamp, pins).map_err(Error::file(&stamp))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::file(path))
}

fn check_python() -> Result<()> {
    if shell::answers(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
        return Ok(());
    }
    Err(Error::Missing {
        what: "python3 with its module venv",
        why: "plugins in Python are made with a tool that pip installs",
        install: "Debian, Ubuntu: apt install python3-venv. Fedora: dnf install python3. macOS: brew install python",
    })
}

fn install_python(folder: &Path) -> Result<()> {
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    shell::run(pip.arg(pinned("sdk/py/tools/requirements.txt")))
}

fn check_javascript() -> Result<()> {
    if shell::answers(Command::new("npm").arg("--version")) {
        return Ok(());
    }
    Err(Error::Missing {
        what: "npm",
        why: "plugins in JavaScript are made with a tool that npm installs",
        install: "install Node.js 20 or later, which has it: https://nodejs.org",
    })
}

fn install_javascript(folder: &Path) -> Result<()> {
    for file in ["package.json", "package-lock.json"] {
        let (from, to) = (pinned("sdk/js/tools").join(file), folder.join(file));
        std::fs::copy(&from, &to).map_err(Error::file(&from))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-fund", "--no-audit", "--ignore-scripts"]);
    shell::run(npm.current_dir(folder))
}

fn pinned(file: &str) -> PathBuf {
    workspace::root().join(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_names_one_version_and_no_place_to_get_it_from() {
        let python = read(&pinned("sdk/py/tools/requirements.txt")).unwrap();
        assert!(python.lines().all(|line| line.contains("==")), "{python}");
        let lock = read(&pinned("sdk/js/tools/package-lock.json")).unwrap();
        assert!(
            !lock.contains("\"resolved\""),
            "npm install --package-lock-only --omit-lockfile-registry-resolved"
        );
    }
}
