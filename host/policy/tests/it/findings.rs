//! What a policy author is told: all findings, each with file, line, column, message and what to write instead.

use quantum_policy::{PolicySet, PolicySources, check, check_shipped};

/// The findings for one added file, as lines.
fn found(text: &str) -> Vec<String> {
    let report = PolicySet::compile(&PolicySources::shipped().with("team.cedar", text)).unwrap_err();
    report.findings.iter().map(ToString::to_string).collect()
}

fn accepted(text: &str) -> bool {
    PolicySet::compile(&PolicySources::shipped().with("team.cedar", text)).is_ok()
}

#[test]
fn the_shipped_policies_have_no_findings() {
    let report = check_shipped();
    assert!(report.passed(), "{report}");
    assert_eq!((report.files, report.policies), (3, 30));
}

#[test]
fn a_policy_needs_an_id_of_its_own() {
    let text = r#"// first
permit (principal, action == Action::"intent.view", resource);

@id("a")
permit (principal, action == Action::"intent.view", resource);
  @id("a")
  permit (principal, action == Action::"intent.plan", resource);
@id("not good")
permit (principal, action == Action::"intent.plan", resource);
@id("guard.mine")
permit (principal, action == Action::"intent.plan", resource);
@id("role.viewer")
permit (principal, action == Action::"intent.plan", resource);
"#;
    let expected = [
        "team.cedar:2:1: the policy has no @id (write @id(\"team.what-it-does\") before it)",
        "team.cedar:6:3: the id \"a\" is used already, in team.cedar:4 (give each policy its own id)",
        "team.cedar:8:1: \"not good\" is not a policy id (use 1 to 128 letters, digits, dots, dashes and underscores, \
         such as prod.window)",
        "team.cedar:10:1: the id \"guard.mine\" begins with \"guard.\", which belongs to the shipped policies (choose \
         another first word, such as the team's name)",
        "team.cedar:12:1: the id \"role.viewer\" begins with \"role.\", which belongs to the shipped policies (choose \
         another first word, such as the team's name)",
    ];
    assert_eq!(found(text), expected);
}

#[test]
fn an_id_of_a_shipped_policy_is_taken() {
    let text = r#"@id("secrets.expired") permit (principal, action == Action::"intent.view", resource);"#;
    let expected = "team.cedar:1:1: the id \"secrets.expired\" is used already, in policies/20-defaults.cedar:17 (give \
                    each policy its own id)";
    assert_eq!(found(text), [expected]);
}

#[test]
fn arithmetic_in_a_forbid_is_refused_and_in_a_permit_it_is_not() {
    let rule = |effect: &str, condition: &str| {
        format!(
            "@id(\"x\")\n{effect} (principal, action == Action::\"intent.execute\", resource)\nwhen {{ {condition} }};"
        )
    };
    let overflowing = [
        ("+", "context.approvals + 1 > 2"),
        ("-", "context.approvals - 1 > 2"),
        ("*", "context.approvals * 2 > 2"),
        ("-", "-context.approvals > 2"),
        ("offset", "context.now.offset(duration(\"1h\")) > datetime(\"2026-01-01\")"),
        ("durationSince", "context.now.durationSince(datetime(\"2026-01-01\")) > duration(\"1h\")"),
        ("toDate", "context.now.toDate() > datetime(\"2026-01-01\")"),
        ("+", "context.frozen && (if context.inChangeWindow then context.approvals + 1 else 0) > 2"),
    ];
    for (operator, condition) in overflowing {
        let expected = format!(
            "team.cedar:1:1: a forbid uses \"{operator}\", which can overflow, and then every request it covers is \
             denied (compare with a constant, or with a fact that the host computes (weekday, localTime, approvals))"
        );
        assert_eq!(found(&rule("forbid", condition)), [expected], "{condition}");
        assert!(accepted(&rule("permit", condition)), "{condition}");
    }
    assert!(accepted(&rule("forbid", "context.approvals > -1")), "a negative constant is no arithmetic");
}

#[test]
fn added_policies_do_not_speak_of_the_platform() {
    for named in [
        r#"permit (principal, action == Action::"platform.tenants", resource);"#,
        r#"permit (principal, action in Action::"platform", resource);"#,
        r#"permit (principal in Role::"platformAdmin", action == Action::"intent.view", resource);"#,
        r#"forbid (principal, action, resource == Platform::"host");"#,
    ] {
        let lines = found(&format!("@id(\"x\") {named}"));
        assert!(lines[0].contains("belongs to the platform"), "{named}: {lines:?}");
    }
    let text = r#"@id("x") permit (principal, action in Action::"platform", resource);"#;
    let expected = "team.cedar:1:1: Action::\"platform\" belongs to the platform, and only the shipped policies speak \
                    of it (name actions and roles of a tenant)";
    assert_eq!(found(text), [expected]);
}

#[test]
fn templates_are_refused_where_they_stand() {
    let text = "\n@id(\"x\")\npermit (principal == ?principal, action == Action::\"intent.view\", resource);";
    let expected = "team.cedar:2:1: templates are not supported (write the principal and the resource instead of \
                    ?principal and ?resource)";
    assert_eq!(found(text), [expected]);
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    let lines = found("@id(\"x\")\npermit (principal, action, resource)\nwen { true };");
    assert_eq!(
        lines,
        ["team.cedar:3:1: invalid policy condition: wen (condition must be either `when` or `unless`)"]
    );
}

#[test]
fn validation_is_strict_and_warnings_count() {
    let rule = |condition: &str| {
        format!(
            "@id(\"x\")\npermit (principal, action == Action::\"intent.view\", resource)\nwhen {{ {condition} }};"
        )
    };
    let cases = [
        ("resource.statuss == IntentStatus::\"active\"", "3:8", "attribute `statuss`"),
        ("resource.status == IntentStatus::\"actve\"", "3:27", "actve"),
        ("resource.owner == principal", "3:8", "owner"),
        ("resource has owner && resource.owner.active", "3:30", "level"),
        ("resource.status == 1", "3:8", "not compatible"),
        ("false", "1:1", "impossible"),
        ("principal in Role::\"operater\"", "3:21", "operater"),
    ];
    for (condition, place, part) in cases {
        let lines = found(&rule(condition));
        assert!(
            lines.len() == 1 && lines[0].starts_with(&format!("team.cedar:{place}: ")),
            "{condition}: {lines:?}"
        );
        assert!(lines[0].contains(part), "{condition}: {lines:?}");
    }
}

#[test]
fn columns_count_characters_and_spans_count_bytes() {
    let text = "@id(\"x\") // äöü\npermit (principal, action == Action::\"intent.view\", resource)\n\
                when { \"äöü\" == resource.x };";
    let report = PolicySet::compile(&PolicySources::shipped().with("team.cedar", text)).unwrap_err();
    let finding = &report.findings[0];
    assert_eq!((finding.line, finding.column), (3, 17));
    let (from, length) = finding.span;
    assert_eq!(&text[from..from + length], "resource.x");
}

#[test]
fn a_folder_is_checked_whole() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("b.cedar"), "permit (principal, action, resource);").unwrap();
    std::fs::write(dir.path().join("a.cedar"), "permit (").unwrap();
    std::fs::write(dir.path().join("notes.txt"), "not a policy").unwrap();
    let report = check(dir.path());
    let codes: Vec<_> = report.findings.iter().map(|f| f.code).collect();
    assert_eq!(codes, ["syntax", "missing-id"]);
    assert!(report.findings[0].file.ends_with("a.cedar") && report.files == 2, "{report}");
}

#[test]
fn a_good_folder_says_what_was_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/examples/change-control.cedar");
    std::fs::copy(examples, dir.path().join("change.cedar")).unwrap();
    let report = check(dir.path());
    assert!(report.passed(), "{report}");
    assert_eq!((report.files, report.policies), (1, 6));
}

#[test]
fn a_folder_without_policies_or_without_a_folder_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let empty = check(dir.path()).to_string();
    assert!(empty.contains("the folder has no policy file (policy files end in .cedar"), "{empty}");
    let missing = check(&dir.path().join("gone")).to_string();
    assert!(
        missing.contains("gone:1:1: the path cannot be read: ") && missing.contains("name a folder"),
        "{missing}"
    );
    std::fs::write(dir.path().join("big.cedar"), " ".repeat(1024 * 1024 + 1)).unwrap();
    let big = check(dir.path()).to_string();
    assert!(big.contains("it has 1048577 bytes and a policy file may have 1048576; split it"), "{big}");
}

#[test]
fn miette_shows_the_line_of_a_finding() {
    let text = "@id(\"x\")\npermit (principal, action, resource)\nwen { true };";
    let report = PolicySet::compile(&PolicySources::shipped().with("team.cedar", text)).unwrap_err();
    let shown = format!("{:?}", miette::Report::new(report.findings[0].clone()));
    assert!(shown.contains("team.cedar:3:1") && shown.contains("wen { true }"), "{shown}");
}
