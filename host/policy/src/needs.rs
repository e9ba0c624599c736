//! What the policies of a slice look at. Facts that none of them names are not built.

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, Var};

/// Names of fields, wherever they stand: a policy that reads `tenant` of the principal makes `tenant` of the resource
/// needed too, which is a little more than would do.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    fields: Names,
    tags: Names,
    /// Something is asked to be `in` something.
    pub ancestors: bool,
    /// A condition speaks of the action; scopes do not count, since a slice is of one action.
    pub action: bool,
}

#[derive(Debug, Default)]
struct Names {
    every: bool,
    /// A few: looked through from end to end.
    listed: Vec<String>,
}

impl Needs {
    pub fn extend<'a>(&mut self, conditions: impl IntoIterator<Item = &'a Expr>) {
        for condition in conditions {
            self.add(condition);
        }
    }

    /// Nothing is left out.
    #[cfg(test)]
    pub fn everything() -> Self {
        let every = || Names { every: true, ..Names::default() };
        Self { fields: every(), tags: every(), ancestors: true, action: true }
    }

    /// An attribute of an entity, or a field of the context.
    pub fn field(&self, name: &str) -> bool {
        self.fields.contain(name)
    }

    pub fn tag(&self, key: &str) -> bool {
        self.tags.contain(key)
    }

    fn add(&mut self, condition: &Expr) {
        // Contexts that are seen, less those of which one field is taken: the rest are looked at whole.
        let mut whole_contexts = 0_i64;
        for part in condition.subexpressions() {
            match part.expr_kind() {
                ExprKind::Var(Var::Context) => whole_contexts += 1,
                ExprKind::Var(Var::Action) => self.action = true,
                ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } => {
                    whole_contexts -= i64::from(is_context(expr));
                    self.fields.list(attr);
                }
                ExprKind::ExtHasAttr { expr, attrs } => {
                    whole_contexts -= i64::from(is_context(expr));
                    attrs.iter().for_each(|attr| self.fields.list(attr));
                }
                ExprKind::BinaryApp { op: BinaryOp::In, .. } => self.ancestors = true,
                ExprKind::BinaryApp { op: BinaryOp::GetTag | BinaryOp::HasTag, arg2, .. } => {
                    self.tags.add(arg2);
                }
                _ => {}
            }
        }
        self.fields.every |= whole_contexts > 0;
    }
}

impl Names {
    fn add(&mut self, name: &Expr) {
        match name.expr_kind() {
            ExprKind::Lit(Literal::String(name)) => self.list(name),
            // Computed: any.
            _ => self.every = true,
        }
    }

    fn list(&mut self, name: &str) {
        if !self.contain(name) {
            self.listed.push(name.to_owned());
        }
    }

    fn contain(&self, name: &str) -> bool {
        self.every || self.listed.iter().any(|listed| listed == name)
    }
}

fn is_context(expr: &Expr) -> bool {
    matches!(expr.expr_kind(), ExprKind::Var(Var::Context))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(condition: &str) -> Needs {
        let mut needs = Needs::default();
        needs.extend([&condition.parse::<Expr>().unwrap()]);
        needs
    }

    #[test]
    fn fields_are_needed_when_they_are_named() {
        let needs = of("context has ip && context.auth.mfa || resource has a.b");
        for name in ["ip", "auth", "mfa", "a", "b"] {
            assert!(needs.field(name), "{name}");
        }
        assert!(!needs.field("now") && !needs.tag("ip") && !needs.ancestors && !needs.action);
    }

    #[test]
    fn a_context_that_is_looked_at_whole_needs_every_field() {
        for whole in ["context == {}", "[context].contains({})", "context.a == 1 && {b: context}.b.c == 2"] {
            assert!(of(whole).field("now"), "{whole}");
        }
    }

    #[test]
    fn a_tag_is_needed_by_its_key_and_every_tag_by_a_key_that_is_computed() {
        let needs = of("resource.hasTag(\"team\") && resource.getTag(\"cost\") == \"1\"");
        assert!(needs.tag("team") && needs.tag("cost") && !needs.tag("class"));
        assert!(of("resource.hasTag(context.path)").tag("class"));
    }

    #[test]
    fn ancestors_and_the_action_are_needed_when_a_condition_asks_for_them() {
        assert!(of("principal in Role::\"viewer\"").ancestors);
        assert!(of("action == Action::\"intent.view\"").action);
    }
}
