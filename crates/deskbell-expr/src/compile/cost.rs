//! What a loop's body costs at each element, beside the values that it uses.

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

use crate::meter::{NODE_UNITS, text_units};

/// The units of a tree; of a loop in it, only what it goes through: it charges for its own body.
pub(super) fn of_element(node: &IdedExpr) -> usize {
    let below: usize = match &node.expr {
        Expr::Call(call) => {
            call.target.iter().map(|target| of_element(target)).sum::<usize>() + of_all(&call.args)
        }
        Expr::Select(select) => of_element(&select.operand),
        Expr::List(list) => of_all(&list.elements),
        Expr::Map(map) => map.entries.iter().map(|entry| of_entry(&entry.expr)).sum(),
        Expr::Comprehension(inner) => of_element(&inner.iter_range) + of_element(&inner.accu_init),
        Expr::Literal(LiteralValue::String(text)) => usize_of(text_units(text.inner())),
        _ => 0,
    };
    usize_of(NODE_UNITS) + below
}

fn of_all(nodes: &[IdedExpr]) -> usize {
    nodes.iter().map(of_element).sum()
}

fn of_entry(entry: &EntryExpr) -> usize {
    match entry {
        EntryExpr::MapEntry(entry) => of_element(&entry.key) + of_element(&entry.value),
        EntryExpr::StructField(field) => of_element(&field.value),
    }
}

fn usize_of(units: u64) -> usize {
    usize::try_from(units).unwrap_or(usize::MAX)
}
