//! Statements over many rows of values at once.

use std::sync::Arc;

use crate::entity::Kind;
use crate::schema::Dialect;
use crate::session::Sql;

/// Rows in the largest list of values on SQLite. More rows make it no faster, and its parameters
/// must stay below SQLite's limit of 32,766.
const LIST_ROWS_MAX: usize = 128;

/// A statement that takes rows of values: its text has `given` in its `FROM`, with the columns
/// `column1`, `column2`, ….
#[derive(Debug)]
pub(crate) struct Bulk {
    pub(crate) kinds: Vec<Kind>,
    texts: Texts,
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
        Self { kinds, texts }
    }

    /// The text for as many of `rows` rows as one statement takes, and how many these are; `None`
    /// where there are none left.
    pub(crate) fn text(&self, rows: usize) -> Option<(usize, Sql)> {
        match &self.texts {
            Texts::BySize(sizes) => {
                let (chunk, text) = sizes.iter().find(|(chunk, _)| *chunk <= rows)?;
                Some((*chunk, Arc::clone(text)))
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
