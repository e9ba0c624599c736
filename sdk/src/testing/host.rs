//! The host that a native test scripts and looks into.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;

use serde_json::Value;

use super::Answer;
use crate::action::{self, Action};
use crate::context::Context;
use crate::failure::Result;
use crate::http::{Error, ErrorKind, Outgoing, Response, Url};
use crate::log::Level;

/// When the scripted clock starts: 2025-01-01T00:00:00Z in milliseconds.
const START_MS: u64 = 1_735_689_600_000;

/// A scripted host; clones share their state.
///
/// ```
/// let host = quantum_sdk::testing::Host::new().attempt(3).dry_run(true).deadline_in(60_000);
/// assert_eq!(host.context().attempt(), 3);
/// ```
#[derive(Debug, Clone)]
pub struct Host {
    state: Rc<RefCell<State>>,
}

/// One line that the action logged.
///
/// ```
/// let host = quantum_sdk::testing::Host::new();
/// host.context().log().info("hi", &[("n", &1)]);
/// assert_eq!(host.logs()[0].field("n"), Some("1"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// Its text.
    pub message: String,
    /// Names and JSON texts.
    pub fields: Vec<(String, String)>,
}

impl LogLine {
    /// The JSON text of a field.
    ///
    /// ```
    /// # use quantum_sdk::{Level, testing::LogLine};
    /// let line = LogLine { level: Level::Info, message: String::new(), fields: vec![("n".into(), "1".into())] };
    /// assert_eq!(line.field("n"), Some("1"));
    /// ```
    pub fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }
}

/// One request that the action sent.
///
/// ```
/// # use quantum_sdk::testing::{Answer, Host};
/// # let host = Host::new();
/// # host.answer("GET", "https://a.example/", Answer::status(200));
/// # host.context().http().get("https://a.example/").send().unwrap();
/// assert_eq!(host.requests()[0].method, "GET");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRequest {
    /// For example `GET`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// In their order.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl SentRequest {
    /// The first header of this name, in any case.
    ///
    /// ```
    /// # use quantum_sdk::testing::SentRequest;
    /// let sent = SentRequest { method: "GET".into(), url: String::new(), headers: vec![], body: vec![] };
    /// assert_eq!(sent.header("accept"), None);
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[derive(Debug)]
struct State {
    now_ms: u64,
    attempt: u32,
    dry_run: bool,
    deadline_ms: Option<u64>,
    cancelled_at_ms: Option<u64>,
    config: Value,
    script: VecDeque<(String, String, Answer)>,
    sent: Vec<SentRequest>,
    logs: Vec<LogLine>,
    progress: Vec<(u8, String)>,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

/// Scripting and looking.
impl Host {
    /// A first attempt, without a deadline, without configuration; every request fails the test until it is scripted.
    ///
    /// ```
    /// quantum_sdk::testing::Host::new();
    /// ```
    pub fn new() -> Self {
        let state = State {
            now_ms: START_MS,
            attempt: 1,
            dry_run: false,
            deadline_ms: None,
            cancelled_at_ms: None,
            config: Value::Object(serde_json::Map::new()),
            script: VecDeque::new(),
            sent: Vec::new(),
            logs: Vec::new(),
            progress: Vec::new(),
        };
        Self { state: Rc::new(RefCell::new(state)) }
    }

    /// Which attempt this is.
    ///
    /// ```
    /// assert_eq!(quantum_sdk::testing::Host::new().attempt(2).context().attempt(), 2);
    /// ```
    #[must_use]
    pub fn attempt(self, attempt: u32) -> Self {
        self.change().attempt = attempt;
        self
    }

    /// Whether it is a dry run.
    ///
    /// ```
    /// assert!(quantum_sdk::testing::Host::new().dry_run(true).context().dry_run());
    /// ```
    #[must_use]
    pub fn dry_run(self, dry_run: bool) -> Self {
        self.change().dry_run = dry_run;
        self
    }

    /// A deadline so many milliseconds from now.
    ///
    /// ```
    /// assert!(quantum_sdk::testing::Host::new().deadline_in(10).context().deadline().is_some());
    /// ```
    #[must_use]
    pub fn deadline_in(self, ms: u64) -> Self {
        let deadline_ms = self.look().now_ms + ms;
        self.change().deadline_ms = Some(deadline_ms);
        self
    }

    /// The execution is cancelled so many milliseconds from now.
    ///
    /// ```
    /// assert!(!quantum_sdk::testing::Host::new().cancel_in(10).context().cancelled());
    /// ```
    #[must_use]
    pub fn cancel_in(self, ms: u64) -> Self {
        let at_ms = self.look().now_ms + ms;
        self.change().cancelled_at_ms = Some(at_ms);
        self
    }

    /// The installation's configuration.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().config(serde_json::json!([1]));
    /// assert_eq!(host.context().config::<Vec<u8>>().unwrap(), [1]);
    /// ```
    #[must_use]
    pub fn config(self, config: Value) -> Self {
        self.change().config = config;
        self
    }

    /// Scripts one answer. Answers to the same request come in the order in which they were scripted, each once.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// let host = Host::new();
    /// host.answer("GET", "https://a.example/", Answer::status(503));
    /// host.answer("GET", "https://a.example/", Answer::status(200));
    /// let get = || host.context().http().get("https://a.example/").send().unwrap().status();
    /// assert_eq!((get(), get()), (503, 200));
    /// ```
    pub fn answer(&self, method: &str, url: &str, answer: Answer) {
        self.change().script.push_back((method.to_owned(), url.to_owned(), answer));
    }

    /// The context to call an action's function with.
    ///
    /// ```
    /// assert_eq!(quantum_sdk::testing::Host::new().context().attempt(), 1);
    /// ```
    pub fn context(&self) -> Context {
        Context::new(self.clone())
    }

    /// Runs an action as the real host does: JSON in, JSON out.
    ///
    /// # Panics
    /// When the action's result is not JSON.
    ///
    /// ```
    /// # use quantum_sdk::prelude::*;
    /// /// Doubles a number.
    /// #[action(no_side_effects)]
    /// fn double(_ctx: &Context, n: i64) -> Result<i64> {
    ///     Ok(2 * n)
    /// }
    /// # use quantum_sdk::testing::Host;
    /// assert_eq!(Host::new().run::<double>(21.into()).unwrap(), 42);
    /// assert_eq!(Host::new().run::<double>("x".into()).unwrap_err().problem().unwrap().code, "invalid-parameters");
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "tests hand over json!(…)")]
    pub fn run<A: Action>(&self, parameters: Value) -> Result<Value> {
        let text = action::run::<A>(&self.context(), &parameters.to_string())?;
        Ok(serde_json::from_str(&text).expect("serde_json reads what it wrote"))
    }

    /// Everything that was sent, in order.
    ///
    /// ```
    /// assert!(quantum_sdk::testing::Host::new().requests().is_empty());
    /// ```
    pub fn requests(&self) -> Vec<SentRequest> {
        self.look().sent.clone()
    }

    /// Everything that was logged, in order.
    ///
    /// ```
    /// assert!(quantum_sdk::testing::Host::new().logs().is_empty());
    /// ```
    pub fn logs(&self) -> Vec<LogLine> {
        self.look().logs.clone()
    }

    /// Every progress report, in order.
    ///
    /// ```
    /// assert!(quantum_sdk::testing::Host::new().progress().is_empty());
    /// ```
    pub fn progress(&self) -> Vec<(u8, String)> {
        self.look().progress.clone()
    }

    fn look(&self) -> Ref<'_, State> {
        self.state.borrow()
    }

    fn change(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }
}

/// What the context calls; the same names as in a component.
impl Host {
    pub(crate) fn execution(&self) -> String {
        "00000000-0000-7000-8000-000000000000".to_owned()
    }

    pub(crate) fn step(&self) -> String {
        "step".to_owned()
    }

    pub(crate) fn attempt_number(&self) -> u32 {
        self.look().attempt
    }

    pub(crate) fn idempotency_key(&self) -> String {
        "idempotency-key".to_owned()
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        self.look().deadline_ms
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.look().dry_run
    }

    pub(crate) fn cancelled(&self) -> bool {
        let state = self.look();
        state.cancelled_at_ms.is_some_and(|at_ms| at_ms <= state.now_ms)
    }

    pub(crate) fn trace_parent(&self) -> Option<String> {
        None
    }

    pub(crate) fn config_text(&self) -> String {
        self.look().config.to_string()
    }

    pub(crate) fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
        let line = LogLine { level, message: message.to_owned(), fields: fields.to_vec() };
        self.change().logs.push(line);
    }

    pub(crate) fn report_progress(&self, percent: u8, message: &str) {
        self.change().progress.push((percent, message.to_owned()));
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.look().now_ms
    }

    pub(crate) fn sleep_ms(&self, ms: u64) {
        self.change().now_ms += ms;
    }

    pub(crate) fn send(&self, outgoing: &Outgoing, _url: Url<'_>) -> Result<Response, Error> {
        let Outgoing { method, url, headers, body, timeout } = outgoing.clone();
        let fail = |kind, reason: &str| Error::new(kind, &method, &url, reason);
        let answer = self.next_answer(&method, &url);
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let mut state = self.change();
        state.sent.push(SentRequest { method: method.clone(), url: url.clone(), headers, body });
        state.now_ms += answer.takes_ms.min(timeout_ms);
        if answer.takes_ms > timeout_ms {
            return Err(fail(ErrorKind::Timeout, "no answer in time"));
        }
        let status = answer.outcome.map_err(|kind| fail(kind, "scripted to fail"))?;
        Ok(Response { method, url, status, headers: answer.headers, body: answer.body })
    }

    #[expect(clippy::panic, reason = "a request that no test scripted must fail the test")]
    fn next_answer(&self, method: &str, url: &str) -> Answer {
        let mut state = self.change();
        let at = state.script.iter().position(|(m, u, _)| m == method && u == url);
        match at.and_then(|at| state.script.remove(at)) {
            Some((_, _, answer)) => answer,
            None => panic!(
                "no answer is left for {method} {url}; script one with host.answer(\"{method}\", \"{url}\", …)"
            ),
        }
    }
}
