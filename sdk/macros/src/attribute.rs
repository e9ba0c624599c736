//! The words between the brackets of `#[action(…)]`.

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitInt, LitStr, Result, Token, parenthesized, token};

use crate::secret::{self, Secret};

const KNOWN: &[&str] = &[
    "name",
    "title",
    "aliases",
    "idempotent",
    "effects",
    "no_side_effects",
    "reversible",
    "dry_run",
    "http",
    "response_bytes_max",
    "kv",
    "artifacts",
    "secrets",
    "reveal",
    "clock",
    "random",
    "memory_bytes_max",
];

#[derive(Default)]
pub struct Attribute {
    pub name: Option<LitStr>,
    pub title: Option<LitStr>,
    pub aliases: Vec<LitStr>,
    pub idempotent: bool,
    pub at_most_once: bool,
    pub no_side_effects: bool,
    pub reversible: bool,
    pub dry_run: bool,
    pub http_hosts: Vec<LitStr>,
    pub http_slots: Vec<LitStr>,
    pub response_bytes_max: Option<LitInt>,
    pub kv: bool,
    pub artifacts: bool,
    pub secrets: Vec<Secret>,
    pub reveal: Vec<LitStr>,
    pub clock: bool,
    pub random: bool,
    pub memory_bytes_max: Option<LitInt>,
}

impl Attribute {
    pub fn parse(tokens: TokenStream) -> Result<Self> {
        let mut attribute = Self::default();
        syn::meta::parser(|meta| attribute.take(&meta)).parse2(tokens)?;
        attribute.check()?;
        Ok(attribute)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let key = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
        match key.as_str() {
            "name" => self.name = Some(kebab(meta.value()?.parse()?)?),
            "title" => self.title = Some(meta.value()?.parse()?),
            "aliases" => self.aliases.extend(aliases(meta)?),
            "idempotent" => self.idempotent = true,
            "effects" => self.at_most_once = at_most_once(meta)?,
            "no_side_effects" => self.no_side_effects = true,
            "reversible" => self.reversible = true,
            "dry_run" => self.dry_run = true,
            "http" => self.http(meta)?,
            "response_bytes_max" => self.response_bytes_max = Some(bytes(meta)?),
            "kv" => self.kv = true,
            "artifacts" => self.artifacts = true,
            "secrets" => self.secrets.extend(secret::secrets(meta)?),
            "reveal" => self.reveal.extend(secret::reveal(meta)?),
            "clock" => self.clock = true,
            "random" => self.random = true,
            "memory_bytes_max" => self.memory_bytes_max = Some(bytes(meta)?),
            _ => return Err(meta.error(unknown(&key))),
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        match &self.response_bytes_max {
            Some(bytes) if self.http_hosts.is_empty() && self.http_slots.is_empty() => {
                Err(Error::new(bytes.span(), "response_bytes_max belongs to http = …, which is missing"))
            }
            _ => Ok(()),
        }
    }

    /// `= "https://…"` or `= slot("…")`.
    fn http(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let value = meta.value()?;
        if value.peek(LitStr) {
            self.http_hosts.push(host(value.parse()?)?);
            return Ok(());
        }
        let word: Ident = value.parse()?;
        if word != "slot" || !value.peek(token::Paren) {
            return Err(Error::new(
                word.span(),
                "write http = \"https://api.example.com\" or http = slot(\"name\")",
            ));
        }
        let inside;
        parenthesized!(inside in value);
        self.http_slots.push(kebab(inside.parse()?)?);
        Ok(())
    }
}

fn unknown(key: &str) -> String {
    let near = KNOWN
        .iter()
        .map(|known| (strsim::damerau_levenshtein(key, known), known))
        .filter(|(distance, known)| distance * 3 <= known.len())
        .min();
    match near {
        Some((_, known)) => format!("unknown key; did you mean `{known}`?"),
        None => format!("unknown key; known here: {}", KNOWN.join(", ")),
    }
}

/// A number of bytes that fits the manifest.
fn bytes(meta: &ParseNestedMeta<'_>) -> Result<LitInt> {
    let literal: LitInt = meta.value()?.parse()?;
    match literal.base10_parse::<u64>() {
        Ok(bytes) if bytes > 0 => Ok(literal),
        _ => Err(Error::new(literal.span(), "write a number of bytes, for example 1_073_741_824")),
    }
}

fn aliases(meta: &ParseNestedMeta<'_>) -> Result<Vec<LitStr>> {
    let inside;
    parenthesized!(inside in meta.input);
    Punctuated::<LitStr, Token![,]>::parse_terminated(&inside)?.into_iter().map(kebab).collect()
}

fn at_most_once(meta: &ParseNestedMeta<'_>) -> Result<bool> {
    let word: Ident = meta.value()?.parse()?;
    match word.to_string().as_str() {
        "at_most_once" => Ok(true),
        "at_least_once" => Ok(false),
        _ => Err(Error::new(word.span(), "write effects = at_most_once or effects = at_least_once")),
    }
}

fn host(text: LitStr) -> Result<LitStr> {
    let target = text.value();
    if target == "*" || target.contains("://") {
        return Ok(text);
    }
    Err(Error::new(text.span(), format!("a host is written with its scheme: \"https://{target}\"")))
}

pub fn kebab(text: LitStr) -> Result<LitStr> {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let name = text.value();
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('-').all(word) {
        return Ok(text);
    }
    Err(Error::new(text.span(), "a name is kebab-case, for example push-to-registry"))
}
