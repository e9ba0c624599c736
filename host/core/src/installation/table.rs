//! The settings of an installation, worked out for each environment.

use serde_json::{Map, Value};

use super::settings::Settings;
use crate::vocabulary::Environment;

/// One lookup away from what holds in an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsTable {
    written: Settings,
    /// In the order of `Environment::ALL`.
    worked_out: Vec<Settings>,
}

impl SettingsTable {
    pub fn new(written: Settings) -> Self {
        let worked_out = Environment::ALL.iter().map(|environment| written.of(*environment)).collect();
        Self { written, worked_out }
    }

    /// Configuration and nothing else.
    pub fn of_config(config: Map<String, Value>) -> Self {
        Self::new(Settings { config, ..Settings::default() })
    }

    /// As the installer wrote them.
    pub fn written(&self) -> &Settings {
        &self.written
    }

    pub fn of(&self, environment: Environment) -> &Settings {
        self.worked_out.get(environment as usize).unwrap_or(&self.written)
    }
}

impl Default for SettingsTable {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}
