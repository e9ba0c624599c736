//! The files under docs/examples, as far as this package can tell; the host validates the intents in the demo.

use std::path::Path;

use serde_json::Value;

/// The JSON files of a folder, by name.
fn documents(folder: &str) -> Vec<(String, Value)> {
    let folder = xtask::workspace::root().join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: &Path| {
        let document = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), document)
    };
    let files = paths.filter(|path| path.is_file());
    let mut documents: Vec<_> = files.map(|path| read(&path)).collect();
    documents.sort_by(|(one, _), (other, _)| one.cmp(other));
    documents
}

#[test]
fn every_example_is_json_and_its_file_has_its_name() {
    let documents = documents("docs/examples");
    for (name, document) in &documents {
        assert_eq!(document["name"], name.as_str());
    }
    let names: Vec<_> = documents.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "approved-release",
        "check-all-releases",
        "check-hosts",
        "deploy-application",
        "deploy-web-app",
        "hello",
        "metadata-read",
        "release-check",
        "survive-crash",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_blueprint_is_json_and_its_file_has_its_name() {
    let documents = documents("docs/examples/blueprints");
    for (name, document) in &documents {
        assert_eq!(document["name"], name.as_str());
    }
    assert_eq!(documents.len(), 2);
}

#[test]
fn every_file_of_settings_is_json_and_has_the_name_of_a_plugin_that_ships() {
    let documents = documents("docs/examples/settings");
    let plugins = xtask::workspace::bundled_plugins().unwrap();
    let is_plugin = |name: &str| plugins.iter().any(|path| path.ends_with(name));
    assert!(documents.iter().all(|(name, settings)| is_plugin(name) && settings.is_object()));
    assert_eq!(documents.len(), 3);
}
