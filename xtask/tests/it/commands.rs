//! The command line of the task runner.

use std::process::{Command, Output};

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap()
}

#[test]
fn help_names_every_task_and_each_has_a_page() {
    let overview = String::from_utf8(xtask(&["help"]).stdout).unwrap();
    for task in ["demo", "test", "chaos", "upgrade", "bench", "tidy", "codegen", "plugins"] {
        assert!(overview.contains(&format!("  {task} ")), "{task}");
        for page in [xtask(&["help", task]), xtask(&[task, "--help"])] {
            assert!(page.status.success());
            assert!(
                String::from_utf8(page.stdout).unwrap().starts_with(&format!("cargo xtask {task}")),
                "{task}"
            );
        }
    }
}

#[test]
fn a_misspelt_task_and_an_unknown_option_are_told_what_would_work() {
    let check = |arguments: &[&str], expected: &str| {
        let ended = xtask(arguments);
        assert_eq!(ended.status.code(), Some(1));
        let text = String::from_utf8(ended.stderr).unwrap();
        assert!(text.contains(expected) && text.contains("cargo xtask"), "{text}");
    };
    check(&["dmeo"], "there is no task \"dmeo\"");
    check(&["demo", "--fast"], "demo does not take \"--fast\"");
    check(&["help", "nothing"], "there is no task \"nothing\"");
}
