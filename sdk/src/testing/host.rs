//! The host that a native test scripts and looks into.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use serde_json::Value;

use super::answer::Answer;
use super::artifacts::Shelf;
use super::kv::Table;
use super::record::{LogLine, SentRequest};
use crate::action::{self, Action};
use crate::context::Context;
use crate::failure::Result;

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

/// What a script says and an action did.
#[derive(Debug)]
pub(super) struct State {
    pub now_ms: u64,
    pub attempt: u32,
    pub dry_run: bool,
    pub deadline_ms: Option<u64>,
    pub cancelled_at_ms: Option<u64>,
    pub config: Value,
    pub script: VecDeque<(String, String, Answer)>,
    pub sent: Vec<SentRequest>,
    pub logs: Vec<LogLine>,
    pub progress: Vec<(u8, String)>,
    pub artifacts: Shelf,
    pub kv: Table,
    /// Names and values.
    pub secrets: BTreeMap<String, String>,
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
            artifacts: Shelf::default(),
            kv: Table::default(),
            secrets: BTreeMap::new(),
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

    pub(super) fn look(&self) -> Ref<'_, State> {
        self.state.borrow()
    }

    pub(super) fn change(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }
}
