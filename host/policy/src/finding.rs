//! What is wrong with policies: every finding at its line and column, with what to write instead.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One thing that is wrong with a policy file. A `miette::Report` made of it shows the source.
#[derive(Debug, Clone)]
pub struct PolicyFinding {
    /// Kebab-case: `syntax`, `validation`, `missing-id`, `duplicate-id`, `bad-id`, `reserved-id`, `arithmetic`,
    /// `platform`, `template`, `unreadable` or `empty`.
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
    /// The policy's `@id`, when it has one.
    pub policy: Option<String>,
    pub file: String,
    /// From 1; in characters.
    pub line: usize,
    pub column: usize,
    /// Bytes of the file's text: from, and how many.
    pub span: (usize, usize),
    source: NamedSource<Arc<str>>,
}

/// The outcome of a check: all findings, not the first. Nothing found: the set can be used.
#[derive(Debug, Clone, Default, thiserror::Error)]
pub struct CheckReport {
    pub findings: Vec<PolicyFinding>,
    /// Files and policies that were looked at, without the shipped ones that they were held against.
    pub files: usize,
    pub policies: usize,
}

impl CheckReport {
    pub fn passed(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.findings.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl PolicyFinding {
    pub(crate) fn at(
        code: &'static str,
        file: impl Into<String>,
        text: impl Into<Arc<str>>,
        span: (usize, usize),
        message: impl Into<String>,
    ) -> Self {
        let (file, text) = (file.into(), text.into());
        let (line, column) = line_and_column(&text, span.0);
        let source = NamedSource::new(&file, text);
        Self { code, message: message.into(), help: None, policy: None, file, line, column, span, source }
    }

    pub(crate) fn of_file(
        code: &'static str,
        file: impl Into<String>,
        text: impl Into<Arc<str>>,
        message: impl Into<String>,
    ) -> Self {
        Self::at(code, file, text, (0, 0), message)
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(crate) fn policy(mut self, id: Option<&str>) -> Self {
        self.policy = id.map(str::to_owned);
        self
    }
}

impl fmt::Display for PolicyFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PolicyFinding {}

impl Diagnostic for PolicyFinding {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(None, self.span);
        Some(Box::new(std::iter::once(label)))
    }
}

/// Both from 1, the column in characters. An offset behind the text, or inside a character, is its nearest start.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let last_line = before.rsplit('\n').next().unwrap_or_default();
    (1 + before.matches('\n').count(), 1 + last_line.chars().count())
}
