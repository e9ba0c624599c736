//! A write-ahead log that ends anywhere, or is damaged: the database opens at a state that was committed.

use std::fs;
use std::path::Path;

use quantum_core::port::BoxFuture;
use quantum_store::conformance::{commit, create, execution_id, scope, with_tenants};
use quantum_store::{Error, Store, StoreOptions};
use tempfile::TempDir;

use crate::{folder, open, options};

/// Bytes of the log's own head, and of the head of each frame. <https://sqlite.org/fileformat.html#the_write_ahead_log>
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;
const FRAME: usize = FRAME_HEAD + 4096;
/// Commits that are cut into; those before them are there in any case.
const CUT: usize = 4;
/// Bytes between two cuts, beside those around the borders of frames.
const STEP: usize = 509;

/// The files of a store that was never closed, after each commit: the length of the log, and what was readable.
struct Recorded {
    database: Vec<u8>,
    log: Vec<u8>,
    after: Vec<(usize, String)>,
}

/// Commits of all sizes: one frame, and many because of a large input.
async fn record() -> Recorded {
    let folder = folder();
    let from = options(&folder);
    let opener = move || -> BoxFuture<'static, Result<Store, Error>> { Box::pin(Store::open(from.clone())) };
    let store = with_tenants(&opener, &["t-1"]).await.unwrap();
    let (scope, journal, log) = (scope("t-1"), store.journal(), folder.path().join("quantum.db-wal"));
    let mut after = Vec::new();
    for number in 0..8_u64 {
        let mut next =
            if number % 2 == 0 { create(&scope, number) } else { commit(&scope, number - 1, 1, 3) };
        if let Some(new) = next.create.as_mut().filter(|_| number % 4 == 2) {
            new.input = format!("\"{}\"", "x".repeat(20_000));
        }
        journal.commit(next).await.unwrap();
        let bytes = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
        after.push((bytes, dump(&store).await));
    }
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    Recorded { database: read("quantum.db"), log: read("quantum.db-wal"), after }
}

/// Everything that the commits wrote.
async fn dump(store: &Store) -> String {
    let mut text = String::new();
    for number in 0..8 {
        let stored = store.executions(&scope("t-1")).load(&execution_id(number)).await.unwrap();
        text += &format!("{stored:?}\n");
    }
    text
}

fn files(database: &[u8], log: &[u8]) -> TempDir {
    let folder = folder();
    let write = |path: &Path, bytes: &[u8]| fs::write(path, bytes).unwrap();
    write(&folder.path().join("quantum.db"), database);
    write(&folder.path().join("quantum.db-wal"), log);
    folder
}

/// Opens a store over these files: it must hold exactly what was committed within `whole` bytes of the log.
async fn check(recorded: &Recorded, log: &[u8], whole: usize, what: &str) {
    let copy = files(&recorded.database, log);
    let store = Store::open(StoreOptions { readers: 1, ..options(&copy) }).await.unwrap();
    let expected = recorded.after.iter().rev().find(|(bytes, _)| *bytes <= whole);
    let (_, expected) = expected.expect("the commits before are whole");
    assert!(dump(&store).await == *expected, "{what}: not the state of the last whole commit");
}

/// From the first byte of the last commits on: around every border, and between them.
fn cuts(recorded: &Recorded) -> Vec<usize> {
    let from = recorded.after[recorded.after.len() - CUT - 1].0;
    let to = recorded.log.len();
    let borders = (LOG_HEAD..=to).step_by(FRAME).filter(|border| *border >= from);
    let around = borders.flat_map(|at| [at - 1, at, at + 1, at + 8, at + FRAME_HEAD, at + FRAME_HEAD + 1]);
    let mut cuts: Vec<usize> =
        around.chain((from..to).step_by(STEP)).filter(|at| (from..=to).contains(at)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

#[tokio::test]
async fn a_log_that_ends_anywhere_opens_at_the_last_whole_commit() {
    let recorded = record().await;
    assert_eq!((recorded.log.len() - LOG_HEAD) % FRAME, 0, "the log is made of frames");
    assert!(recorded.after.windows(2).all(|pair| pair[0].0 < pair[1].0), "each commit makes it longer");
    let cuts = cuts(&recorded);
    assert!(cuts.len() > 100, "{}", cuts.len());
    for cut in cuts {
        check(&recorded, &recorded.log[..cut], cut, &format!("cut at {cut}")).await;
    }
}

#[tokio::test]
async fn a_log_whose_end_was_never_written_opens_at_the_last_whole_commit() {
    let recorded = record().await;
    for cut in cuts(&recorded).into_iter().step_by(3) {
        // The file has its length, and what the disk had not written yet reads as zeros.
        let mut log = recorded.log.clone();
        log[cut..].fill(0);
        // A commit whose last bytes are zeros anyway is whole.
        let whole = cut + recorded.log[cut..].iter().take_while(|byte| **byte == 0).count();
        check(&recorded, &log, whole, &format!("zeros from {cut}")).await;
    }
}

#[tokio::test]
async fn a_damaged_byte_ends_the_log_before_its_commit() {
    let recorded = record().await;
    for at in cuts(&recorded).into_iter().step_by(5).filter(|at| *at < recorded.log.len()) {
        let mut log = recorded.log.clone();
        log[at] ^= 0x55;
        check(&recorded, &log, at, &format!("damaged at {at}")).await;
    }
}

#[tokio::test]
async fn what_is_written_after_a_cut_log_was_opened_is_kept() {
    let recorded = record().await;
    let cut = recorded.log.len() - FRAME / 2;
    let copy = files(&recorded.database, &recorded.log[..cut]);
    let store = open(&copy).await;
    store.journal().commit(create(&scope("t-1"), 77)).await.unwrap();
    store.close().await;
    let again = open(&copy).await;
    assert!(again.executions(&scope("t-1")).load(&execution_id(77)).await.unwrap().is_some());
    let (_, before) = &recorded.after[recorded.after.len() - 2];
    assert!(dump(&again).await == *before, "and the commit that was cut is not there");
}
