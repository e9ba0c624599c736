//! What a slice knows of a condition before any question is put: of what type principal and resource are, and which
//! attributes every entity of such a type has, or none. That part is taken out of the condition once.

use std::sync::Arc;

use cedar_policy_core::ast::{EntityType, Expr, ExprKind, Literal, UnaryOp};
use cedar_policy_core::validator::ValidatorSchema;
use cedar_policy_core::validator::types::OpenTag;

use crate::side::Side;
use crate::words::PARSED_SCHEMA;

/// The types of one slice.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub principal: &'a EntityType,
    pub resource: &'a EntityType,
}

impl Known<'_> {
    /// A condition with the same answer, or the same failure, to every question of these types. Negations stand in it
    /// as far inside as they can, so that what must hold, and what must not, stands side by side.
    pub fn rest(&self, condition: &Expr) -> Expr {
        self.settled(condition, true)
    }

    /// `holds`: the condition, or else its negation.
    fn settled(&self, condition: &Expr, holds: bool) -> Expr {
        let open = || if holds { condition.clone() } else { Expr::not(condition.clone()) };
        let known = |truth: Option<bool>| truth.map_or_else(open, |truth| Expr::val(truth == holds));
        match condition.expr_kind() {
            ExprKind::And { left, right } => self.joined(left, right, holds, !holds),
            ExprKind::Or { left, right } => self.joined(left, right, holds, holds),
            ExprKind::UnaryApp { op: UnaryOp::Not, arg } => self.settled(arg, !holds),
            ExprKind::If { test_expr, then_expr, else_expr } => {
                self.chosen(test_expr, [then_expr, else_expr], holds)
            }
            ExprKind::Is { expr, entity_type } => known(self.type_of(expr).map(|own| own == entity_type)),
            ExprKind::HasAttr { expr, attr } => known(self.has(expr, attr)),
            ExprKind::Lit(Literal::Bool(truth)) => known(Some(*truth)),
            _ => open(),
        }
    }

    /// `decides`: what one side must be to decide alone, which is false where both must hold and true where one must.
    fn joined(&self, left: &Expr, right: &Expr, holds: bool, decides: bool) -> Expr {
        let left = self.settled(left, holds);
        match truth(&left) {
            Some(truth) if truth == decides => left,
            Some(_) => self.settled(right, holds),
            None => match self.settled(right, holds) {
                right if truth(&right) == Some(!decides) => left,
                right if truth(&right) == Some(decides) && !can_fail(&left) => right,
                right if decides => Expr::or(left, right),
                right => Expr::and(left, right),
            },
        }
    }

    fn chosen(&self, test: &Expr, [then, otherwise]: [&Arc<Expr>; 2], holds: bool) -> Expr {
        let test = self.rest(test);
        match truth(&test) {
            Some(true) => self.settled(then, holds),
            Some(false) => self.settled(otherwise, holds),
            None => Expr::ite(test, self.settled(then, holds), self.settled(otherwise, holds)),
        }
    }

    fn type_of(&self, expr: &Expr) -> Option<&EntityType> {
        Side::of(expr).map(|side| match side {
            Side::Principal => self.principal,
            Side::Resource => self.resource,
        })
    }

    /// None: some entities of the type have it.
    fn has(&self, expr: &Expr, attribute: &str) -> Option<bool> {
        let schema: &ValidatorSchema = PARSED_SCHEMA.as_ref();
        let declared = schema.get_entity_type(self.type_of(expr)?)?;
        match declared.attr(attribute) {
            Some(attribute) => attribute.is_required.then_some(true),
            None => (declared.open_attributes() == OpenTag::ClosedAttributes).then_some(false),
        }
    }
}

/// None: it depends on the question.
pub(crate) fn truth(expr: &Expr) -> Option<bool> {
    match expr.expr_kind() {
        ExprKind::Lit(Literal::Bool(truth)) => Some(*truth),
        _ => None,
    }
}

/// Arithmetic overflows, and some functions of extension types do.
pub(crate) fn can_fail(expr: &Expr) -> bool {
    use cedar_policy_core::ast::BinaryOp::{Add, Mul, Sub};
    expr.subexpressions().any(|part| match part.expr_kind() {
        ExprKind::UnaryApp { op, .. } => matches!(op, UnaryOp::Neg),
        ExprKind::BinaryApp { op, .. } => matches!(op, Add | Sub | Mul),
        ExprKind::ExtensionFunctionApp { .. } | ExprKind::Slot(_) | ExprKind::Unknown(_) => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::WORDS;

    /// Of a step that starts an action.
    fn rest(condition: &str) -> String {
        let known = Known { principal: &WORDS.step, resource: &WORDS.plugin_action };
        known.rest(&condition.parse().unwrap()).to_string()
    }

    #[test]
    fn what_the_types_say_is_taken_out() {
        for (condition, left) in [
            ("principal is Step", "true"),
            ("principal is User", "false"),
            ("resource has owner", "false"),
            ("resource has tenant", "resource has tenant"),
            ("resource has signature", "true"),
            ("!(resource has owner)", "true"),
            ("principal has requestedBy", "principal has requestedBy"),
            ("context has tenant", "context has tenant"),
            ("resource is Tenant && principal.tenant == resource", "false"),
            ("resource is PluginAction && principal.dryRun", "principal.dryRun"),
            ("principal.dryRun && resource is PluginAction", "principal.dryRun"),
            ("principal.dryRun && resource is Tenant", "false"),
            ("principal.dryRun || resource is Tenant", "principal.dryRun"),
            ("principal.dryRun || resource is PluginAction", "true"),
            ("if resource is Tenant then context.a else context.b", "context.b"),
            ("if principal.dryRun then resource is Tenant else context.b && principal is Step", KEPT),
            ("!(principal.dryRun || !(resource has tenant))", "!principal.dryRun && resource has tenant"),
            ("!(context.a && !context.b)", "!context.a || context.b"),
            ("!(if principal.dryRun then context.a else false)", NEGATED),
            ("[principal is Step].contains(true)", "[principal is Step].contains(true)"),
        ] {
            let left: Expr = left.parse().unwrap();
            assert_eq!(rest(condition), left.to_string(), "{condition}");
        }
    }

    const KEPT: &str = "if principal.dryRun then false else context.b";

    const NEGATED: &str = "if principal.dryRun then !context.a else true";

    #[test]
    fn what_can_fail_is_asked_all_the_same() {
        for (condition, left) in [
            ("context.a + 1 > 0 && resource is Tenant", "context.a + 1 > 0 && false"),
            ("context.a + 1 > 0 || resource is PluginAction", "context.a + 1 > 0 || true"),
            ("resource is Tenant && context.a + 1 > 0", "false"),
            ("context.a + 1 > 0 && principal is Step", "context.a + 1 > 0"),
        ] {
            let left: Expr = left.parse().unwrap();
            assert_eq!(rest(condition), left.to_string(), "{condition}");
        }
    }
}
