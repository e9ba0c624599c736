//! Who asks, and what for: the two sides of a request that conditions read by a variable.

use cedar_policy_core::ast::{Expr, ExprKind, Var};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Principal,
    Resource,
}

impl Side {
    pub fn variable(self) -> Expr {
        Expr::var(match self {
            Self::Principal => Var::Principal,
            Self::Resource => Var::Resource,
        })
    }

    /// None: it is neither of them.
    pub fn of(expr: &Expr) -> Option<Self> {
        match expr.expr_kind() {
            ExprKind::Var(Var::Principal) => Some(Self::Principal),
            ExprKind::Var(Var::Resource) => Some(Self::Resource),
            _ => None,
        }
    }
}
