//! Who may do what: a token service of the registry's own, as Docker's token authentication describes it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::problem::Problem;
use crate::http::{Received, Reply};

/// What tokens are for; clients send it back to the token service.
const SERVICE: &str = "standin-registry";
/// How long a token is good for.
const TOKEN_TIME: Duration = Duration::from_secs(300);

/// The only user.
#[derive(Debug, Clone)]
pub struct Account {
    pub user: String,
    pub password: String,
}

/// What basic authentication sends, after its name.
pub fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// What a request does to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    Pull,
    Push,
}

impl Right {
    const fn word(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}

pub struct Access {
    /// The registry's own address: its realm.
    url: String,
    account: Account,
    tokens: Mutex<BTreeMap<String, Token>>,
}

struct Token {
    /// `repository:NAME:ACTION,ACTION`, as they were asked for.
    scopes: Vec<String>,
    end: Instant,
}

impl Access {
    pub const fn new(url: String, account: Account) -> Self {
        Self { url, account, tokens: Mutex::new(BTreeMap::new()) }
    }

    /// `GET /token`: user and password by basic authentication for a token with the scopes that are asked for.
    pub fn token(&self, request: &Received) -> Result<Reply, Problem> {
        if self.is_known(request) != Some(true) {
            let problem = Problem::new(401, "UNAUTHORIZED", "user or password is wrong");
            return Err(problem.header("www-authenticate", format!("Basic realm=\"{SERVICE}\"")));
        }
        if request.query("service") != Some(SERVICE) {
            return Err(Problem::new(400, "UNSUPPORTED", "tokens of another service are asked for"));
        }
        let scopes = request.queries("scope").flat_map(|scopes| scopes.split(' ')).map(str::to_owned);
        let token = format!("{:032x}", fastrand::u128(..));
        let issued = Token { scopes: scopes.collect(), end: Instant::now() + TOKEN_TIME };
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), issued);
        Ok(Reply::json(200, &json!({ "token": token, "expires_in": TOKEN_TIME.as_secs() })))
    }

    /// Err: 401 with what would let the client in.
    pub fn check(&self, request: &Received, repository: &str, right: Right) -> Result<(), Problem> {
        if self.may(request, repository, right) {
            return Ok(());
        }
        let actions = if right == Right::Push { "pull,push" } else { "pull" };
        Err(self.challenge(&format!(",scope=\"repository:{repository}:{actions}\"")))
    }

    /// `GET /v2/`: any token will do.
    pub fn check_version(&self, request: &Received) -> Result<(), Problem> {
        if self.with_token(request, |_| true) { Ok(()) } else { Err(self.challenge("")) }
    }

    pub fn may(&self, request: &Received, repository: &str, right: Right) -> bool {
        let wanted = format!("repository:{repository}:");
        self.with_token(request, |token| {
            let actions = token.scopes.iter().filter_map(|scope| scope.strip_prefix(&wanted));
            actions.flat_map(|actions| actions.split(',')).any(|action| action == right.word())
        })
    }

    fn with_token(&self, request: &Received, judge: impl FnOnce(&Token) -> bool) -> bool {
        let Some((scheme, text)) = request.authorization() else { return false };
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let token = tokens.get(text).filter(|token| scheme == "bearer" && Instant::now() < token.end);
        token.is_some_and(judge)
    }

    fn challenge(&self, scope: &str) -> Problem {
        let realm = format!("Bearer realm=\"{}/token\",service=\"{SERVICE}\"{scope}", self.url);
        Problem::new(401, "UNAUTHORIZED", "authentication required").header("www-authenticate", realm)
    }

    /// None: there are no credentials in the request.
    fn is_known(&self, request: &Received) -> Option<bool> {
        let (scheme, text) = request.authorization()?;
        Some(scheme == "basic" && text == basic(&self.account.user, &self.account.password))
    }
}
