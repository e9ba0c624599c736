//! The list of what may be longer than the limit. It may only shrink: an entry is exactly the present size.

use serde::Deserialize;
use toml::Spanned;

use super::finding::Finding;
use super::size::Oversize;

/// `tidy-exceptions.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    #[serde(skip)]
    path: String,
    #[serde(skip)]
    text: String,
    #[serde(default)]
    exception: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    path: String,
    /// None: the file itself.
    function: Option<String>,
    lines: Spanned<usize>,
    reason: String,
}

impl Exceptions {
    /// `path` is where findings about the list itself point to.
    pub fn parse(path: &str, text: &str) -> Result<Self, Finding> {
        let fix = "entries are [[exception]] with path, function (not for a whole file), lines and reason";
        let list: Self = toml::from_str(text).map_err(|error| {
            let line =
                error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().lines().count() + 1);
            Finding::new(path, line, error.message(), fix)
        })?;
        Ok(Self { path: path.to_owned(), text: text.to_owned(), ..list })
    }

    /// What is too long and not listed, and what is listed and wrong.
    pub fn check(&self, oversize: &[Oversize]) -> Vec<Finding> {
        let unlisted = oversize.iter().filter(|found| !self.exception.iter().any(|entry| entry.names(found)));
        let mut findings: Vec<_> = unlisted.map(too_long).collect();
        findings.extend(self.exception.iter().filter_map(|entry| self.check_entry(entry, oversize)));
        findings
    }

    fn check_entry(&self, entry: &Exception, oversize: &[Oversize]) -> Option<Finding> {
        let line = line_at(&self.text, entry.lines.span().start);
        let at_list = |what: String, fix: &str| Some(Finding::new(&self.path, line, what, fix));
        let listed = *entry.lines.get_ref();
        let name = entry.name();
        if entry.reason.trim().is_empty() {
            return at_list(format!("the exception for {name} has no reason"), "say why it cannot be split");
        }
        let Some(found) = oversize.iter().filter(|found| entry.names(found)).max_by_key(|found| found.lines)
        else {
            return at_list(format!("the exception for {name} is not needed any more"), "remove the entry");
        };
        if found.lines < listed {
            let fix = format!("write lines = {}, so that it cannot grow again", found.lines);
            return at_list(format!("{name} shrank from {listed} to {} lines", found.lines), &fix);
        }
        let grown = format!("{name} grew from {listed} to {} lines", found.lines);
        let fix = "exceptions may only shrink: split it";
        (found.lines > listed).then(|| Finding::new(&found.path, found.line, grown, fix))
    }
}

impl Exception {
    fn names(&self, found: &Oversize) -> bool {
        self.path == found.path && self.function == found.function
    }

    fn name(&self) -> String {
        match &self.function {
            Some(function) => format!("`{function}` in {}", self.path),
            None => self.path.clone(),
        }
    }
}

/// From 1.
fn line_at(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or_default().matches('\n').count() + 1
}

fn too_long(found: &Oversize) -> Finding {
    let limit = found.limit();
    let (what, fix) = match &found.function {
        Some(name) => (
            format!("`{name}` has {} lines, {limit} fit a screen", found.lines),
            "split it where its parts have names",
        ),
        None => (format!("the file has {} lines, at most {limit}", found.lines), "split it by noun"),
    };
    Finding::new(&found.path, found.line, what, fix)
}
