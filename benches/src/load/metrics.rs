//! The host's counters, from its administrator's listener.

use http::StatusCode;

use super::client::Client;
use super::error::Error;

/// A reading of the store's counters since the host's start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counters {
    /// Commits of executions that somebody waited for.
    pub commits: f64,
    /// Transactions that were made durable.
    pub flushes: f64,
}

impl Counters {
    pub async fn read(admin_url: &str) -> Result<Self, Error> {
        let mut client = Client::connect(admin_url, "").await?;
        let answer = client.get("/metrics").await?.expect("read the metrics", StatusCode::OK)?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let of = |name| value(&text, name).ok_or_else(|| Error::Metric { name, url: admin_url.to_owned() });
        Ok(Self { commits: of("quantum_store_commits")?, flushes: of("quantum_store_flushes")? })
    }

    pub fn since(self, before: Self) -> Self {
        Self { commits: self.commits - before.commits, flushes: self.flushes - before.flushes }
    }
}

/// Of a metric without labels, in Prometheus' text format.
fn value(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let text =
            "# TYPE quantum_store_commits gauge\nquantum_store_commits_more 7\nquantum_store_commits 12\n";
        assert_eq!(value(text, "quantum_store_commits"), Some(12.0));
        assert_eq!(value(text, "quantum_store"), None);
    }
}
