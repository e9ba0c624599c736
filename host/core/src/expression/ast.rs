//! Reading the syntax tree of an expression: what it refers to, and whether it is only a path.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use crate::limits::EXPRESSION_LEVELS_MAX;

/// One part of a path after its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Key(String),
    Index(usize),
}

/// `root.a["b"][0]`, without anything to compute.
pub(super) fn as_path(expr: &IdedExpr) -> Option<(String, Vec<Segment>)> {
    let mut segments = Vec::new();
    let mut at = expr;
    loop {
        match &at.expr {
            Expr::Ident(name) => {
                segments.reverse();
                return Some((name.clone(), segments));
            }
            Expr::Select(select) if !select.test => {
                segments.push(Segment::Key(select.field.clone()));
                at = &select.operand;
            }
            Expr::Call(call) => {
                let (operand, segment) = as_index(call)?;
                segments.push(segment);
                at = operand;
            }
            _ => return None,
        }
    }
}

/// `x["a"]` or `x[0]`.
fn as_index(call: &CallExpr) -> Option<(&IdedExpr, Segment)> {
    let [operand, index] = call.args.as_slice() else { return None };
    if call.func_name != operators::INDEX {
        return None;
    }
    match &index.expr {
        Expr::Literal(LiteralValue::String(key)) => Some((operand, Segment::Key(key.inner().to_owned()))),
        Expr::Literal(LiteralValue::Int(at)) => {
            Some((operand, Segment::Index(usize::try_from(*at.inner()).ok()?)))
        }
        _ => None,
    }
}

/// What an expression refers to.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Free variables, in order of appearance, without repeats.
    pub variables: Vec<String>,
    /// Ids of steps.
    pub steps: Vec<String>,
    /// `steps` is used in another way than `steps.id` or `steps["id"]`.
    pub steps_computed: bool,
    /// The deepest nesting of comprehensions.
    pub comprehensions: usize,
    /// It has more levels than allowed; what lies below them was not read.
    pub too_deep: bool,
}

pub(super) fn references(expr: &IdedExpr) -> References {
    let mut walk = Walk::default();
    walk.visit(expr, 0);
    walk.found
}

#[derive(Default)]
struct Walk {
    found: References,
    bound: Vec<String>,
    level: usize,
}

impl Walk {
    fn visit(&mut self, at: &IdedExpr, depth: usize) {
        if self.level == EXPRESSION_LEVELS_MAX {
            self.found.too_deep = true;
            return;
        }
        self.level += 1;
        self.visit_expr(at, depth);
        self.level -= 1;
    }

    fn visit_expr(&mut self, at: &IdedExpr, depth: usize) {
        if let Some(step) = step_of(&at.expr) {
            self.found.steps.push(step.to_owned());
            self.name("steps");
            return;
        }
        match &at.expr {
            Expr::Ident(name) => {
                self.found.steps_computed |= name == "steps" && !self.bound.contains(name);
                self.name(name);
            }
            Expr::Select(select) => self.visit(&select.operand, depth),
            Expr::Call(call) => {
                call.target.iter().for_each(|target| self.visit(target, depth));
                call.args.iter().for_each(|arg| self.visit(arg, depth));
            }
            Expr::List(list) => list.elements.iter().for_each(|item| self.visit(item, depth)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.visit_entry(&entry.expr, depth)),
            Expr::Struct(made) => made.entries.iter().for_each(|entry| self.visit_entry(&entry.expr, depth)),
            Expr::Comprehension(_) => self.visit_comprehension(&at.expr, depth + 1),
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn visit_entry(&mut self, entry: &EntryExpr, depth: usize) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value, depth),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, depth);
                self.visit(&entry.value, depth);
            }
        }
    }

    fn visit_comprehension(&mut self, expr: &Expr, depth: usize) {
        let Expr::Comprehension(made) = expr else { return };
        self.found.comprehensions = self.found.comprehensions.max(depth);
        self.visit(&made.iter_range, depth);
        self.visit(&made.accu_init, depth);
        let before = self.bound.len();
        self.bound.extend([made.iter_var.clone(), made.accu_var.clone()]);
        self.bound.extend(made.iter_var2.clone());
        for part in [&made.loop_cond, &made.loop_step, &made.result] {
            self.visit(part, depth);
        }
        self.bound.truncate(before);
    }

    fn name(&mut self, name: &str) {
        let known = self.bound.iter().chain(&self.found.variables).any(|known| known == name);
        if !known {
            self.found.variables.push(name.to_owned());
        }
    }
}

/// `steps.id` or `steps["id"]`: the id.
fn step_of(expr: &Expr) -> Option<&str> {
    let is_steps = |operand: &IdedExpr| matches!(&operand.expr, Expr::Ident(name) if name == "steps");
    match expr {
        Expr::Select(select) if is_steps(&select.operand) => Some(&select.field),
        Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [operand, index] if is_steps(operand) => match &index.expr {
                Expr::Literal(LiteralValue::String(id)) => Some(id.inner()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
