//! Files in which expected lines start with `| ` and stand below the input that they belong to.

use std::path::{Path, PathBuf};

/// Whether files are to be written rather than compared.
pub fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// `render` gets the lines of input and gives the whole text back, expected lines included.
pub fn check_file(path: &str, render: impl FnOnce(&[&str]) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    let present = std::fs::read_to_string(&path).unwrap();
    let input: Vec<&str> = present.lines().filter(|line| !line.starts_with('|')).collect();
    compare(path, &present, &render(&input));
}

fn compare(path: PathBuf, present: &str, made: &str) {
    if present == made {
        return;
    }
    if updating() {
        std::fs::write(path, made).unwrap();
        return;
    }
    let at = present.lines().zip(made.lines()).position(|(a, b)| a != b);
    let at = at.unwrap_or_else(|| present.lines().count().min(made.lines().count()));
    let around = |text: &str| text.lines().skip(at.saturating_sub(2)).take(8).collect::<Vec<_>>().join("\n");
    panic!(
        "{}:{} differs; UPDATE=1 writes it again\n--- expected\n{}\n--- found\n{}",
        path.display(),
        at + 1,
        around(present),
        around(made)
    );
}
