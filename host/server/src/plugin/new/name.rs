//! What a new plugin is called: checked, and when it does not do, with one that would.

use quantum_core::manifest::is_kebab;

use super::{NewArgs, NewLanguage};
use crate::plugin::error::Error;

/// Names that no package of Rust can have: words of the language, and crates that are always there.
const NOT_IN_RUST: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

#[derive(Debug)]
pub(super) struct Name {
    pub namespace: String,
    pub name: String,
}

impl Name {
    pub fn parse(args: &NewArgs) -> Result<Self, Error> {
        let refused = |text: &str, what, reason| {
            let other = Some(suggest(text)).filter(|other| other != text && is_kebab(other));
            let suggestion = other.map(|other| format!("; try \"{other}\"")).unwrap_or_default();
            Err(Error::Name { what, text: text.to_owned(), reason, suggestion })
        };
        const KEBAB: &str =
            "words of a-z and 0-9 joined by -, at most 63 characters, beginning with a letter";
        if !is_kebab(&args.name) {
            return refused(&args.name, "name", KEBAB);
        }
        if !is_kebab(&args.namespace) {
            return refused(&args.namespace, "namespace", KEBAB);
        }
        if args.lang == NewLanguage::Rust && NOT_IN_RUST.contains(&args.name.as_str()) {
            return refused(&args.name, "name", "a name that Rust does not keep for itself");
        }
        Ok(Self { namespace: args.namespace.clone(), name: args.name.clone() })
    }

    pub fn id(&self) -> String {
        format!("{}:{}", self.namespace, self.name)
    }

    /// `word-count` → `Word count`.
    pub fn title(&self) -> String {
        let words = self.name.replace('-', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    }
}

/// The nearest name in kebab-case; a word that Rust keeps gets another behind it.
fn suggest(text: &str) -> String {
    let mut words = String::new();
    let mut before = '-';
    for letter in text.trim().chars() {
        let starts_word = letter.is_uppercase() && (before.is_lowercase() || before.is_numeric());
        let letter = if letter.is_ascii_alphanumeric() { letter } else { '-' };
        if (starts_word || letter == '-') && !words.is_empty() && !words.ends_with('-') {
            words.push('-');
        }
        if letter != '-' {
            words.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    let words =
        words.trim_matches('-').trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned();
    if NOT_IN_RUST.contains(&words.as_str()) { format!("{words}-plugin") } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_comes_back_with_one_that_would_do() {
        for (text, suggestion) in [
            ("WordCount", "word-count"),
            ("word_count", "word-count"),
            ("  Word  Count!", "word-count"),
            ("2nd-try", "nd-try"),
            ("HTTPCheck2Go", "httpcheck2-go"),
            ("match", "match-plugin"),
            ("wörter", "w-rter"),
        ] {
            assert_eq!(suggest(text), suggestion, "{text}");
        }
    }

    #[test]
    fn a_title_reads_like_words() {
        let name = Name { namespace: "local".to_owned(), name: "word-count".to_owned() };
        assert_eq!((name.title().as_str(), name.id().as_str()), ("Word count", "local:word-count"));
    }
}
