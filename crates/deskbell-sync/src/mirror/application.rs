//! The application's own tables and statements, as far as they fit its database.

use std::sync::Arc;

use crate::db::Refusal;
use crate::mapped::{BoundTable, MappedTableError, MappedTableProblem, PreparedStatement, present};
use crate::mirror_target::{Part, PartKind};

/// The application's own tables and statements in this database, in the config's order.
#[derive(Debug, Default)]
pub(super) struct Application {
    tables: Vec<Option<Arc<BoundTable>>>,
    /// The indexes of the tables that fit, each behind those that it refers to.
    order: Vec<usize>,
    /// Of these, those that refer to another one.
    referring: Vec<usize>,
    pub(super) statements: Vec<Option<Arc<PreparedStatement>>>,
    /// What the statements are known by, in the same order.
    pub(super) statement_names: Vec<String>,
    /// Those that do not fit the database as it is, which are `None` above.
    pub(super) unfit: Vec<Unfit>,
}

/// A table or a statement that does not fit the database: a migration of the application's has not
/// run yet, or the config is wrong.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) part: Part,
    pub(super) error: MappedTableError,
}

impl Unfit {
    pub(super) fn refusal(&self) -> Refusal {
        // The title of a statement says where it is.
        let reason = match self.part.kind {
            PartKind::Statement => self.error.problem.to_string(),
            _ => self.error.to_string(),
        };
        Refusal::of_ours(reason)
    }
}

impl Application {
    /// The tables that fit, by their indexes, each behind those that it refers to.
    pub(super) fn tables(&self) -> impl Iterator<Item = (usize, &BoundTable)> {
        self.at(self.order.iter())
    }

    /// The tables that refer to others, each before those that it refers to.
    pub(super) fn referring_tables(&self) -> impl Iterator<Item = (usize, &BoundTable)> {
        self.at(self.referring.iter().rev())
    }

    fn at<'a>(
        &'a self,
        indexes: impl Iterator<Item = &'a usize>,
    ) -> impl Iterator<Item = (usize, &'a BoundTable)> {
        indexes.filter_map(|index| Some((*index, self.tables.get(*index)?.as_deref()?)))
    }

    /// The statements that fit, by their indexes.
    pub(super) fn statements(&self) -> impl Iterator<Item = (usize, &PreparedStatement)> {
        present(&self.statements)
    }

    pub(super) fn is_unfit(&self, part: &Part) -> bool {
        self.unfit.iter().any(|unfit| unfit.part == *part)
    }

    /// What fits; the rest is noted.
    pub(super) fn fitting<T>(
        &mut self,
        found: Result<T, MappedTableProblem>,
        part: Part,
        declared_at: &str,
    ) -> Option<T> {
        found
            .map_err(|problem| {
                let declared_at = declared_at.to_owned();
                self.unfit.push(Unfit { part, error: MappedTableError { declared_at, problem } });
            })
            .ok()
    }

    pub(super) fn set_tables(&mut self, tables: Vec<Option<Arc<BoundTable>>>) {
        let fit = tables.iter().enumerate();
        let fit: Vec<_> =
            fit.filter_map(|(index, table)| Some((index, table.as_deref()?))).collect();
        (self.order, self.referring) = BoundTable::in_order_of_references(&fit);
        self.tables = tables;
    }

    /// What fits no more is taken as it was, so that the database itself says what is wrong.
    pub(super) fn or_as_known(mut self, known: &Self) -> Self {
        let mut tables = std::mem::take(&mut self.tables);
        fill(&mut tables, &known.tables);
        self.set_tables(tables);
        fill(&mut self.statements, &known.statements);
        let tables = self.tables.iter().flatten().map(|table| (PartKind::Mapped, table.name()));
        let statements = self.statements.iter().flatten();
        let statements = statements.map(|target| (PartKind::Statement, target.name()));
        let fit: Vec<_> = tables.chain(statements).collect();
        self.unfit.retain(|unfit| !fit.iter().any(|(kind, name)| unfit.part.is(*kind, name)));
        self
    }
}

fn fill<T>(found: &mut [Option<Arc<T>>], known: &[Option<Arc<T>>]) {
    for (found, known) in found.iter_mut().zip(known) {
        if found.is_none() {
            found.clone_from(known);
        }
    }
}
