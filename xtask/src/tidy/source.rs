//! One Rust file as rules see it: lines, tokens, attributes, functions, and which lines are test code.

use std::ops::RangeInclusive;

use super::finding::Finding;
use super::tokens::{self, Kind, Token};

/// A parsed file.
#[derive(Debug)]
pub struct Source<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub tokens: Vec<Token>,
    pub attributes: Vec<Attribute>,
    pub functions: Vec<Function>,
    /// Lines of items behind `#[cfg(test)]`.
    test_lines: Vec<RangeInclusive<usize>>,
}

/// `#[…]` or `#![…]`.
#[derive(Debug, Clone)]
pub struct Attribute {
    pub line: usize,
    /// The identifiers in it, in order: `cfg`, `not`, `test`.
    pub words: Vec<String>,
    /// Places of its first and last token.
    pub tokens: (usize, usize),
}

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// Where `fn` stands.
    pub line: usize,
    pub line_last: usize,
    /// Carries `#[test]`, `#[tokio::test]` or the like.
    pub is_test: bool,
}

impl<'a> Source<'a> {
    /// A finding when the text is not made of Rust tokens.
    pub fn parse(path: &'a str, text: &'a str) -> Result<Self, Finding> {
        let fix = "rustc shows more: compile the package";
        let tokens = tokens::read(text)
            .map_err(|(line, error)| Finding::new(path, line, format!("this is not Rust: {error}"), fix))?;
        let attributes = attributes(&tokens);
        let functions = functions(&tokens, &attributes);
        let test_lines = test_lines(&tokens, &attributes);
        Ok(Self { path, text, tokens, attributes, functions, test_lines })
    }

    /// Test code as a whole: integration tests and modules of tests in files of their own.
    pub fn is_test_file(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    pub fn is_test_line(&self, line: usize) -> bool {
        self.is_test_file() || self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// Lines that are not test code.
    pub fn line_count(&self) -> usize {
        (1..=self.text.lines().count()).filter(|line| !self.is_test_line(*line)).count()
    }

    /// Whether the token at `place` stands in a `quote!` or a `macro_rules!`.
    pub fn is_written_by_macro(&self, place: usize) -> bool {
        let before = self.tokens.get(..place).unwrap_or_default();
        before.windows(2).enumerate().any(|(start, pair)| {
            let [Token { kind: Kind::Ident(name), .. }, Token { kind: Kind::Punct('!'), .. }] = pair else {
                return false;
            };
            let writes = matches!(name.as_str(), "quote" | "quote_spanned" | "parse_quote" | "macro_rules");
            writes && item_end(&self.tokens, start + 2).is_some_and(|end| end.end > place)
        })
    }

    /// Lines of each place where these tokens follow one another.
    pub fn find(&self, pattern: &[Kind]) -> Vec<usize> {
        let same = |window: &[Token]| window.iter().map(|token| &token.kind).eq(pattern);
        self.tokens.windows(pattern.len()).filter(|w| same(w)).filter_map(|w| Some(w.first()?.line)).collect()
    }
}

impl Attribute {
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    fn is_named(&self, word: &str) -> bool {
        self.words.first().is_some_and(|first| first == word)
    }

    fn hides_from_release(&self) -> bool {
        self.is_named("cfg") && self.has("test") && !self.has("not")
    }

    fn marks_test(&self) -> bool {
        !self.is_named("cfg") && !self.is_named("cfg_attr") && self.has("test")
    }
}

fn attributes(tokens: &[Token]) -> Vec<Attribute> {
    let mut found = Vec::new();
    for (start, token) in tokens.iter().enumerate() {
        let inner = tokens.get(start + 1).is_some_and(|next| next.kind == Kind::Punct('!'));
        let open = start + if inner { 2 } else { 1 };
        let bracket = tokens.get(open).filter(|next| next.kind == Kind::Open('['));
        let (Kind::Punct('#'), Some(bracket)) = (&token.kind, bracket) else { continue };
        let words = tokens.get(open..bracket.end).unwrap_or_default().iter().filter_map(ident).collect();
        found.push(Attribute { line: token.line, words, tokens: (start, bracket.end) });
    }
    found
}

fn ident(token: &Token) -> Option<String> {
    if let Kind::Ident(name) = &token.kind { Some(name.clone()) } else { None }
}

fn functions(tokens: &[Token], attributes: &[Attribute]) -> Vec<Function> {
    let mut found = Vec::new();
    for (place, pair) in tokens.windows(2).enumerate() {
        let [Token { kind: Kind::Ident(keyword), line, .. }, Token { kind: Kind::Ident(name), .. }] = pair
        else {
            continue;
        };
        let body = (keyword == "fn").then(|| item_end(tokens, place + 2)).flatten();
        let Some(end) = body.filter(|end| end.kind == Kind::Close('}')) else { continue };
        let is_test = own_attributes(tokens, attributes, place).any(Attribute::marks_test);
        found.push(Function { name: name.clone(), line: *line, line_last: end.line, is_test });
    }
    found
}

/// The attributes of the item whose keyword is at `place`: those before it, with only words such as `pub` between.
fn own_attributes<'a>(
    tokens: &'a [Token],
    attributes: &'a [Attribute],
    place: usize,
) -> impl Iterator<Item = &'a Attribute> {
    let ends_item =
        |token: &Token| matches!(token.kind, Kind::Close('}') | Kind::Punct(';') | Kind::Open('{'));
    let before = tokens.get(..place).unwrap_or_default();
    let from = before.iter().rposition(ends_item).map_or(0, |end| end + 1);
    attributes.iter().filter(move |attribute| attribute.tokens.0 >= from && attribute.tokens.1 < place)
}

/// The last token of the item that goes on at `from`: its closing brace, or its semicolon.
fn item_end(tokens: &[Token], from: usize) -> Option<&Token> {
    let mut place = from;
    loop {
        let token = tokens.get(place)?;
        match token.kind {
            Kind::Open('{') => return tokens.get(token.end),
            Kind::Punct(';') => return Some(token),
            Kind::Close(_) => return None,
            _ => place = token.end + 1,
        }
    }
}

fn test_lines(tokens: &[Token], attributes: &[Attribute]) -> Vec<RangeInclusive<usize>> {
    let hidden = attributes.iter().filter(|attribute| attribute.hides_from_release());
    hidden.filter_map(|found| Some(found.line..=item_end(tokens, found.tokens.1 + 1)?.line)).collect()
}
