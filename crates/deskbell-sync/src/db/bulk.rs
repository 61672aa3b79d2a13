//! Statements over many rows of values at once.

use std::sync::Arc;

use super::dialect::Dialect;
use super::parameter::Sql;
use crate::value::Kind;

/// Rows in the largest list of values on SQLite. More rows make it no faster, and its parameters
/// must stay below SQLite's limit of 32,766.
const LIST_ROWS_MAX: usize = 128;
/// At most one in so many rows of a list fills it up: a row costs something, and so does a statement.
const FILLED_UP_PART: usize = 3;

/// A statement that takes rows of values: its text has `given` in its `FROM`, with the columns
/// `column1`, `column2`, ….
#[derive(Debug)]
pub(crate) struct Bulk {
    pub(crate) kinds: Vec<Kind>,
    texts: Texts,
    /// Whether a row that is given twice does what it does once.
    is_idempotent: bool,
}

#[derive(Debug)]
enum Texts {
    /// A text for lists of this many rows, the largest first and the last of one.
    BySize(Vec<(usize, Sql)>),
    /// A text for any number of rows: each column comes as an array.
    Any(Sql),
}

impl Bulk {
    /// The statement that `write` makes around the rows.
    pub(crate) fn new(dialect: Dialect, kinds: Vec<Kind>, write: impl Fn(&str) -> String) -> Self {
        let texts = match dialect {
            Dialect::Sqlite => {
                let sizes = std::iter::successors(Some(LIST_ROWS_MAX), |rows| Some(rows / 2));
                let sizes = sizes.take_while(|rows| *rows > 0);
                let text = |rows| write(&list_of_values(kinds.len(), rows)).into();
                Texts::BySize(sizes.map(|rows| (rows, text(rows))).collect())
            }
            Dialect::Postgres => Texts::Any(write(&arrays(dialect, &kinds)).into()),
        };
        Self { kinds, texts, is_idempotent: false }
    }

    /// As [`Bulk::new`], of a statement to which a row that is given twice does what it does once:
    /// a list may be filled up with its last row, in place of several shorter lists.
    pub(crate) fn idempotent(
        dialect: Dialect,
        kinds: Vec<Kind>,
        write: impl Fn(&str) -> String,
    ) -> Self {
        Self { is_idempotent: true, ..Self::new(dialect, kinds, write) }
    }

    /// The text for the next of `rows` rows, and how many it takes; `None` where there are none
    /// left. It may take a few more than there are, where the statement is idempotent.
    pub(crate) fn text(&self, rows: usize) -> Option<(usize, Sql)> {
        match &self.texts {
            Texts::BySize(sizes) => {
                let at = sizes.iter().position(|(size, _)| *size <= rows)?;
                let larger = at.checked_sub(1).map(|larger| &sizes[larger]);
                let filled_up = larger.filter(|(size, _)| {
                    self.is_idempotent && (size - rows) * FILLED_UP_PART <= *size
                });
                let (size, text) = filled_up.unwrap_or(&sizes[at]);
                Some((*size, Arc::clone(text)))
            }
            Texts::Any(text) => (rows > 0).then(|| (rows, Arc::clone(text))),
        }
    }

    /// The text for the fewest rows.
    pub(crate) fn smallest(&self) -> Sql {
        match &self.texts {
            Texts::BySize(sizes) => {
                sizes.last().map_or_else(|| "".into(), |(_, sql)| Arc::clone(sql))
            }
            Texts::Any(text) => Arc::clone(text),
        }
    }

    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<Sql> {
        match &self.texts {
            Texts::BySize(sizes) => sizes.iter().map(|(_, text)| Arc::clone(text)).collect(),
            Texts::Any(text) => vec![Arc::clone(text)],
        }
    }
}

fn list_of_values(columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    format!("(VALUES {}) AS given", vec![row; rows].join(", "))
}

/// JSON and decimal numbers come as text, as they do from the payload; the server parses them once.
fn arrays(dialect: Dialect, kinds: &[Kind]) -> String {
    let plain = |kind: Kind| match kind {
        Kind::Json | Kind::Decimal => dialect.type_name(Kind::Text),
        kind => dialect.type_name(kind),
    };
    let arrays =
        kinds.iter().enumerate().map(|(i, kind)| format!("${}::{}[]", i + 1, plain(*kind)));
    let names: Vec<_> = (1..=kinds.len()).map(|column| format!("column{column}")).collect();
    let read = kinds.iter().zip(&names).map(|(kind, name)| match kind {
        Kind::Json | Kind::Decimal => format!("{name}::{} AS {name}", dialect.type_name(*kind)),
        _ => name.clone(),
    });
    format!(
        "(SELECT {} FROM UNNEST({}) AS arrays ({})) AS given",
        read.collect::<Vec<_>>().join(", "),
        arrays.collect::<Vec<_>>().join(", "),
        names.join(", "),
    )
}

/// The columns that a [`Bulk`]'s rows have, counted from 1.
pub(crate) fn given(column: usize) -> String {
    format!("given.column{column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of the lists that so many rows come in.
    fn sizes(bulk: &Bulk, mut rows: usize) -> Vec<usize> {
        let mut sizes = Vec::new();
        while let Some((size, _)) = bulk.text(rows) {
            rows = rows.saturating_sub(size);
            sizes.push(size);
        }
        sizes
    }

    #[test]
    fn rows_come_in_few_lists_and_are_given_twice_only_where_that_is_harmless() {
        let write = |given: &str| given.to_owned();
        let exact = Bulk::new(Dialect::Sqlite, vec![Kind::Id], write);
        assert_eq!(sizes(&exact, 300), [128, 128, 32, 8, 4]);
        assert_eq!(sizes(&exact, 7), [4, 2, 1]);
        let filled_up = Bulk::idempotent(Dialect::Sqlite, vec![Kind::Id], write);
        assert_eq!(sizes(&filled_up, 300), [128, 128, 64]);
        assert_eq!(sizes(&filled_up, 7), [8]);
        assert_eq!(sizes(&filled_up, 5), [4, 1]);
        assert!(sizes(&filled_up, 0).is_empty());
    }
}
