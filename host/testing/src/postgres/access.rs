//! The way in: addresses, and SQL by `psql`.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::{Programs, SUPERUSER, text};

/// What a connection needs to know. Outlives the server.
#[derive(Debug, Clone)]
pub struct Access {
    programs: Programs,
    pub socket_dir: PathBuf,
    pub port: u16,
}

impl Access {
    /// The port is not known before the server is started.
    pub fn new(programs: Programs, socket_dir: &Path) -> Self {
        Self { programs, socket_dir: socket_dir.to_owned(), port: 0 }
    }

    pub fn url(&self, database: &str, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// Whether somebody listens; a server that is paused does.
    pub fn is_served(&self) -> bool {
        UnixStream::connect(self.socket_dir.join(format!(".s.PGSQL.{}", self.port))).is_ok()
    }

    /// As the superuser.
    pub fn query(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut command = self.programs.command("psql", Path::new("/"));
        command.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--no-password"]);
        command.args(["-v", "ON_ERROR_STOP=1", "-p", &self.port.to_string(), "-U", SUPERUSER]);
        command.arg("-h").arg(&self.socket_dir).args(["-d", database, "-c", sql]);
        // Seconds: a server that is paused must not hold up a test for ever.
        command.env("PGCONNECT_TIMEOUT", "10").env("PGOPTIONS", "-c statement_timeout=60s");
        let ended = command.output().map_err(|error| format!("psql was not started: {error}"))?;
        if ended.status.success() {
            return String::from_utf8(ended.stdout).map(|rows| rows.trim_end().to_owned()).map_err(text);
        }
        Err(format!("`{sql}` in {database}: {}", String::from_utf8_lossy(&ended.stderr).trim_end()))
    }
}
