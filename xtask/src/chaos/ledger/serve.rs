//! The ledger's own process: `POST /effect/PLAN/LABEL/KEY`. It ends when its standard input does, so that it never
//! outlives the run that started it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::plan::{Act, Kind, Plan};
use super::record::{Lines, Record};
use crate::error::{Error, Result};
use crate::http::{Received, Reply, Server};

/// Writes its address as one line to standard output, then serves.
pub fn serve(path: &Path) -> Result<()> {
    let book = Mutex::new(Book { lines: Lines::create(path)?, records: 0, requests: HashMap::new() });
    let book = Arc::new(book);
    let (listener, url) = Server::bind()?;
    let _server = Server::start(listener, move |request| answer(&book, request))?;
    let mut out = std::io::stdout();
    writeln!(out, "{url}").and_then(|()| out.flush()).map_err(Error::file("standard output"))?;
    // Whoever holds the other end has gone.
    _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}

struct Book {
    lines: Lines,
    records: u64,
    /// Requests so far, by label, key and idempotency key.
    requests: HashMap<[String; 3], u32>,
}

fn answer(book: &Mutex<Book>, request: &Received) -> Reply {
    let segments = request.segments();
    let ["effect", plan, label, key] = segments.as_slice() else { return Reply::empty(404) };
    let Ok(plan) = plan.parse::<Plan>() else { return Reply::empty(400) };
    let idempotency_key = request.header("idempotency-key").unwrap_or_default().to_owned();
    let place = [(*label).to_owned(), (*key).to_owned(), idempotency_key];
    let noted = book.lock().unwrap_or_else(PoisonError::into_inner).note(plan, place);
    match noted {
        Ok((act, number)) => {
            late(act.late_ms);
            reply(act.kind, number)
        }
        // Whether the line is on the disk is not known, so nobody is told that it is.
        Err(_) => Reply::none(),
    }
}

impl Book {
    fn note(&mut self, plan: Plan, place: [String; 3]) -> std::io::Result<(Act, u64)> {
        let nth = self.requests.entry(place.clone()).or_default();
        *nth += 1;
        let act = plan.act(*nth);
        self.records += 1;
        let [label, key, idempotency_key] = place;
        let record = Record { number: self.records, idempotency_key, key, label, kind: act.kind };
        self.lines.append(&record)?;
        Ok((act, self.records))
    }
}

fn reply(kind: Kind, number: u64) -> Reply {
    match kind {
        Kind::Done => Reply::json(200, &json!({ "record": number })),
        Kind::Busy { after_s } => Reply::empty(503).header("retry-after", after_s.to_string()),
        Kind::Gone => Reply::empty(404),
        Kind::Cut | Kind::Shut => Reply::none(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a service that is late has nothing to wait for")]
fn late(millis: u32) {
    if millis > 0 {
        std::thread::sleep(Duration::from_millis(millis.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::ledger::read;
    use crate::http::{Request, send};

    #[test]
    fn each_request_is_on_the_disk_before_it_is_answered_or_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let book = Book { lines: Lines::create(&path).unwrap(), records: 0, requests: HashMap::new() };
        let book = Mutex::new(book);
        let (listener, url) = Server::bind().unwrap();
        let _server = Server::start(listener, move |request| answer(&book, request)).unwrap();
        let post = |path: &str, key: &str| {
            let headers = [("idempotency-key", key)];
            let answer = send(&url, Request { method: "POST", path, headers: &headers, body: "" });
            answer.map_or(0, |answer| answer.status)
        };
        assert_eq!(post("/effect/cut.1/push/1-1", "k"), 0);
        assert_eq!(post("/effect/cut.1/push/1-1", "k"), 200);
        assert_eq!(post("/effect/busy.1.0/pull/1-1", "l"), 503);
        assert_eq!((post("/effect/what/pull/1-1", "l"), post("/other", "l")), (400, 404));
        let kinds: Vec<Kind> = read::<Record>(&path).unwrap().iter().map(|record| record.kind).collect();
        assert_eq!(kinds, [Kind::Cut, Kind::Done, Kind::Busy { after_s: 0 }]);
    }
}
