//! Reads policy files: syntax, ids, house rules, strict validation at level 1. All findings at once.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use cedar_policy::{Entities, EntityUid, Policy, PolicyId, ValidationMode, Validator};
use miette::Diagnostic;

use crate::finding::{CheckReport, PolicyFinding};
use crate::lint::{self, Broken};
use crate::source::{Origin, PolicySources, Source};
use crate::words::{PARSED_SCHEMA, WORDS};

/// Entities that a policy may follow an attribute into: the principal, the resource, and those in the context.
const LEVEL: u32 = 1;

/// Checks the `.cedar` files of a folder beside the shipped ones. Never fails: what cannot be read is a finding.
pub fn check(dir: &Path) -> CheckReport {
    let sources = match PolicySources::load(dir) {
        Ok(sources) => sources,
        Err(report) => return report,
    };
    if sources.added() > 0 {
        return check_sources(&sources).1;
    }
    let help = "policy files end in .cedar, and subfolders are not read";
    let finding =
        PolicyFinding::of_file("empty", dir.display().to_string(), "", "the folder has no policy file");
    CheckReport { findings: vec![finding.help(help)], ..CheckReport::default() }
}

/// Checks the policies that come with the host.
pub fn check_shipped() -> CheckReport {
    let sources = PolicySources::shipped();
    let (policies, report) = check_sources(&sources);
    CheckReport { files: sources.files().len(), policies: policies.len(), ..report }
}

/// The policies, named by their `@id`, and what is wrong with them. They are complete only without findings.
pub(crate) fn check_sources(sources: &PolicySources) -> (Vec<Policy>, CheckReport) {
    let mut checker = Checker {
        validator: Validator::new(PARSED_SCHEMA.clone()),
        seen: BTreeMap::new(),
        platform: platform_actions(),
        policies: Vec::new(),
        report: CheckReport::default(),
    };
    for source in sources.files() {
        checker.file(source);
    }
    checker.report.files = sources.added();
    (checker.policies, checker.report)
}

struct Checker {
    validator: Validator,
    /// Where each id was first used.
    seen: BTreeMap<String, String>,
    platform: HashSet<EntityUid>,
    policies: Vec<Policy>,
    report: CheckReport,
}

/// One policy of a file, and where it stands.
struct Placed<'a> {
    source: &'a Source,
    policy: Policy,
    /// Bytes: from, and how many.
    span: (usize, usize),
}

impl Checker {
    fn file(&mut self, source: &Source) {
        let set = match source.text.parse::<cedar_policy::PolicySet>() {
            Ok(set) => set,
            Err(errors) => {
                let findings = errors.iter().map(|error| of_cedar("syntax", source, error, (0, 0)));
                self.report.findings.extend(findings);
                return;
            }
        };
        self.templates(source, &set);
        for placed in in_order(source, &set) {
            self.policy(placed);
        }
    }

    /// Nothing links templates yet, so that one would never decide.
    fn templates(&mut self, source: &Source, set: &cedar_policy::PolicySet) {
        for template in set.templates() {
            let text = template.to_cedar();
            let span = (source.text.find(&text).unwrap_or(0), first_line(&text));
            let finding = finding_at("template", source, span, "templates are not supported")
                .help("write the principal and the resource instead of ?principal and ?resource")
                .policy(template.annotation("id"));
            self.report.findings.push(finding);
        }
    }

    fn policy(&mut self, placed: Placed<'_>) {
        let id = self.named(&placed);
        let shown = id.clone();
        let broken = [
            lint::arithmetic_in_forbid(&placed.policy),
            added_only(&placed, |p| lint::names_platform(&p.policy, &self.platform)),
        ];
        for rule in broken.into_iter().flatten() {
            self.report.findings.push(broken_at(&placed, rule, shown.as_deref()));
        }
        let policy = match &id {
            Some(id) => placed.policy.new_id(PolicyId::new(id)),
            None => placed.policy.clone(),
        };
        self.validate(&placed, &policy, shown.as_deref());
        if placed.source.origin == Origin::Added {
            self.report.policies += 1;
        }
        self.policies.push(policy);
    }

    /// The `@id`, when it is a good one that no other policy has.
    fn named(&mut self, placed: &Placed<'_>) -> Option<String> {
        let Some(id) = placed.policy.annotation("id").map(str::to_owned) else {
            let help = "write @id(\"team.what-it-does\") before it";
            self.report.findings.push(
                finding_at("missing-id", placed.source, placed.span, "the policy has no @id").help(help),
            );
            return None;
        };
        let broken = lint::bad_id(&id).or_else(|| added_only(placed, |_| lint::reserved_id(&id)));
        if let Some(rule) = broken {
            self.report.findings.push(broken_at(placed, rule, Some(&id)));
            return None;
        }
        if let Some(first) = self.seen.get(&id) {
            let message = format!("the id \"{id}\" is used already, in {first}");
            let finding = finding_at("duplicate-id", placed.source, placed.span, message)
                .help("give each policy its own id")
                .policy(Some(&id));
            self.report.findings.push(finding);
            return None;
        }
        let finding = finding_at("", placed.source, placed.span, "");
        self.seen.insert(id.clone(), format!("{}:{}", finding.file, finding.line));
        Some(id)
    }

    /// Warnings count as errors: a policy that can never apply is a mistake.
    fn validate(&mut self, placed: &Placed<'_>, policy: &Policy, id: Option<&str>) {
        let Ok(alone) = cedar_policy::PolicySet::from_policies([policy.clone()]) else { return };
        let result = self.validator.validate_with_level(&alone, ValidationMode::Strict, LEVEL);
        let errors = result.validation_errors().map(|error| error as &dyn Diagnostic);
        let warnings = result.validation_warnings().map(|warning| warning as &dyn Diagnostic);
        let findings =
            errors.chain(warnings).map(|e| of_cedar("validation", placed.source, e, placed.span).policy(id));
        self.report.findings.extend(findings);
    }
}

/// A rule for files that are not the host's own.
fn added_only(placed: &Placed<'_>, rule: impl FnOnce(&Placed<'_>) -> Option<Broken>) -> Option<Broken> {
    if placed.source.origin == Origin::Shipped { None } else { rule(placed) }
}

/// The group and its actions.
fn platform_actions() -> HashSet<EntityUid> {
    let group = EntityUid::from(WORDS.platform_actions.as_ref().clone());
    let actions = PARSED_SCHEMA.action_entities().unwrap_or_else(|_| Entities::empty());
    let in_group = PARSED_SCHEMA.actions().filter(|action| actions.is_ancestor_of(&group, action)).cloned();
    in_group.chain([group.clone()]).collect()
}

/// Cedar numbers the policies of a text as they stand in it (`policy0`, `policy1`, …).
fn in_order<'a>(source: &'a Source, set: &cedar_policy::PolicySet) -> Vec<Placed<'a>> {
    let number = |policy: &Policy| policy.id().to_string().trim_start_matches("policy").parse::<usize>().ok();
    let mut policies: Vec<Policy> = set.policies().cloned().collect();
    policies.sort_by_key(number);
    let mut from = 0;
    let place = |policy: Policy| {
        let text = policy.to_cedar().unwrap_or_default();
        let at =
            source.text.get(from..).and_then(|rest| rest.find(&text)).map_or(from, |offset| from + offset);
        from = at + text.len();
        Placed { source, policy, span: (at, first_line(&text)) }
    };
    policies.into_iter().map(place).collect()
}

/// Bytes of the first line, which is what a finding about a whole policy underlines.
fn first_line(text: &str) -> usize {
    text.lines().next().unwrap_or_default().len()
}

fn finding_at(
    code: &'static str,
    source: &Source,
    span: (usize, usize),
    message: impl Into<String>,
) -> PolicyFinding {
    PolicyFinding::at(code, &source.file, source.text.clone(), span, message)
}

fn broken_at(placed: &Placed<'_>, Broken(code, message, help): Broken, id: Option<&str>) -> PolicyFinding {
    finding_at(code, placed.source, placed.span, message).help(help).policy(id)
}

/// A finding of Cedar itself, at its first label, or else at the policy.
fn of_cedar(
    code: &'static str,
    source: &Source,
    error: &(impl Diagnostic + ?Sized),
    policy: (usize, usize),
) -> PolicyFinding {
    let label = error.labels().and_then(|mut labels| labels.next());
    let span = label.as_ref().map_or(policy, |label| (label.offset(), label.len()));
    let expected = label.as_ref().and_then(|label| label.label());
    let finding = finding_at(code, source, span, error.to_string());
    match error.help().map(|help| help.to_string()).or_else(|| expected.map(str::to_owned)) {
        Some(help) => finding.help(help),
        None => finding,
    }
}
