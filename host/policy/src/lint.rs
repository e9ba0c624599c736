//! House rules that Cedar does not have: they keep a set safe to merge and its decisions free of surprises.

use std::collections::HashSet;

use cedar_policy::pst::{BinaryOp, Clause, Expr, UnaryOp};
use cedar_policy::{Effect, EntityUid, Policy};
use quantum_core::vocabulary::Role;

use crate::words::WORDS;

/// What the shipped files alone may call a policy.
pub(crate) const RESERVED_PREFIXES: [&str; 4] = ["guard.", "role.", "owner.", "runtime."];
/// Characters of a policy's id: it stands in every decision. Over it the policy is refused.
const ID_CHARS_MAX: usize = 128;

/// A broken rule: code, message, and what to write instead.
pub(crate) struct Broken(pub &'static str, pub String, pub String);

/// The shape of an id.
pub(crate) fn bad_id(id: &str) -> Option<Broken> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !id.is_empty() && id.len() <= ID_CHARS_MAX && id.chars().all(known) {
        return None;
    }
    let shown: String = id.chars().take(80).collect();
    let help =
        format!("use 1 to {ID_CHARS_MAX} letters, digits, dots, dashes and underscores, such as prod.window");
    Some(Broken("bad-id", format!("\"{}\" is not a policy id", shown.escape_debug()), help))
}

/// Ids that only the shipped files use.
pub(crate) fn reserved_id(id: &str) -> Option<Broken> {
    let prefix = RESERVED_PREFIXES.into_iter().find(|prefix| id.starts_with(prefix))?;
    let message = format!("the id \"{id}\" begins with \"{prefix}\", which belongs to the shipped policies");
    Some(Broken("reserved-id", message, "choose another first word, such as the team's name".to_owned()))
}

/// A forbid that overflows is an error, and an error denies everything that the policy applies to.
pub(crate) fn arithmetic_in_forbid(policy: &Policy) -> Option<Broken> {
    if policy.effect() != Effect::Forbid {
        return None;
    }
    let pst = policy.to_pst().ok()?;
    let mut clauses = pst.body().clauses().iter();
    let operator = clauses.find_map(|clause| match clause {
        Clause::When(expr) | Clause::Unless(expr) => operator_that_overflows(expr),
    })?;
    let message = format!(
        "a forbid uses \"{operator}\", which can overflow, and then every request it covers is denied"
    );
    let help =
        "compare with a constant, or with a fact that the host computes (weekday, localTime, approvals)";
    Some(Broken("arithmetic", message, help.to_owned()))
}

fn operator_that_overflows(expr: &Expr) -> Option<&'static str> {
    let name = |expr: &Expr| match expr {
        Expr::BinaryOp { op: BinaryOp::Add, .. } => Some(Some("+")),
        Expr::BinaryOp { op: BinaryOp::Sub, .. } => Some(Some("-")),
        Expr::BinaryOp { op: BinaryOp::Mul, .. } => Some(Some("*")),
        Expr::BinaryOp { op: BinaryOp::Offset, .. } => Some(Some("offset")),
        Expr::BinaryOp { op: BinaryOp::DurationSince, .. } => Some(Some("durationSince")),
        Expr::UnaryOp { op: UnaryOp::Neg, expr } if !matches!(expr.as_ref(), Expr::Literal(_)) => {
            Some(Some("-"))
        }
        Expr::UnaryOp { op: UnaryOp::ToDate, .. } => Some(Some("toDate")),
        _ => None,
    };
    expr.reduce(&name, &Option::or, None)
}

/// The platform belongs to the host's administrators; added policies do not speak of it.
pub(crate) fn names_platform(policy: &Policy, platform: &HashSet<EntityUid>) -> Option<Broken> {
    let admin = WORDS.role(Role::PlatformAdmin);
    let words = [&*admin, &*WORDS.host];
    let of_platform = |uid: &EntityUid| words.contains(&uid.as_ref()) || platform.contains(uid);
    let named = policy.entity_literals().into_iter().find(of_platform)?;
    let message = format!("{named} belongs to the platform, and only the shipped policies speak of it");
    Some(Broken("platform", message, "name actions and roles of a tenant".to_owned()))
}
