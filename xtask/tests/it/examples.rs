//! The intents under docs/examples, as far as this package can tell; the host validates them in the demo.

#[test]
fn every_example_is_json_and_its_file_has_its_name() {
    let folder = xtask::workspace::root().join("docs/examples");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(document["name"], path.file_stem().unwrap().to_str().unwrap());
        names.push(document["name"].as_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["hello", "metadata-read", "release-check", "survive-crash"]);
}
