//! `secrets("NAME", in = "header,query")` and `reveal("NAME")`.

use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::{Error, LitStr, Result, Token, parenthesized, token};

/// Where a request may carry a secret.
const PLACES: &[&str] = &["header", "query", "body"];
/// Where it may when the author says nothing.
const PLACE: &str = "header";
/// Characters of a name; the host refuses longer ones.
const NAME_CHARS_MAX: usize = 63;
const SECRETS: &str = "name the secrets: secrets(\"TOKEN\") or secrets(\"TOKEN\", in = \"header,query\")";
const REVEAL: &str = "name the secrets: reveal(\"TOKEN\")";

/// A secret that is used through placeholders.
pub struct Secret {
    pub name: LitStr,
    pub places: Vec<&'static str>,
}

pub fn secrets(meta: &ParseNestedMeta<'_>) -> Result<Vec<Secret>> {
    if !meta.input.peek(token::Paren) {
        return Err(meta.error(SECRETS));
    }
    let inside;
    parenthesized!(inside in meta.input);
    let mut names = Vec::new();
    let mut places = vec![PLACE];
    while !inside.is_empty() {
        if inside.peek(Token![in]) {
            inside.parse::<Token![in]>()?;
            inside.parse::<Token![=]>()?;
            places = read_places(&inside.parse()?)?;
        } else {
            names.push(name(&inside)?);
        }
        if !inside.is_empty() {
            inside.parse::<Token![,]>()?;
        }
    }
    if names.is_empty() {
        return Err(meta.error(SECRETS));
    }
    Ok(names.into_iter().map(|name| Secret { name, places: places.clone() }).collect())
}

pub fn reveal(meta: &ParseNestedMeta<'_>) -> Result<Vec<LitStr>> {
    if !meta.input.peek(token::Paren) {
        return Err(meta.error(REVEAL));
    }
    let inside;
    parenthesized!(inside in meta.input);
    let names = inside.parse_terminated(name, Token![,])?;
    if names.is_empty() {
        return Err(meta.error(REVEAL));
    }
    Ok(names.into_iter().collect())
}

/// As the manifest takes it.
fn name(input: ParseStream<'_>) -> Result<LitStr> {
    let literal: LitStr = input.parse()?;
    let name = literal.value();
    let word = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if word && name.len() <= NAME_CHARS_MAX && name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Ok(literal);
    }
    let reason = "a secret's name is upper-case letters, digits and _, for example REGISTRY_TOKEN";
    Err(Error::new(literal.span(), reason))
}

fn read_places(literal: &LitStr) -> Result<Vec<&'static str>> {
    let known = |word: &str| PLACES.iter().copied().find(|place| *place == word.trim());
    let places: Option<Vec<_>> = literal.value().split(',').map(known).collect();
    places.ok_or_else(|| Error::new(literal.span(), format!("the places are {}", PLACES.join(", "))))
}
