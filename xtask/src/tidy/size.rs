//! How long files and functions are, without test code.

use super::source::Source;

/// Lines of a file; above it, two nouns share it.
pub const FILE_LINES_MAX: usize = 400;
/// Lines of a function from `fn` to its closing brace; above it, it does not fit a screen.
pub const FUNCTION_LINES_MAX: usize = 70;

/// Something longer than its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oversize {
    pub path: String,
    /// None: the file itself.
    pub function: Option<String>,
    pub line: usize,
    pub lines: usize,
}

pub fn measure(source: &Source<'_>) -> Vec<Oversize> {
    let path = || source.path.to_owned();
    let mut found = Vec::new();
    let lines = source.line_count();
    if lines > FILE_LINES_MAX {
        found.push(Oversize { path: path(), function: None, line: 1, lines });
    }
    for function in source.functions.iter().filter(|f| !f.is_test && !source.is_test_line(f.line)) {
        let lines = function.line_last - function.line + 1;
        if lines > FUNCTION_LINES_MAX {
            found.push(Oversize {
                path: path(),
                function: Some(function.name.clone()),
                line: function.line,
                lines,
            });
        }
    }
    found
}

impl Oversize {
    pub fn limit(&self) -> usize {
        if self.function.is_some() { FUNCTION_LINES_MAX } else { FILE_LINES_MAX }
    }
}
