//! Which fields an expression asks for, and whether the entities have them.

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, operators};

use super::chain::last_step;
use super::{Compiler, Variable};
use crate::error::ExpressionError;
use crate::path::{Path, Step};
use crate::roots;
use crate::unknown::UnknownPath;

/// What a node of an expression is known to be.
enum Known {
    /// What this path leads to.
    Path(Path),
    /// A list that a loop makes of what this path leads to.
    ListOf(Path),
}

impl Compiler<'_> {
    /// Refuses a member that the entity does not have, also of an element of a list: a loop's variable,
    /// or `list.filter(…)[0]`. `field` is one more member at the end of the node.
    pub(super) fn check_fields(
        &mut self,
        node: &IdedExpr,
        field: Option<&str>,
    ) -> Result<(), ExpressionError> {
        if field.is_none() && last_step(node).is_none() {
            return Ok(());
        }
        let Some(Known::Path(mut path)) = self.known(node) else { return Ok(()) };
        path.steps.extend(field.map(|field| Step::Member(field.to_owned())));
        let column = self.column(start(node));
        if let Some(unknown) = UnknownPath::typed(&path, column) {
            return Err(ExpressionError::UnknownField(Box::new(unknown)));
        }
        if roots::UNTYPED.contains(&path.root) {
            self.untyped.push((path, column));
        }
        Ok(())
    }

    /// The path to the elements of what a loop goes through; `None` where it is no list.
    pub(super) fn element_of(&mut self, range: &IdedExpr) -> Option<Path> {
        let path = match self.known(range)? {
            Known::ListOf(element) => return Some(element),
            Known::Path(Path { root, mut steps }) => {
                steps.push(Step::Element(0));
                Path { root, steps }
            }
        };
        UnknownPath::typed(&path, 0).is_none().then_some(path)
    }

    fn known(&mut self, node: &IdedExpr) -> Option<Known> {
        match &node.expr {
            Expr::Ident(name) => match self.root(name) {
                Some(root) => Some(Known::Path(Path { root, steps: Vec::new() })),
                None => self.variable(name)?.element.clone().map(Known::Path),
            },
            Expr::Comprehension(comprehension) => self.made_of(comprehension).map(Known::ListOf),
            _ => {
                let (operand, step) = last_step(node)?;
                match (self.known(operand)?, step) {
                    (Known::Path(mut path), Some(step)) => {
                        path.steps.push(step);
                        Some(Known::Path(path))
                    }
                    (Known::ListOf(element), Some(Step::Element(_))) => Some(Known::Path(element)),
                    _ => None,
                }
            }
        }
    }

    /// What the elements of a loop's list are, as of `filter` and `map`.
    fn made_of(&mut self, node: &ComprehensionExpr) -> Option<Path> {
        let element = self.element_of(&node.iter_range);
        self.variables.push(Variable { name: node.iter_var.clone(), element });
        let added = added(node).and_then(|added| self.known(added));
        self.variables.pop();
        match added? {
            Known::Path(path) => Some(path),
            Known::ListOf(_) => None,
        }
    }
}

/// What a loop adds to its list for an element: `@result + [it]`, on a condition or not.
fn added(node: &ComprehensionExpr) -> Option<&IdedExpr> {
    let mut step = &node.loop_step;
    if let Expr::Call(call) = &step.expr
        && call.func_name == operators::CONDITIONAL
    {
        step = call.args.get(1)?;
    }
    let Expr::Call(call) = &step.expr else { return None };
    match call.args.as_slice() {
        [IdedExpr { expr: Expr::Ident(name), .. }, IdedExpr { expr: Expr::List(list), .. }]
            if call.func_name == operators::ADD && *name == node.accu_var =>
        {
            list.elements.first()
        }
        _ => None,
    }
}

/// The node that a chain begins at: errors point there.
fn start(mut node: &IdedExpr) -> u64 {
    loop {
        node = match (&node.expr, last_step(node)) {
            (_, Some((operand, _))) => operand,
            (Expr::Comprehension(comprehension), None) => &comprehension.iter_range,
            _ => return node.id,
        };
    }
}
