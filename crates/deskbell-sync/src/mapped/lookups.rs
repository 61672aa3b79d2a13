//! Questions about rows of the application's table. Rows come as one parameter, a list: each is a JSON
//! list with its number first. PostgreSQL plans by how many there are.

use serde_json::Value as Json;

use super::live::{LiveColumn, LiveTable};
use super::table_sql::Texts;
use super::writer::{Writer, list};
use crate::entity::Kind;
use crate::schema::{Dialect, quoted};
use crate::session::{DatabaseError, Param, Session, Sql};
use crate::value::Value;

/// The questions about one mapped table.
#[derive(Debug)]
pub(super) struct Lookups {
    dialect: Dialect,
    /// Of keys: each as equal keys share it, and the row's own text of it where there is a row.
    resolve: Sql,
    /// Of keys: those that have no row.
    absent: Sql,
    /// Of keys: those that have a row.
    present: Sql,
    /// Writes one row, and says under which key it is there; on SQLite its `rowid`.
    learn: Sql,
    /// Moves one row of the new key and the old one, and says the same.
    learn_move: Sql,
    /// On SQLite: the key of the row with this `rowid`. `None` where rows have none.
    by_row_id: Option<Sql>,
    /// Of rows, for each unique index: the keys of other rows that have what these must have alone.
    in_the_way: Vec<Sql>,
    /// Of rows, for each foreign key: the table that it refers to, and the values that are not there.
    missing: Vec<(String, Sql)>,
}

/// What the database says of a key.
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
        let (keys, rows) = (writer.rows(size), writer.rows(size + columns.len()));
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
        Self {
            dialect: writer.dialect,
            resolve: writer.resolve(&keys).into(),
            absent: format!("SELECT given.n FROM {keys} WHERE NOT {exists}").into(),
            present: format!("SELECT given.n FROM {keys} WHERE {exists}").into(),
            learn: writer.write_returning(columns, &rows, &returned).into(),
            learn_move: format!("{moved} RETURNING {returned}").into(),
            by_row_id,
            in_the_way: writer.in_the_way(columns, live, &rows),
            missing: writer.missing(columns, live, &rows),
        }
    }

    pub(super) async fn resolve(
        &self,
        session: &mut dyn Session,
        keys: &[Texts],
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

    /// Which of these keys have no row.
    pub(super) async fn absent(
        &self,
        session: &mut dyn Session,
        keys: &[Texts],
    ) -> Result<Vec<usize>, DatabaseError> {
        self.numbers(session, &self.absent, keys).await
    }

    /// Which of these keys have a row.
    pub(super) async fn present(
        &self,
        session: &mut dyn Session,
        keys: &[Texts],
    ) -> Result<Vec<usize>, DatabaseError> {
        self.numbers(session, &self.present, keys).await
    }

    /// Writes the row; the key that it is there under, if it is there at all.
    pub(super) async fn learn(
        &self,
        session: &mut dyn Session,
        row: &Texts,
    ) -> Result<Option<String>, DatabaseError> {
        self.stored(session, &self.learn, row).await
    }

    /// Moves a row of the new key and the old one; the key that it is there under, if one moved.
    pub(super) async fn learn_move(
        &self,
        session: &mut dyn Session,
        row: &Texts,
    ) -> Result<Option<String>, DatabaseError> {
        self.stored(session, &self.learn_move, row).await
    }

    async fn stored(
        &self,
        session: &mut dyn Session,
        sql: &Sql,
        row: &Texts,
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

    /// What stands in the way of these rows: by their number, keys of other rows.
    pub(super) async fn in_the_way(
        &self,
        session: &mut dyn Session,
        rows: &[Texts],
    ) -> Result<Vec<(usize, String)>, DatabaseError> {
        let mut found = Vec::new();
        for sql in &self.in_the_way {
            found.extend(self.pairs(session, sql, rows).await?);
        }
        Ok(found)
    }

    /// What these rows refer to that is not there yet: by their number, the table and the values.
    pub(super) async fn missing(
        &self,
        session: &mut dyn Session,
        rows: &[Texts],
    ) -> Result<Vec<(usize, String)>, DatabaseError> {
        let mut found = Vec::new();
        for (parent, sql) in &self.missing {
            let pairs = self.pairs(session, sql, rows).await?;
            let named = pairs.into_iter().map(|(row, values)| (row, reference(parent, &values)));
            found.extend(named);
        }
        Ok(found)
    }

    async fn pairs(
        &self,
        session: &mut dyn Session,
        sql: &Sql,
        rows: &[Texts],
    ) -> Result<Vec<(usize, String)>, DatabaseError> {
        let found = self.fetch(session, sql, rows, &[Kind::Integer, Kind::Text]).await?;
        let pairs = found.into_iter().filter_map(|row| match &row[..] {
            [Value::Integer(number), Value::Text(key)] => {
                Some((usize::try_from(*number).ok()?, canonical(key)?))
            }
            _ => None,
        });
        Ok(pairs.collect())
    }

    async fn numbers(
        &self,
        session: &mut dyn Session,
        sql: &Sql,
        keys: &[Texts],
    ) -> Result<Vec<usize>, DatabaseError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.fetch(session, sql, keys, &[Kind::Integer]).await?;
        let number = |row: Vec<Value>| match row[..] {
            [Value::Integer(number)] => usize::try_from(number).ok(),
            _ => None,
        };
        Ok(found.into_iter().filter_map(number).collect())
    }

    async fn fetch(
        &self,
        session: &mut dyn Session,
        sql: &Sql,
        rows: &[Texts],
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
        let several = self.in_the_way.iter().chain(self.missing.iter().map(|(_, sql)| sql));
        let one = [&self.resolve, &self.absent, &self.present, &self.learn, &self.learn_move];
        one.into_iter().chain(by_row_id).chain(several).cloned().collect()
    }
}

/// What a row waits for whose foreign key refers to these values.
pub(super) fn reference(parent: &str, values: &str) -> String {
    format!("{parent} {values}")
}

/// A list that the database wrote, as this program writes it.
fn canonical(list: &str) -> Option<String> {
    serde_json::from_str::<Json>(list).ok().map(|list| list.to_string())
}

impl Writer<'_> {
    /// What takes the place of a bulk's rows where they come as JSON.
    fn rows(&self, columns: usize) -> String {
        let item = |index: usize| match self.dialect {
            Dialect::Postgres => format!("list.item::json ->> {index} AS column{index}"),
            Dialect::Sqlite => format!("value ->> {index} AS column{index}"),
        };
        let items = list((1..=columns).map(item));
        match self.dialect {
            Dialect::Postgres => format!(
                "(SELECT (list.item::json ->> 0)::bigint AS n, {items}
                  FROM UNNEST($1::text[]) AS list (item)) AS given"
            ),
            Dialect::Sqlite => {
                format!("(SELECT value ->> 0 AS n, {items} FROM json_each($1)) AS given")
            }
        }
    }

    fn resolve(&self, keys: &str) -> String {
        let all_the_same = self.key.iter().all(|column| column.deterministic);
        let cast = |(index, column): (usize, &LiveColumn)| self.cast(index, column);
        let given = self.key.iter().enumerate();
        let shared = list(given.clone().map(|(index, column)| {
            let value = self.cast(index, column);
            if column.deterministic {
                return self.shared(column, &value);
            }
            format!(
                "coalesce(mine.{}::text, first_value({value}::text) OVER equal)",
                quoted(&column.name)
            )
        }));
        let mut sql = format!(
            "SELECT given.n, {}, CASE WHEN mine.{} IS NOT NULL THEN {} END
             FROM {keys} LEFT JOIN {} AS mine ON {}",
            self.json(&shared),
            quoted(&self.key[0].name),
            self.row_key("mine"),
            self.table,
            self.same("mine", 0),
        );
        if !all_the_same {
            let texts = given
                .clone()
                .map(|(index, column)| format!("{}::text COLLATE \"C\"", self.cast(index, column)));
            let window =
                list(given.map(cast).zip(self.key).map(
                    |(value, column)| match &column.collation {
                        Some(collation) => format!("{value} COLLATE {collation}"),
                        None => value,
                    },
                ));
            sql += &format!(" WINDOW equal AS (PARTITION BY {window} ORDER BY {})", list(texts));
        }
        sql
    }

    /// A value as all that are equal to it share it.
    fn shared(&self, column: &LiveColumn, value: &str) -> String {
        match (self.dialect, &*column.type_name, column.collation.as_deref()) {
            (Dialect::Postgres, "citext", _) => format!("lower({value}::text)"),
            (Dialect::Postgres, "numeric", _) => format!("trim_scale({value})::text"),
            (Dialect::Postgres, ..) => format!("{value}::text"),
            (Dialect::Sqlite, _, Some("NOCASE")) => format!("lower({value})"),
            (Dialect::Sqlite, _, Some("RTRIM")) => format!("rtrim({value}, ' ')"),
            (Dialect::Sqlite, ..) => value.to_owned(),
        }
    }

    /// The key of the row with this alias as equal keys share it.
    fn shared_key(&self, alias: &str) -> String {
        let parts = self.key.iter().map(|column| {
            let value = format!("{alias}.{}", quoted(&column.name));
            self.shared(column, &value)
        });
        self.json(&list(parts))
    }

    /// The key of the row with this alias as it stands there.
    fn row_key(&self, alias: &str) -> String {
        let parts = self.key.iter().map(|column| {
            let value = format!("{alias}.{}", quoted(&column.name));
            match self.dialect {
                Dialect::Postgres => format!("{value}::text"),
                Dialect::Sqlite => value,
            }
        });
        self.json(&list(parts))
    }

    fn json(&self, values: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("json_build_array({values})::text"),
            Dialect::Sqlite => format!("json_array({values})"),
        }
    }

    fn position<'c>(&self, columns: &'c [LiveColumn], name: &str) -> Option<(usize, &'c LiveColumn)>
    where
        Self: 'c,
    {
        let at = columns.iter().position(|column| column.name == name)?;
        Some((self.key.len() + at, &columns[at]))
    }

    fn in_the_way(&self, columns: &[LiveColumn], live: &LiveTable, rows: &str) -> Vec<Sql> {
        let is_key = |name: &String| self.key.iter().any(|column| column.name == *name);
        let mut statements = Vec::new();
        for index in &live.unique {
            let mapped = index.columns.iter().filter_map(|name| self.position(columns, name));
            let same = mapped.map(|(at, column)| {
                format!("other.{} = {}", quoted(&column.name), self.cast(at, column))
            });
            let mut same: Vec<_> = same.collect();
            if same.is_empty() {
                continue;
            }
            let of_key = self.key.iter().enumerate().filter(|(_, column)| {
                index.columns.iter().any(|name| is_key(name) && *name == column.name)
            });
            same.extend(of_key.map(|(at, column)| {
                format!("other.{} = {}", quoted(&column.name), self.cast(at, column))
            }));
            statements.push(
                format!(
                    "SELECT given.n, {} FROM {rows} JOIN {} AS other ON {} AND NOT ({})",
                    self.shared_key("other"),
                    self.table,
                    same.join(" AND "),
                    self.same("other", 0),
                )
                .into(),
            );
        }
        statements
    }

    fn missing(&self, columns: &[LiveColumn], live: &LiveTable, rows: &str) -> Vec<(String, Sql)> {
        let find = |name: &String| {
            let key = self.key.iter().position(|column| column.name == *name);
            key.map(|at| (at, &self.key[at])).or_else(|| self.position(columns, name))
        };
        let mut statements = Vec::new();
        for foreign in &live.foreign_keys {
            let found: Option<Vec<_>> = foreign.columns.iter().map(find).collect();
            let Some(found) = found else { continue };
            let values: Vec<_> = found.iter().map(|(at, column)| self.cast(*at, column)).collect();
            let is_given: Vec<_> =
                values.iter().map(|value| format!("{value} IS NOT NULL")).collect();
            let same = foreign.parent_columns.iter().zip(&values);
            let same = same.map(|(name, value)| format!("other.{} = {value}", quoted(name)));
            let texts = values.iter().map(|value| match self.dialect {
                Dialect::Postgres => format!("{value}::text"),
                Dialect::Sqlite => value.clone(),
            });
            statements.push((
                foreign.parent.clone(),
                format!(
                    "SELECT given.n, {} FROM {rows} WHERE {} AND NOT EXISTS
                     (SELECT 1 FROM {} AS other WHERE {})",
                    self.json(&list(texts)),
                    is_given.join(" AND "),
                    foreign.parent,
                    same.collect::<Vec<_>>().join(" AND "),
                )
                .into(),
            ));
        }
        statements
    }
}
