//! Telling a registry who asks. Passwords are placeholders here; the host puts them in, and only toward where the secret is
//! bound to. Tokens are seen and kept for this attempt, and never logged.

use quantum_sdk::http::Stream;
use quantum_sdk::prelude::*;

use super::challenge::{self, Challenge};
use super::client::Client;
use super::location::{self, Location};
use super::refusal::UNAUTHORIZED;
use crate::settings::{Identity, PASSWORD};

const ASKING: &str = "get a token";

/// A service's answer; two names of the same, by the distribution project and by OAuth.
#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

impl Client<'_> {
    /// The header that answers a challenge; none: there is nothing to say that was not said.
    pub(super) fn authorize(&self, answer: &Stream) -> Result<Option<String>> {
        let headers = answer.headers().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
        let challenges = challenge::read(headers.map(|(_, value)| value));
        let bearer = challenges.iter().find_map(|challenge| match challenge {
            Challenge::Bearer { realm, service } => Some((realm, service.as_deref())),
            Challenge::Basic => None,
        });
        let password = |user: &str| self.ctx.secrets().basic(user, PASSWORD);
        match (&self.identity, bearer) {
            (Identity::Basic { .. }, _) | (Identity::Anonymous, None) => Ok(None),
            (Identity::Anonymous, Some((realm, service))) => self.token(realm, service, None).map(Some),
            (Identity::Token { user }, Some((realm, service))) => {
                self.token(realm, service, Some(password(user)?)).map(Some)
            }
            (Identity::Token { user }, None) => {
                let asked = challenges.contains(&Challenge::Basic);
                Ok(asked.then(|| password(user)).transpose()?)
            }
        }
    }

    /// Asks the service that the registry named. That is another host as a rule, which the installer allows and binds the
    /// secret to; what the registry says alone does not make anything go there.
    fn token(&self, realm: &str, service: Option<&str>, password: Option<String>) -> Result<String> {
        let url = match location::read(realm, &self.host, "/") {
            Location::Here(path) => self.url(&path),
            Location::Elsewhere { url, .. } => url,
        };
        let mut request = self.ctx.http().get(with_query(&url, service, &self.scopes));
        if let Some(password) = password {
            request = request.header("authorization", password);
        }
        let answer = request.send()?;
        match answer.status() {
            200 => {}
            status @ (401 | 403) => {
                let message = format!("failed to {ASKING}: {url} answered {status}: {}", self.who_could());
                return Err(Failure::permanent(UNAUTHORIZED, message));
            }
            _ => return Err(self.refused(&answer, ASKING)),
        }
        // Its text must not get into a message: it may hold the token.
        let Token { token, access_token } = serde_json::from_slice(answer.bytes())
            .map_err(|_| self.misunderstood(ASKING, "with something that is no token"))?;
        let token = token.or(access_token).filter(|token| !token.is_empty() && is_visible(token));
        let token = token.ok_or_else(|| self.misunderstood(ASKING, "without a token"))?;
        Ok(format!("Bearer {token}"))
    }
}

/// What a header can hold.
fn is_visible(token: &str) -> bool {
    token.bytes().all(|b| b.is_ascii_graphic())
}

fn with_query(url: &str, service: Option<&str>, scopes: &[String]) -> String {
    let service = service.map(|service| ("service", service));
    let scopes = scopes.iter().map(|scope| ("scope", scope.as_str()));
    let mut url = url.to_owned();
    for (name, value) in service.into_iter().chain(scopes) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&format!("{name}={}", encoded(value)));
    }
    url
}

/// What a query can hold as it is stays, so that scopes are readable in a log.
fn encoded(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_the_service_and_every_scope() {
        let scopes = ["repository:a/b:pull,push".to_owned(), "repository:c:pull".to_owned()];
        assert_eq!(
            with_query("https://auth.example/token?x=1", Some("My registry & co"), &scopes),
            "https://auth.example/token?x=1&service=My%20registry%20%26%20co&scope=repository:a/b:pull,push\
            &scope=repository:c:pull"
        );
        assert_eq!(with_query("https://auth.example/token", None, &[]), "https://auth.example/token");
    }
}
