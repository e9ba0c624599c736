//! A Rust text as one flat list of tokens with lines, so that a rule also sees inside macros.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// What rules look at; texts of literals are of no interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Ident(String),
    Punct(char),
    /// `::`, the one joined sign that rules look for.
    Path,
    Open(char),
    Close(char),
    Literal,
}

#[derive(Debug, Clone)]
pub struct Token {
    pub kind: Kind,
    /// From 1.
    pub line: usize,
    /// Of `Open`: where its `Close` is. Of others: its own place.
    pub end: usize,
}

/// Flattens a text. The error is the lexer's, with its line.
pub fn read(text: &str) -> Result<Vec<Token>, (usize, String)> {
    let stream: TokenStream =
        text.parse().map_err(|e: proc_macro2::LexError| (e.span().start().line, e.to_string()))?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut joined_colon = false;
    for tree in stream {
        let line = tree.span().start().line;
        let end = tokens.len();
        match tree {
            TokenTree::Group(group) => group_into(&group, tokens),
            TokenTree::Ident(name) => tokens.push(Token { kind: Kind::Ident(name.to_string()), line, end }),
            TokenTree::Literal(_) => tokens.push(Token { kind: Kind::Literal, line, end }),
            TokenTree::Punct(sign) if sign.as_char() == ':' && joined_colon => {
                joined_colon = false;
                if let Some(before) = tokens.last_mut() {
                    before.kind = Kind::Path;
                }
                continue;
            }
            TokenTree::Punct(sign) => {
                joined_colon = sign.as_char() == ':' && sign.spacing() == Spacing::Joint;
                tokens.push(Token { kind: Kind::Punct(sign.as_char()), line, end });
                continue;
            }
        }
        joined_colon = false;
    }
}

fn group_into(group: &Group, tokens: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ('(', ')'),
        Delimiter::Brace => ('{', '}'),
        Delimiter::Bracket => ('[', ']'),
        Delimiter::None => return flatten(group.stream(), tokens),
    };
    let start = tokens.len();
    tokens.push(Token { kind: Kind::Open(open), line: group.span_open().start().line, end: start });
    flatten(group.stream(), tokens);
    let end = tokens.len();
    tokens.push(Token { kind: Kind::Close(close), line: group.span_close().end().line, end });
    if let Some(opening) = tokens.get_mut(start) {
        opening.end = end;
    }
}
