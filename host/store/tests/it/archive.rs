//! The archive: files that are whole or absent, and where they lie.

use std::io::Read;
use std::path::Path;

use quantum_core::time::Timestamp;
use quantum_store::conformance::{execution_id, scope};
use quantum_store::{Archive, EndKey, Error};

use crate::folder;

fn first(ended: &str) -> EndKey {
    EndKey { ended_at: Timestamp::parse(ended).unwrap(), id: execution_id(1) }
}

async fn write(archive: &Archive, first: EndKey, lines: &[&str]) -> Result<(), Error> {
    let mut file = archive.create(&scope("t-1"), first).await?;
    for line in lines {
        file.write((*line).to_owned()).await?;
    }
    file.finish().await
}

/// Paths below the folder with what is in the files.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut text = String::new();
            flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())
                .read_to_string(&mut text)
                .unwrap();
            found.push((path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(), text));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_file_is_named_by_the_first_end_in_it_and_lies_in_its_month() {
    let folder = folder();
    let archive = Archive::new(folder.path());
    write(&archive, first("2026-11-27T16:44:17.123Z"), &["{\"n\":1}", "{\"n\":2}"]).await.unwrap();
    let place = "archive/t-1/2026/11/20261127T164417123Z-0198c0de-0000-7000-8000-000000000001.jsonl.gz";
    assert_eq!(files(folder.path()), [(place.to_owned(), "{\"n\":1}\n{\"n\":2}\n".to_owned())]);
    write(&archive, first("2026-11-27T16:44:17.123Z"), &["{\"n\":3}"]).await.unwrap();
    assert_eq!(files(folder.path()), [(place.to_owned(), "{\"n\":3}\n".to_owned())], "in its place");
    archive.remove(&scope("t-1"), first("2026-11-27T16:44:17.123Z")).await.unwrap();
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_finished_is_not_there() {
    let folder = folder();
    let archive = Archive::new(folder.path());
    let end = first("2026-11-27T16:44:17.123Z");
    write(&archive, end, &["whole"]).await.unwrap();
    let mut cut_off = archive.create(&scope("t-1"), end).await.unwrap();
    cut_off.write("half".into()).await.unwrap();
    drop(cut_off);
    let whole = |(path, text): &(String, String)| path.contains("2026/11") && text == "whole\n";
    assert!(files(folder.path()).iter().any(whole));
    write(&archive, first("2026-12-01T00:00:00.000Z"), &["next"]).await.unwrap();
    let paths: Vec<_> = files(folder.path()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths.len(), 2, "no draft is left: {paths:?}");
}

#[tokio::test]
async fn two_nodes_that_write_at_one_time_do_not_share_a_draft() {
    let folder = folder();
    let (ours, theirs) = (Archive::new(folder.path()), Archive::new(folder.path()));
    let (end, later) = (first("2026-11-27T16:44:17.123Z"), first("2026-12-01T00:00:00.000Z"));
    let mut one = ours.create(&scope("t-1"), end).await.unwrap();
    one.write("one".into()).await.unwrap();
    let mut other = theirs.create(&scope("t-1"), later).await.unwrap();
    other.write("other".into()).await.unwrap();
    one.finish().await.unwrap();
    other.finish().await.unwrap();
    let texts: Vec<_> = files(folder.path()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one\n", "other\n"]);
}

#[tokio::test]
async fn what_cannot_be_written_is_told_with_its_place() {
    let folder = folder();
    let archive = Archive::new(folder.path());
    std::fs::create_dir(folder.path().join("archive")).unwrap();
    // Stands where the tenant's folder has to be, which also stops a user whom no mode stops.
    std::fs::write(folder.path().join("archive/t-1"), "").unwrap();
    let refused = write(&archive, first("2026-11-27T16:44:17.123Z"), &["lost"]).await;
    let Err(Error::Archive { path, .. }) = refused else { panic!("{refused:?}") };
    assert!(path.starts_with(folder.path().join("archive/t-1/2026/11")), "{path:?}");
}
