//! Questions about rows of the application's table. Rows come as one parameter, a list: each is a JSON
//! list with its number first. PostgreSQL plans by how many there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::texts::RowTexts;
use super::writer::Writer;
use crate::db::{DatabaseError, DbSession, Dialect, LiveColumn, LiveTable, Param, Sql};
use crate::value::{Kind, Value};

/// The questions about one mapped table.
#[derive(Debug)]
pub(super) struct Lookups {
    dialect: Dialect,
    /// Of keys: each as equal keys share it, and the row's own text of it where there is a row.
    resolve: Sql,
    /// Of keys: those that have no row.
    pub(super) absent: Sql,
    /// Of keys: those that have a row.
    pub(super) present: Sql,
    /// Writes one row, and says under which key it is there; on SQLite its `rowid`.
    pub(super) learn: Sql,
    /// Moves one row of the new key and the old one, and says the same.
    pub(super) learn_move: Sql,
    /// On SQLite: the key of the row with this `rowid`. `None` where rows have none.
    by_row_id: Option<Sql>,
    /// Of rows: their obstacles. Those that are about what is looked up come first.
    pub(super) questions: Vec<Question>,
}

/// A query for the obstacles of rows, by one unique index or one foreign key.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) sql: Sql,
    /// The table that the foreign key refers to.
    pub(super) parent: Option<String>,
    /// Which one the index is of those that have mapped columns.
    pub(super) index: Option<usize>,
    /// Whether whatever is found is an obstacle. Otherwise it may only look like one.
    pub(super) is_certain: bool,
    /// Whether it is about a row that is looked up.
    pub(super) is_parent: bool,
}

/// What keeps the database from taking a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Obstacle {
    /// The key of another row, or what a foreign key refers to.
    pub(super) what: String,
    pub(super) index: Option<usize>,
    pub(super) is_certain: bool,
    /// It is a row that is looked up.
    pub(super) is_parent: bool,
}

/// A key as the database compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The text that all equal keys share.
    pub(super) key: String,
    /// The key as the row has it, where there is one.
    pub(super) row: Option<String>,
}

impl Lookups {
    pub(super) fn new(writer: &Writer<'_>, columns: &[LiveColumn], live: &LiveTable) -> Self {
        let size = writer.key.len();
        let (keys, rows) = (writer.rows(size), writer.rows(writer.width(columns)));
        let (table, same) = (writer.table, writer.same("mine", 0));
        let exists = format!("EXISTS (SELECT 1 FROM {table} AS mine WHERE {same})");
        let returned = match writer.dialect {
            Dialect::Postgres => writer.row_key("mine"),
            Dialect::Sqlite if live.row_ids => "rowid".to_owned(),
            Dialect::Sqlite => "0".to_owned(),
        };
        let moved = writer.relocate_rows(&writer.rows(2 * size));
        let by_row_id = (writer.dialect == Dialect::Sqlite && live.row_ids).then(|| {
            format!("SELECT {} FROM {table} AS mine WHERE rowid = $1", writer.row_key("mine"))
                .into()
        });
        let mut questions = writer.lookup_questions(columns, &rows);
        questions.extend(writer.conflict_questions(columns, live, &rows));
        questions.extend(writer.reference_questions(columns, live, &rows));
        Self {
            dialect: writer.dialect,
            resolve: writer.resolve(&keys).into(),
            absent: format!("SELECT given.n FROM {keys} WHERE NOT {exists}").into(),
            present: format!("SELECT given.n FROM {keys} WHERE {exists}").into(),
            learn: writer.write_returning(columns, &rows, &returned).into(),
            learn_move: format!("{moved} RETURNING {returned}").into(),
            by_row_id,
            questions,
        }
    }

    /// The questions about what is looked up: a row must not be written without.
    pub(super) fn parents(&self) -> &[Question] {
        &self.questions[..self.questions.partition_point(|question| question.is_parent)]
    }

    pub(super) async fn resolve(
        &self,
        session: &mut dyn DbSession,
        keys: &[RowTexts],
    ) -> Result<Vec<(usize, Resolved)>, DatabaseError> {
        let kinds = [Kind::Integer, Kind::Text, Kind::Text];
        let found = self.fetch(session, &self.resolve, keys, &kinds).await?;
        let resolved = found.into_iter().filter_map(|row| {
            let [Value::Integer(number), Value::Text(key), row] = &row[..] else { return None };
            let row = if let Value::Text(row) = row { canonical(row) } else { None };
            Some((usize::try_from(*number).ok()?, Resolved { key: canonical(key)?, row }))
        });
        Ok(resolved.collect())
    }

    /// Whether `sql`, which is `absent` or `present`, finds any of these keys.
    pub(super) async fn any(
        &self,
        session: &mut dyn DbSession,
        sql: &Sql,
        keys: &[RowTexts],
    ) -> Result<bool, DatabaseError> {
        Ok(!keys.is_empty() && !self.fetch(session, sql, keys, &[Kind::Integer]).await?.is_empty())
    }

    /// Runs `learn` or `learn_move`; the key that the row is there under, if it is there at all.
    pub(super) async fn stored(
        &self,
        session: &mut dyn DbSession,
        sql: &Sql,
        row: &RowTexts,
    ) -> Result<Option<String>, DatabaseError> {
        let kind = if self.dialect == Dialect::Sqlite { Kind::Integer } else { Kind::Text };
        let mut found = self.fetch(session, sql, std::slice::from_ref(row), &[kind]).await?;
        if let (Some(by_row_id), Some([Value::Integer(id)])) =
            (&self.by_row_id, found.first().map(Vec::as_slice))
        {
            found = session.fetch(by_row_id, &[Param::Integer(*id)], &[Kind::Text]).await?;
        }
        match found.first().map(Vec::as_slice) {
            Some([Value::Text(key)]) => Ok(canonical(key)),
            _ => Ok(None),
        }
    }

    /// The obstacles of these rows, by their number.
    pub(super) async fn ask(
        &self,
        session: &mut dyn DbSession,
        question: &Question,
        rows: &[RowTexts],
    ) -> Result<Vec<(usize, Obstacle)>, DatabaseError> {
        let Question { sql, parent, index, is_certain, is_parent } = question;
        let found = self.fetch(session, sql, rows, &[Kind::Integer, Kind::Text]).await?;
        let obstacles = found.into_iter().filter_map(|row| {
            let [Value::Integer(number), Value::Text(found)] = &row[..] else { return None };
            let found = canonical(found)?;
            let what = parent.as_ref().map(|parent| reference(parent, &found));
            let what = what.unwrap_or(found);
            let (index, is_certain, is_parent) = (*index, *is_certain, *is_parent);
            let obstacle = Obstacle { what, index, is_certain, is_parent };
            Some((usize::try_from(*number).ok()?, obstacle))
        });
        Ok(obstacles.collect())
    }

    async fn fetch(
        &self,
        session: &mut dyn DbSession,
        sql: &Sql,
        rows: &[RowTexts],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, DatabaseError> {
        let numbered = rows.iter().enumerate().map(|(number, row)| {
            let mut list = vec![Json::from(number)];
            list.extend(row.json(self.dialect));
            Json::Array(list).to_string()
        });
        let numbered: Vec<_> = numbered.collect();
        let numbered: Vec<_> = numbered.iter().map(String::as_str).collect();
        session.fetch(sql, &[Param::Texts(&numbered)], kinds).await
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<Sql> {
        let by_row_id = self.by_row_id.iter();
        let several = self.questions.iter().map(|question| &question.sql);
        let one = [&self.resolve, &self.absent, &self.present, &self.learn, &self.learn_move];
        one.into_iter().chain(by_row_id).chain(several).cloned().collect()
    }
}

/// The value of `waits_for` of a row whose foreign key refers to these values.
pub(super) fn reference(parent: &str, values: &str) -> String {
    format!("{parent} {values}")
}

/// A list that the database wrote, as this program writes it.
fn canonical(list: &str) -> Option<String> {
    serde_json::from_str::<Json>(list).ok().map(|list| list.to_string())
}

/// By the key of a task, its obstacles.
pub(super) type Obstacles = BTreeMap<String, BTreeSet<Obstacle>>;
