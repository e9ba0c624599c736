//! Which executions a program has found that it does not understand, and so leaves to newer ones.
//!
//! Such an execution is owned by a mark in the place of a node. It names no node, so that whoever reads more takes it over
//! like what a dead node had; whoever reads as much or less passes it over. Programs that know no marks do not take part.

use quantum_core::machine::EVENT_FORMAT;
use quantum_core::plan::PLAN_FORMAT;

use super::Nodes;
use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Query};

/// No node's id is one: those end with a UUID.
const PREFIX: &str = "unread-by-";
/// Owners that may be a mark: those between the prefix and what comes after all texts that start with it.
const UNREAD: &str = "SELECT owner, count(*) FROM executions WHERE ended_at IS NULL AND owner >= 'unread-by-' \
     AND owner < 'unread-by.' GROUP BY owner ORDER BY owner";

/// How much a program reads. Who reads more is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader {
    /// Grows with the format of events, and with that of plans.
    formats: u32,
    /// Of the program, so that a repaired one tries again.
    version: [u32; 3],
}

impl Reader {
    /// This program.
    pub fn this() -> Self {
        let version = parse_version(env!("CARGO_PKG_VERSION")).unwrap_or_default();
        Self { formats: EVENT_FORMAT + PLAN_FORMAT, version }
    }

    /// Whose mark it is. None: it is a node's id.
    pub fn of(owner: &str) -> Option<Self> {
        let (formats, version) = owner.strip_prefix(PREFIX)?.split_once('-')?;
        Some(Self { formats: formats.parse().ok()?, version: parse_version(version)? })
    }

    /// What stands in the place of the owner.
    pub fn mark(&self) -> String {
        let [major, minor, patch] = self.version;
        format!("{PREFIX}{}-{major}.{minor}.{patch}", self.formats)
    }
}

fn parse_version(text: &str) -> Option<[u32; 3]> {
    let text = text.split(['-', '+']).next()?;
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

impl Nodes<'_> {
    /// Executions that wait for a program that reads more than this one.
    pub async fn unread(&self) -> Result<u64, Error> {
        let mut conn = self.store.read_as(Access::Platform).await?;
        let mut count = 0;
        for row in Query::new(UNREAD).fetch_all(&mut conn).await? {
            let mut columns = Columns::new(&row, "executions");
            let is_left = Reader::of(columns.text()?).is_some_and(|reader| reader >= Reader::this());
            count += if is_left { columns.number()? } else { 0 };
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_who_left_it_and_no_node_is_called_like_one() {
        let this = Reader::this();
        assert_eq!(Reader::of(&this.mark()), Some(this));
        for node in
            ["n1-0196c0de-0000-7000-8000-000000000001", "unread-by-4-0196c0de-0000-7000-8000-000000000001"]
        {
            assert_eq!(Reader::of(node), None, "{node}");
        }
    }

    #[test]
    fn who_reads_a_newer_format_or_is_a_newer_program_is_greater() {
        let mark = |mark: &str| Reader::of(mark).unwrap();
        assert!(mark("unread-by-4-9.9.9") < mark("unread-by-5-0.1.0"));
        assert!(mark("unread-by-4-0.9.0") < mark("unread-by-4-0.10.0"));
        assert!(mark("unread-by-1-0.0.1") < Reader::this());
    }
}
