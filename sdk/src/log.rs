//! Structured log lines of the running attempt.

use serde::Serialize;

use crate::context::Host;

/// How much a line matters.
///
/// ```
/// assert_eq!(quantum_sdk::Level::Warn.as_str(), "warn");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every small thing.
    Trace,
    /// For whoever debugs the plugin.
    Debug,
    /// For whoever follows the execution.
    Info,
    /// Something is not as it should be; the action goes on.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    /// The word that the host writes.
    ///
    /// ```
    /// assert_eq!(quantum_sdk::Level::Info.as_str(), "info");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Anything that can stand as a field of a log line: every `Serialize` value.
///
/// ```
/// use quantum_sdk::Field;
/// assert_eq!(3.json(), "3");
/// ```
pub trait Field {
    /// The value as JSON text; `null` when it has none.
    fn json(&self) -> String;
}

impl<T: Serialize + ?Sized> Field for T {
    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "null".to_owned())
    }
}

/// Writes log lines; from [`Context::log`](crate::Context::log).
///
/// ```
/// # let host = quantum_sdk::testing::Host::new();
/// # let ctx = host.context();
/// ctx.log().info("pushed", &[("digest", &"sha256:00"), ("bytes", &1024)]);
/// assert_eq!(host.logs()[0].field("bytes"), Some("1024"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Log<'a> {
    host: &'a Host,
}

impl<'a> Log<'a> {
    pub(crate) const fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// Writes one line.
    ///
    /// ```
    /// # use quantum_sdk::Level;
    /// # let host = quantum_sdk::testing::Host::new();
    /// # let ctx = host.context();
    /// ctx.log().write(Level::Warn, "slow answer", &[("ms", &900)]);
    /// # assert_eq!(host.logs()[0].level, Level::Warn);
    /// ```
    pub fn write(&self, level: Level, message: &str, fields: &[(&str, &dyn Field)]) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect();
        self.host.log(level, message, &fields);
    }

    /// For whoever debugs the plugin.
    ///
    /// ```
    /// # let host = quantum_sdk::testing::Host::new();
    /// host.context().log().debug("connected", &[]);
    /// # assert_eq!(host.logs().len(), 1);
    /// ```
    pub fn debug(&self, message: &str, fields: &[(&str, &dyn Field)]) {
        self.write(Level::Debug, message, fields);
    }

    /// For whoever follows the execution.
    ///
    /// ```
    /// # let host = quantum_sdk::testing::Host::new();
    /// host.context().log().info("pushed", &[]);
    /// # assert_eq!(host.logs().len(), 1);
    /// ```
    pub fn info(&self, message: &str, fields: &[(&str, &dyn Field)]) {
        self.write(Level::Info, message, fields);
    }

    /// Something is not as it should be; the action goes on.
    ///
    /// ```
    /// # let host = quantum_sdk::testing::Host::new();
    /// host.context().log().warn("slow answer", &[]);
    /// # assert_eq!(host.logs().len(), 1);
    /// ```
    pub fn warn(&self, message: &str, fields: &[(&str, &dyn Field)]) {
        self.write(Level::Warn, message, fields);
    }

    /// Something failed.
    ///
    /// ```
    /// # let host = quantum_sdk::testing::Host::new();
    /// host.context().log().error("push refused", &[]);
    /// # assert_eq!(host.logs().len(), 1);
    /// ```
    pub fn error(&self, message: &str, fields: &[(&str, &dyn Field)]) {
        self.write(Level::Error, message, fields);
    }
}
