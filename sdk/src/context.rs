//! What a running attempt may know and do. The calls go to the host (in a component) or to `testing::Host`; which one
//! is chosen at compile time, so that calls are static and what a plugin does not use is not imported.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::artifacts::Artifacts;
use crate::failure::{Failure, Result};
use crate::http::Client;
use crate::kv::Kv;
use crate::log::Log;
use crate::secrets::{self, Secret, Secrets};

#[cfg(target_family = "wasm")]
pub(crate) use crate::guest::{AnswerBody, ArtifactReader, ArtifactWriter, Host};
#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::{AnswerBody, ArtifactReader, ArtifactWriter, Host};

/// Milliseconds of one piece of a sleep: how late a cancelled execution is noticed.
const SLEEP_PIECE_MS: u64 = 250;

/// The running attempt. The host's functions stand behind it; see each method for the capability it needs.
///
/// ```
/// let host = quantum_sdk::testing::Host::new();
/// let ctx = host.context();
/// assert_eq!(ctx.attempt(), 1);
/// assert!(!ctx.dry_run());
/// ```
#[derive(Debug)]
pub struct Context {
    host: Host,
}

impl Context {
    pub(crate) const fn new(host: Host) -> Self {
        Self { host }
    }

    /// Log lines of this attempt.
    ///
    /// ```
    /// # let host = quantum_sdk::testing::Host::new();
    /// host.context().log().info("started", &[]);
    /// # assert_eq!(host.logs()[0].message, "started");
    /// ```
    pub const fn log(&self) -> Log<'_> {
        Log::new(&self.host)
    }

    /// Tells how far the action is, 0 to 100.
    ///
    /// ```
    /// # let host = quantum_sdk::testing::Host::new();
    /// host.context().progress(50, "half of the layers are pushed");
    /// assert_eq!(host.progress(), [(50, "half of the layers are pushed".to_owned())]);
    /// ```
    pub fn progress(&self, percent: u8, message: &str) {
        self.host.report_progress(percent.min(100), message);
    }

    /// Outgoing HTTP. Needs `#[action(http = …)]`.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// let host = Host::new();
    /// host.answer("GET", "https://api.example.com/", Answer::status(204));
    /// assert_eq!(host.context().http().get("https://api.example.com/").send().unwrap().status(), 204);
    /// ```
    pub const fn http(&self) -> Client<'_> {
        Client::new(&self.host)
    }

    /// Bytes between steps and from outside, as streams. Needs `#[action(artifacts)]`.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().artifact("notes", None, b"remember");
    /// assert_eq!(host.context().artifacts().stat("notes").unwrap().unwrap().size, 8);
    /// ```
    pub const fn artifacts(&self) -> Artifacts<'_> {
        Artifacts::new(&self.host)
    }

    /// Small values of the tenant and this plugin that outlive the execution. Needs `#[action(kv)]`.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new();
    /// host.context().kv().set("last", "v1").unwrap();
    /// assert_eq!(host.kv("last").as_deref(), Some(&b"v1"[..]));
    /// ```
    pub const fn kv(&self) -> Kv<'_> {
        Kv::new(&self.host)
    }

    /// The placeholder of a secret: the host puts the value in when a request leaves. Needs `#[action(secrets("NAME"))]`.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("TOKEN", "s3cret");
    /// let token = host.context().secret("TOKEN").unwrap();
    /// assert_eq!(token.bearer(), format!("Bearer {}", host.secret_placeholder("TOKEN")));
    /// ```
    pub fn secret(&self, name: &str) -> Result<Secret, secrets::Error> {
        self.secrets().get(name)
    }

    /// What the host does with secrets: Basic logins, signatures, and revealing them.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("KEY", "key");
    /// assert_eq!(host.context().secrets().hmac_sha256("KEY", b"message").unwrap().len(), 32);
    /// ```
    pub const fn secrets(&self) -> Secrets<'_> {
        Secrets::new(&self.host)
    }

    /// The execution that this attempt belongs to.
    ///
    /// ```
    /// # let host = quantum_sdk::testing::Host::new();
    /// assert_eq!(host.context().execution(), "00000000-0000-7000-8000-000000000000");
    /// ```
    pub fn execution(&self) -> String {
        self.host.execution()
    }

    /// The step's id in its intent.
    ///
    /// ```
    /// # let host = quantum_sdk::testing::Host::new();
    /// assert_eq!(host.context().step(), "step");
    /// ```
    pub fn step(&self) -> String {
        self.host.step()
    }

    /// Which try this is, from 1.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().attempt(2);
    /// assert_eq!(host.context().attempt(), 2);
    /// ```
    pub fn attempt(&self) -> u32 {
        self.host.attempt_number()
    }

    /// The same for all attempts of one step: hand it to services that take one.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new();
    /// assert_eq!(host.context().idempotency_key(), host.context().idempotency_key());
    /// ```
    pub fn idempotency_key(&self) -> String {
        self.host.idempotency_key()
    }

    /// When this attempt is ended, in milliseconds since the Unix epoch; none without a limit.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().deadline_in(1_000);
    /// assert!(host.context().deadline().is_some());
    /// ```
    pub fn deadline(&self) -> Option<u64> {
        self.host.deadline()
    }

    /// How much time is left until the deadline. Needs `#[action(clock)]`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let host = quantum_sdk::testing::Host::new().deadline_in(1_000);
    /// assert_eq!(host.context().remaining(), Some(Duration::from_secs(1)));
    /// ```
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.host.deadline()?;
        Some(Duration::from_millis(deadline.saturating_sub(self.host.now_ms())))
    }

    /// The time, in milliseconds since the Unix epoch. Needs `#[action(clock)]`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let ctx = quantum_sdk::testing::Host::new().context();
    /// let before = ctx.now();
    /// ctx.sleep(Duration::from_secs(5)).unwrap();
    /// assert_eq!(ctx.now() - before, 5_000);
    /// ```
    pub fn now(&self) -> u64 {
        self.host.now_ms()
    }

    /// Waits; ends early with [`Failure::Cancelled`] when the execution is being cancelled. Needs `#[action(clock)]`.
    /// In a native test the clock jumps instead.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use quantum_sdk::Failure;
    /// let host = quantum_sdk::testing::Host::new().cancel_in(700);
    /// assert_eq!(host.context().sleep(Duration::from_secs(60)), Err(Failure::Cancelled));
    /// ```
    pub fn sleep(&self, wait: Duration) -> Result<()> {
        let mut left_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        loop {
            if self.cancelled() {
                return Err(Failure::Cancelled);
            }
            if left_ms == 0 {
                return Ok(());
            }
            let piece_ms = left_ms.min(SLEEP_PIECE_MS);
            self.host.sleep_ms(piece_ms);
            left_ms -= piece_ms;
        }
    }

    /// True when the action must have no side effects and say what it would do. Means something for actions that are
    /// declared with `#[action(dry_run)]`; the others are not started in a dry run.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().dry_run(true);
    /// assert!(host.context().dry_run());
    /// ```
    pub fn dry_run(&self) -> bool {
        self.host.is_dry_run()
    }

    /// True once the execution is being cancelled: poll it in long work and return [`Failure::Cancelled`].
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().cancel_in(0);
    /// assert!(host.context().cancelled());
    /// ```
    pub fn cancelled(&self) -> bool {
        self.host.cancelled()
    }

    /// The W3C `traceparent` of this attempt.
    ///
    /// ```
    /// assert_eq!(quantum_sdk::testing::Host::new().context().trace_parent(), None);
    /// ```
    pub fn trace_parent(&self) -> Option<String> {
        self.host.trace_parent()
    }

    /// The installation's configuration, as the type given to `plugin!(…; config = Type)`.
    ///
    /// ```
    /// # use serde_json::json;
    /// #[derive(serde::Deserialize)]
    /// struct Settings { region: String }
    ///
    /// let host = quantum_sdk::testing::Host::new().config(json!({ "region": "north" }));
    /// assert_eq!(host.context().config::<Settings>().unwrap().region, "north");
    /// ```
    pub fn config<T: DeserializeOwned>(&self) -> Result<T> {
        let text = self.host.config_text();
        crate::json::read(&text).map_err(|error| {
            Failure::permanent(
                "invalid-config",
                format!("the installation's configuration does not fit: {error}"),
            )
        })
    }
}
