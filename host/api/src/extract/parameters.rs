//! Query parameters: known names only, each once unless it is a list, and typed.

use axum::extract::FromRequestParts;
use http::request::Parts;
use quantum_core::problem::{Finding, nearest};

use crate::codes;
use crate::problem::Problem;

/// Parameters of a query at most: no route has more.
const PARAMETERS_MAX: usize = 64;

/// The query, decoded, in the order written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let pairs = url::form_urlencoded::parse(query).take(PARAMETERS_MAX + 1);
        let pairs: Vec<_> = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        if pairs.len() > PARAMETERS_MAX {
            return Err(refused("", format!("a query has at most {PARAMETERS_MAX} parameters"), None));
        }
        Ok(Self(pairs))
    }
}

impl Parameters {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Refuses names that the route does not know, and names of `single` that stand there twice.
    pub fn check(&self, single: &[&str], lists: &[&str]) -> Result<(), Problem> {
        let known = || single.iter().chain(lists).copied();
        for (at, (name, _)) in self.iter().enumerate() {
            if !known().any(|one| one == name) {
                let hint = match nearest(name, known()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("known here: {}", known().collect::<Vec<_>>().join(", ")),
                };
                return Err(refused(
                    name,
                    format!("\"{name}\" is not a parameter of this route"),
                    Some(hint),
                ));
            }
            let again = self.iter().take(at).any(|(earlier, _)| earlier == name);
            if again && single.contains(&name) {
                return Err(refused(name, format!("\"{name}\" stands there twice"), None));
            }
        }
        Ok(())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        number
            .map(Some)
            .ok_or_else(|| refused(name, format!("\"{name}\" is a number from {min} to {max}"), None))
    }

    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(refused(name, format!("\"{name}\" is true or false"), None)),
        }
    }

    /// What `read` makes of the text; `accepted` is said where it makes nothing.
    pub fn read<T>(
        &self,
        name: &str,
        accepted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let problem = || refused(name, format!("\"{name}\" is {accepted}"), None);
        read(text).map(Some).ok_or_else(problem)
    }
}

fn refused(name: &str, message: String, hint: Option<String>) -> Problem {
    let mut finding = Finding::error(format!("?{name}"), codes::INVALID_PARAMETER.code, message.clone());
    finding.hint = hint;
    Problem::new(&codes::INVALID_PARAMETER).detail(message).finding(finding)
}
