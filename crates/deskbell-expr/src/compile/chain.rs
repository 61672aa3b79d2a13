//! Members, one behind the other, in CEL's tree.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use crate::path::Step;

/// Members and the name that they begin at.
pub(super) struct Chain<'n> {
    pub(super) name: &'n str,
    pub(super) steps: Vec<Step>,
}

impl<'n> Chain<'n> {
    /// The chain that a node is; `None` where it is none, or takes a member that is only known later.
    pub(super) fn of(mut node: &'n IdedExpr) -> Option<Self> {
        let mut steps = Vec::new();
        loop {
            match &node.expr {
                Expr::Ident(name) => {
                    steps.reverse();
                    return Some(Self { name, steps });
                }
                _ => {
                    let (operand, step) = last_step(node)?;
                    steps.push(step?);
                    node = operand;
                }
            }
        }
    }
}

/// What a node takes a member of, and the member, where it is written as a text or a number.
pub(super) fn last_step(node: &IdedExpr) -> Option<(&IdedExpr, Option<Step>)> {
    match &node.expr {
        Expr::Select(select) if !select.test => {
            Some((&select.operand, Some(Step::Member(select.field.clone()))))
        }
        Expr::Call(call) if takes_member(call) => {
            Some((&call.args[0], literal_step(&call.args[1])))
        }
        _ => None,
    }
}

/// Whether a call is `a[b]`, `a.?b` or `a[?b]`. What is optional is no different from the rest: any
/// member that is missing is null.
pub(super) fn takes_member(call: &CallExpr) -> bool {
    let operators = [operators::INDEX, operators::OPT_SELECT, operators::OPT_INDEX];
    operators.contains(&call.func_name.as_str()) && call.args.len() == 2
}

fn literal_step(node: &IdedExpr) -> Option<Step> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(name)) => Some(Step::Member(name.inner().to_owned())),
        Expr::Literal(LiteralValue::Int(index)) => {
            usize::try_from(*index.inner()).ok().map(Step::Element)
        }
        _ => None,
    }
}
