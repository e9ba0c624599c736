//! One policy as one slice sees it: what is left to evaluate when the action and both entity types are known, and what
//! a request must have for the policy to apply at all.

use std::sync::Arc;

use cedar_policy::Policy;
use cedar_policy_core::ast::{
    self, BinaryOp, Effect, EntityReference, EntityType, EntityUID, Expr, ExprKind, Literal,
    PrincipalOrResourceConstraint as Constraint, SlotEnv, UnaryOp, ValueKind,
};
use cedar_policy_core::evaluator::Evaluator;

use crate::known::{Known, can_fail, truth};
use crate::side::Side;

/// A policy, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Rule {
    pub id: Arc<str>,
    pub effect: Effect,
    /// None: holds for every request that it is found for.
    pub condition: Option<Expr>,
}

/// What a request must have for a rule to be found: the part of the scope or of the condition that an index can answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Key {
    pub side: Side,
    pub value: KeyValue,
}

#[derive(Debug, PartialEq)]
pub(crate) enum KeyValue {
    /// It is this one.
    Is(Arc<EntityUID>),
    /// It is this one, or this one is an ancestor.
    Within(Arc<EntityUID>),
    Field(String, Literal),
    Tag(String, Literal),
    /// It has this field.
    Has(String),
}

/// A policy before it is fitted to a slice.
pub(crate) struct Unfitted {
    id: Arc<str>,
    effect: Effect,
    principal: ast::PrincipalConstraint,
    resource: ast::ResourceConstraint,
    body: Option<Expr>,
}

enum Scope {
    Any,
    Is(Arc<EntityUID>),
    Within(Arc<EntityUID>),
}

impl Rule {
    /// The error is for logs: it tells why the policy cannot be evaluated.
    pub fn holds(&self, evaluator: &Evaluator<'_>, slots: &SlotEnv) -> Result<bool, String> {
        let Some(condition) = &self.condition else { return Ok(true) };
        let value = evaluator.interpret(condition, slots).map_err(|error| error.to_string())?;
        match value.value_kind() {
            ValueKind::Lit(Literal::Bool(holds)) => Ok(*holds),
            _ => Err(format!("the condition is {value}, which is not true and not false")),
        }
    }
}

impl Unfitted {
    pub fn new(policy: &Policy) -> Self {
        // Through the syntax tree that knows no places in the text: the engine copies the place of each part that it
        // evaluates, and all threads would count references to the same text.
        let bare = policy.to_pst().ok().and_then(|pst| Policy::from_pst(pst).ok());
        let bare: &ast::Policy = bare.as_ref().unwrap_or(policy).as_ref();
        let body = bare.non_scope_constraints().cloned();
        Self {
            id: AsRef::<str>::as_ref(policy.id()).into(),
            effect: bare.effect(),
            principal: bare.principal_constraint(),
            resource: bare.resource_constraint(),
            body,
        }
    }

    /// None: it never applies to these types. Whether it applies to the slice's action was found out before.
    pub fn fit(&self, principal: &EntityType, resource: &EntityType) -> Option<(Option<Key>, Rule)> {
        let known = Known { principal, resource };
        let body = self.body.as_ref().map(|body| known.rest(body));
        if body.as_ref().and_then(truth) == Some(false) {
            return None;
        }
        let body = body.filter(|body| truth(body) != Some(true));
        let principal = Scope::of(self.principal.as_inner(), principal)?;
        let resource = Scope::of(self.resource.as_inner(), resource)?;
        let key = principal
            .is(Side::Principal)
            .or_else(|| resource.is(Side::Resource))
            .or_else(|| resource.within(Side::Resource))
            .or_else(|| body.as_ref().and_then(|body| required(body, value_key)))
            .or_else(|| principal.within(Side::Principal))
            .or_else(|| body.as_ref().and_then(|body| required(body, has_key)));
        let open = [(Side::Principal, principal), (Side::Resource, resource)].into_iter();
        let open = open.filter_map(|(side, scope)| scope.unless_known(side, key.as_ref()));
        let condition = open.chain(body).reduce(Expr::and);
        Some((key, Rule { id: self.id.clone(), effect: self.effect, condition }))
    }
}

impl Scope {
    fn of(constraint: &Constraint, kind: &EntityType) -> Option<Self> {
        let scope = match constraint {
            Constraint::Any => Self::Any,
            Constraint::Is(only) => return (**only == *kind).then_some(Self::Any),
            Constraint::Eq(EntityReference::EUID(uid)) => {
                return (uid.entity_type() == kind).then(|| Self::Is(uid.clone()));
            }
            Constraint::In(EntityReference::EUID(uid)) => Self::Within(uid.clone()),
            Constraint::IsIn(only, EntityReference::EUID(uid)) => {
                return (**only == *kind).then(|| Self::Within(uid.clone()));
            }
            // Templates were refused, so that there is no slot to be filled.
            Constraint::Eq(_) | Constraint::In(_) | Constraint::IsIn(..) => return None,
        };
        Some(scope)
    }

    fn is(&self, side: Side) -> Option<Key> {
        let Self::Is(uid) = self else { return None };
        Some(Key { side, value: KeyValue::Is(uid.clone()) })
    }

    fn within(&self, side: Side) -> Option<Key> {
        let Self::Within(uid) = self else { return None };
        Some(Key { side, value: KeyValue::Within(uid.clone()) })
    }

    /// What must still be evaluated of it when the rule was found by this key.
    fn unless_known(self, side: Side, key: Option<&Key>) -> Option<Expr> {
        let own = self.is(side).or_else(|| self.within(side));
        let known = own.is_some() && own.as_ref() == key;
        match self {
            Self::Is(uid) if !known => Some(Expr::is_eq(side.variable(), Expr::val(uid))),
            Self::Within(uid) if !known => Some(Expr::is_in(side.variable(), Expr::val(uid))),
            _ => None,
        }
    }
}

/// The key of the first part of the condition that has one and that every request must meet. Requests that do not meet
/// it need not be shown the policy: the policy is false for them, and not an error, because the validator made sure that
/// a field or tag is there where it is read, and because nothing before that part can fail.
fn required(body: &Expr, key: fn(&Expr) -> Option<Key>) -> Option<Key> {
    let mut open = vec![body];
    while let Some(part) = open.pop() {
        match part.expr_kind() {
            ExprKind::And { left, right } => open.extend([&**right, &**left]),
            _ => match key(part) {
                Some(key) => return Some(key),
                None if can_fail(part) => return None,
                None => {}
            },
        }
    }
    None
}

/// Of `resource.field == literal`, of `resource.field` and `!resource.field` where it is true or false, and of
/// `resource.getTag("key") == literal`.
fn value_key(part: &Expr) -> Option<Key> {
    match part.expr_kind() {
        ExprKind::BinaryApp { op: BinaryOp::Eq, arg1, arg2 } => {
            key_of(arg1, arg2).or_else(|| key_of(arg2, arg1))
        }
        ExprKind::GetAttr { .. } => key_of_read(part, &Literal::Bool(true)),
        ExprKind::UnaryApp { op: UnaryOp::Not, arg }
            if matches!(arg.expr_kind(), ExprKind::GetAttr { .. }) =>
        {
            key_of_read(arg, &Literal::Bool(false))
        }
        _ => None,
    }
}

/// Of `resource has field`.
fn has_key(part: &Expr) -> Option<Key> {
    let ExprKind::HasAttr { expr, attr } = part.expr_kind() else { return None };
    Some(Key { side: Side::of(expr)?, value: KeyValue::Has(attr.to_string()) })
}

fn key_of(read: &Expr, literal: &Expr) -> Option<Key> {
    let ExprKind::Lit(literal) = literal.expr_kind() else { return None };
    key_of_read(read, literal)
}

fn key_of_read(read: &Expr, literal: &Literal) -> Option<Key> {
    match read.expr_kind() {
        ExprKind::GetAttr { expr, attr } => {
            Some(Key { side: Side::of(expr)?, value: KeyValue::Field(attr.to_string(), literal.clone()) })
        }
        ExprKind::BinaryApp { op: BinaryOp::GetTag, arg1, arg2 } => {
            let ExprKind::Lit(Literal::String(tag)) = arg2.expr_kind() else { return None };
            Some(Key { side: Side::of(arg1)?, value: KeyValue::Tag(tag.to_string(), literal.clone()) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::WORDS;

    /// Under what a policy is filed in the slice of people and intents, and what is left of it.
    fn filed(policy: &str) -> String {
        let policy = Policy::parse(None, format!("permit ({policy};")).unwrap();
        let Some((key, rule)) = Unfitted::new(&policy).fit(&WORDS.user, &WORDS.intent) else {
            return "never".to_owned();
        };
        let place = match key {
            None => "always".to_owned(),
            Some(Key { side, value: KeyValue::Is(uid) }) => format!("{side:?} is {uid}"),
            Some(Key { side, value: KeyValue::Within(uid) }) => format!("{side:?} in {uid}"),
            Some(Key { side, value: KeyValue::Field(name, value) }) => format!("{side:?}.{name} {value}"),
            Some(Key { side, value: KeyValue::Tag(key, value) }) => format!("{side:?}[{key}] {value}"),
            Some(Key { side, value: KeyValue::Has(name) }) => format!("{side:?} has {name}"),
        };
        match rule.condition {
            None => place,
            Some(_) => format!("{place}, if"),
        }
    }

    #[test]
    fn the_scope_files_a_policy_and_what_is_left_of_it_stays_a_condition() {
        for (policy, expected) in [
            ("principal, action, resource)", "always"),
            ("principal is User, action, resource is Intent)", "always"),
            ("principal is Step, action, resource)", "never"),
            ("principal == User::\"a\", action, resource)", "Principal is User::\"a\""),
            ("principal == ServiceAccount::\"a\", action, resource)", "never"),
            ("principal in Role::\"a\", action, resource)", "Principal in Role::\"a\""),
            ("principal is User in Role::\"a\", action, resource)", "Principal in Role::\"a\""),
            ("principal in Role::\"a\", action, resource in Tenant::\"t\")", "Resource in Tenant::\"t\", if"),
            ("principal == User::\"a\", action, resource == Intent::\"i\")", "Principal is User::\"a\", if"),
            ("principal, action, resource) when { true }", "always"),
            (
                "principal in Role::\"a\", action, resource) when { resource has owner }",
                "Principal in Role::\"a\", if",
            ),
        ] {
            assert_eq!(filed(policy), expected, "{policy}");
        }
    }

    #[test]
    fn a_condition_files_a_policy_when_every_request_must_meet_it_before_anything_fails() {
        for (condition, expected) in [
            ("when { principal.tenant == Tenant::\"t\" }", "Principal.tenant Tenant::\"t\", if"),
            (
                "when { Tenant::\"t\" == principal.tenant && context.a + 1 > 0 }",
                "Principal.tenant Tenant::\"t\", if",
            ),
            ("when { context.a + 1 > 0 && principal.tenant == Tenant::\"t\" }", "always, if"),
            ("when { context.a + 1 == 0 && principal.tenant == Tenant::\"t\" }", "always, if"),
            ("when { -context.a > 0 } when { principal.tenant == Tenant::\"t\" }", "always, if"),
            ("when { context.ip.isLoopback() && principal.tenant == Tenant::\"t\" }", "always, if"),
            ("when { resource.hasTag(\"k\") && resource.getTag(\"k\") == \"v\" }", "Resource[k] \"v\", if"),
            (
                "when { resource.hasTag(\"k\") } when { resource.getTag(\"k\") == \"v\" }",
                "Resource[k] \"v\", if",
            ),
            ("when { resource.getTag(context.a) == \"v\" }", "always, if"),
            ("unless { principal.tenant == Tenant::\"t\" }", "always, if"),
            ("when { principal.tenant == Tenant::\"t\" || context.a }", "always, if"),
            ("when { principal.tenant != Tenant::\"t\" }", "always, if"),
            ("when { principal.tenant == resource.tenant && resource.n == 1 }", "Resource.n 1, if"),
            ("when { principal.active && context.a }", "Principal.active true, if"),
            ("unless { principal.active || context.a }", "Principal.active false, if"),
            ("unless { principal.active && context.a }", "always, if"),
            ("when { resource has owner && principal.active }", "Principal.active true, if"),
            ("when { resource has owner && context.a + 1 > 0 }", "Resource has owner, if"),
            ("when { context.a + 1 > 0 && resource has owner }", "always, if"),
            ("when { resource has owner || context.a }", "always, if"),
            ("unless { resource has owner }", "always, if"),
            ("when { context.active }", "always, if"),
            ("when { context.tenant == Tenant::\"t\" }", "always, if"),
            ("when { resource.a.b == 1 }", "always, if"),
        ] {
            assert_eq!(filed(&format!("principal, action, resource) {condition}")), expected, "{condition}");
        }
    }
}
