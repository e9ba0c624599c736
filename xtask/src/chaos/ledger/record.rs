//! One request as the ledger keeps it: a line of JSON, on the disk before anybody is answered.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plan::Kind;
use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, of all records.
    pub number: u64,
    /// As the request carried it; empty: it carried none.
    pub idempotency_key: String,
    /// Of the execution: its input.
    pub key: String,
    /// Which effect of the execution: a step, an element of one, or what undoes one.
    pub label: String,
    pub kind: Kind,
}

/// Lines that are on the disk when `append` returns.
pub struct Lines {
    file: File,
}

impl Lines {
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { file: File::create_new(path).map_err(Error::file(path))? })
    }

    /// After a crash before it returns, the line may be cut; after it returns it is there.
    pub fn append<T: Serialize>(&mut self, record: &T) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}

/// All records of a file, in order.
pub fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let record = |number, kind| Record {
            number,
            idempotency_key: "e/s/run".to_owned(),
            key: "1-1".to_owned(),
            label: "s".to_owned(),
            kind,
        };
        let records = [record(1, Kind::Busy { after_s: 1 }), record(2, Kind::Done)];
        let mut lines = Lines::create(&path).unwrap();
        records.iter().for_each(|record| lines.append(record).unwrap());
        assert_eq!(read::<Record>(&path).unwrap(), records);
        assert!(Lines::create(&path).is_err(), "a run never writes into the file of another");
    }
}
