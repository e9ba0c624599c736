//! What a test may choose of its server.

use std::fmt::Write;

/// Connections of all tests of a process together.
const CONNECTIONS_MAX: u32 = 200;

/// The default is fast: nothing is synced, and a crash of the machine, which no test makes, would lose everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Sync as in production.
    pub fsync: bool,
    /// Names and values for `postgresql.conf`; the last of a name counts.
    pub extra: Vec<(String, String)>,
}

impl Settings {
    /// Lines for `postgresql.conf`.
    pub(super) fn lines(&self, socket_dir: &str) -> String {
        let fsync = if self.fsync { "on" } else { "off" };
        let connections = CONNECTIONS_MAX.to_string();
        let own = [
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", socket_dir),
            ("max_connections", connections.as_str()),
            ("fsync", fsync),
            ("full_page_writes", fsync),
            ("shared_buffers", "32MB"),
            ("jit", "off"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_line_prefix", "%m [%p] %q%d "),
        ];
        let extra = self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut lines = String::from("\n# For tests\n");
        for (name, value) in own.into_iter().chain(extra) {
            _ = writeln!(lines, "{name} = '{}'", value.replace('\'', "''"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_adds_comes_last_and_is_quoted() {
        let extra = vec![("application_name".to_owned(), "it's".to_owned())];
        let lines = Settings { fsync: true, extra }.lines("/tmp/x");
        assert!(lines.ends_with("application_name = 'it''s'\n"), "{lines}");
        assert!(lines.contains("fsync = 'on'\n"), "{lines}");
        assert!(Settings::default().lines("/tmp/x").contains("fsync = 'off'\n"));
    }
}
