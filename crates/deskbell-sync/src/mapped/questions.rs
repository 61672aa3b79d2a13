//! The texts of the questions about rows of the application's table.

use std::collections::BTreeSet;

use super::lookups::Question;
use super::writer::{Writer, list};
use crate::db::{
    Dialect, ForeignKey, LiveColumn, LiveLookup, LiveTable, UniqueIndex, given as given_text,
    quoted,
};

impl Writer<'_> {
    /// The rows of a bulk statement, given as JSON.
    pub(super) fn rows(&self, columns: usize) -> String {
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

    pub(super) fn resolve(&self, keys: &str) -> String {
        let all_the_same = self.key.iter().all(|column| column.deterministic);
        let cast = |(index, column): (usize, &LiveColumn)| self.cast(index, column);
        let given = self.key.iter().enumerate();
        let shared = list(given.clone().map(|(index, column)| {
            if column.lookup.is_some() {
                return given_text(index + 1);
            }
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
        match (self.dialect, &*column.base, column.collation.as_deref()) {
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
            match &column.lookup {
                Some(lookup) => self.found_by(lookup, &value),
                None => self.shared(column, &value),
            }
        });
        self.json(&list(parts))
    }

    /// The key of the row with this alias, as stored.
    pub(super) fn row_key(&self, alias: &str) -> String {
        let parts = self.key.iter().map(|column| {
            let value = format!("{alias}.{}", quoted(&column.name));
            match (&column.lookup, self.dialect) {
                (Some(lookup), _) => self.found_by(lookup, &value),
                (None, Dialect::Postgres) => format!("{value}::text"),
                (None, Dialect::Sqlite) => value,
            }
        });
        self.json(&list(parts))
    }

    /// The list of texts by which a value is looked up.
    fn found_by(&self, lookup: &LiveLookup, value: &str) -> String {
        let LiveLookup { parent, by, column } = lookup;
        let texts = by.iter().map(|column| {
            let value = format!("parent.{}", quoted(&column.name));
            match self.dialect {
                Dialect::Postgres => format!("{value}::text"),
                Dialect::Sqlite => format!("CAST({value} AS TEXT)"),
            }
        });
        // As a text, and not as a list within the list that it is put in.
        let list = format!("{} || ''", self.json(&list(texts)));
        format!("(SELECT {list} FROM {parent} AS parent WHERE parent.{} = {value})", quoted(column))
    }

    fn json(&self, values: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("json_build_array({values})::text"),
            Dialect::Sqlite => format!("json_array({values})"),
        }
    }

    /// The position of a mapped column in a row of the key and the mapped columns.
    fn position<'c>(
        &self,
        columns: &'c [LiveColumn],
        name: &str,
    ) -> Option<(usize, &'c LiveColumn)> {
        let at = columns.iter().position(|column| column.name == name)?;
        Some((self.key.len() + at, &columns[at]))
    }

    /// The same, also of a column of the key.
    fn find<'c>(
        &'c self,
        columns: &'c [LiveColumn],
        name: &str,
    ) -> Option<(usize, &'c LiveColumn)> {
        let of_key = self.key.iter().position(|column| column.name == name);
        of_key.map(|at| (at, &self.key[at])).or_else(|| self.position(columns, name))
    }

    /// For each unique index that has mapped columns: the keys of other rows that have what a row must
    /// have alone.
    pub(super) fn conflict_questions(
        &self,
        columns: &[LiveColumn],
        live: &LiveTable,
        rows: &str,
    ) -> Vec<Question> {
        let indexes = self.shared_indexes(columns, live).enumerate();
        let question = |(index, unique)| self.conflict_question(columns, index, unique, rows);
        indexes.map(question).collect()
    }

    /// The unique indexes in which rows of different keys may conflict.
    pub(super) fn shared_indexes<'l>(
        &self,
        columns: &[LiveColumn],
        live: &'l LiveTable,
    ) -> impl Iterator<Item = &'l UniqueIndex> {
        let has_mapped = |index: &&UniqueIndex| {
            index.columns.iter().any(|name| self.position(columns, name).is_some())
        };
        live.unique.iter().filter(has_mapped)
    }

    fn conflict_question(
        &self,
        columns: &[LiveColumn],
        index: usize,
        unique: &UniqueIndex,
        rows: &str,
    ) -> Question {
        let known = unique.columns.iter().filter_map(|name| self.find(columns, name));
        let known: Vec<_> = known.collect();
        let same = known.iter().map(|(at, column)| {
            let mut column = LiveTable::compared(column, unique);
            if self.dialect == Dialect::Sqlite && !unique.collations.contains_key(&column.name) {
                // Also where the column itself is compared in another way.
                column.collation = Some("BINARY".to_owned());
            }
            self.equal("other", *at, &column)
        });
        // Rows that the index does not cover are in nobody's way.
        let covered = unique.predicate.as_ref().map(|predicate| {
            let of_index = known.iter().map(|(_, column)| &column.name);
            let of_key = self.key.iter().map(|column| &column.name);
            let names: BTreeSet<_> = of_index.chain(of_key).collect();
            let names = list(names.into_iter().map(|name| quoted(name)));
            format!("(SELECT {names} FROM {} WHERE {predicate}\n)", self.table)
        });
        let sql = format!(
            "SELECT given.n, {} FROM {rows} JOIN {} AS other ON {} AND NOT ({})",
            self.shared_key("other"),
            covered.as_deref().unwrap_or(self.table),
            same.collect::<Vec<_>>().join(" AND "),
            self.same("other", 0),
        );
        // Of columns that are not mapped, nobody knows what the row will have there.
        let is_certain = unique.predicate.is_none() && known.len() == unique.columns.len();
        Question { sql: sql.into(), parent: None, index: Some(index), is_certain, is_parent: false }
    }

    /// For each foreign key: the values that it refers to and that are not there.
    pub(super) fn reference_questions(
        &self,
        columns: &[LiveColumn],
        live: &LiveTable,
        rows: &str,
    ) -> Vec<Question> {
        let question = |foreign| self.missing_by(columns, foreign, rows);
        live.foreign_keys.iter().filter_map(question).collect()
    }

    /// For each lookup: what it finds no row by.
    pub(super) fn lookup_questions(&self, columns: &[LiveColumn], rows: &str) -> Vec<Question> {
        let all = self.key.iter().chain(columns).enumerate();
        let question = |(index, column): (usize, &LiveColumn)| {
            let lookup = column.lookup.as_ref()?;
            let list = given_text(index + 1);
            let sql = format!(
                "SELECT given.n, {list} FROM {rows} WHERE {list} IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM {} AS parent WHERE {})",
                lookup.parent,
                self.is_parent(lookup, &list),
            );
            let parent = Some(lookup.parent.clone());
            Some(Question {
                sql: sql.into(),
                parent,
                index: None,
                is_certain: true,
                is_parent: true,
            })
        };
        all.filter_map(question).collect()
    }

    fn missing_by(
        &self,
        columns: &[LiveColumn],
        foreign: &ForeignKey,
        rows: &str,
    ) -> Option<Question> {
        let found = foreign.columns.iter().map(|name| self.find(columns, name));
        let found: Vec<_> = found.collect::<Option<_>>()?;
        let values: Vec<_> = found.iter().map(|(at, column)| self.cast(*at, column)).collect();
        let is_given: Vec<_> = values.iter().map(|value| format!("{value} IS NOT NULL")).collect();
        let same = foreign.parent_columns.iter().zip(&found).zip(&values);
        let same = same.map(|((name, (_, column)), value)| {
            format!("other.{} {} {value}", quoted(name), column.equals)
        });
        let texts = values.iter().map(|value| match self.dialect {
            Dialect::Postgres => format!("{value}::text"),
            Dialect::Sqlite => value.clone(),
        });
        let sql = format!(
            "SELECT given.n, {} FROM {rows} WHERE {} AND NOT EXISTS
             (SELECT 1 FROM {} AS other WHERE {})",
            self.json(&list(texts)),
            is_given.join(" AND "),
            foreign.parent,
            same.collect::<Vec<_>>().join(" AND "),
        );
        let parent = Some(foreign.parent.clone());
        Some(Question { sql: sql.into(), parent, index: None, is_certain: true, is_parent: false })
    }
}
