//! Writes the statements that change rows of the application's table.

use super::insert_column::InsertColumn;
use crate::db::{
    Bulk, ColumnClass, Dialect, LiveColumn, LiveLookup, LiveTable, UniqueIndex, given, quoted,
};
use crate::value::Kind;

/// Mapped columns whose nulls leave the row's value alone: there is a statement for each choice of
/// them. Of further ones, a null gives them their default each time.
const LEFT_ALONE_MAX: usize = 4;

/// Makes room where rows exchange what must be unique.
#[derive(Debug)]
pub(super) struct Vacate {
    pub(super) columns: Vec<LiveColumn>,
    /// Rows of the key and a value for each of the columns.
    pub(super) bulk: Bulk,
}

impl Vacate {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

pub(super) struct Writer<'a> {
    pub(super) dialect: Dialect,
    pub(super) table: &'a str,
    pub(super) key: &'a [LiveColumn],
    /// The columns that only a new row is given.
    pub(super) on_insert: &'a [InsertColumn],
}

impl LiveColumn {
    /// Whether equal values are the same texts.
    pub(super) fn is_bytewise(&self, dialect: Dialect) -> bool {
        match dialect {
            // What it is looked up by is a text of ours.
            _ if self.lookup.is_some() => true,
            Dialect::Postgres => {
                self.deterministic && matches!(&*self.base, "text" | "character varying")
            }
            Dialect::Sqlite => {
                let is_number = matches!(
                    self.class,
                    ColumnClass::Integer | ColumnClass::Number | ColumnClass::Boolean
                );
                self.collation.is_none() && !is_number
            }
        }
    }

    /// The column, as a row is given values for it: of one that is looked up, a text.
    pub(super) fn as_given(&self) -> Self {
        let class = if self.lookup.is_some() { ColumnClass::Text } else { self.class };
        Self { class, ..self.clone() }
    }

    /// The default that a null takes, where the column holds none.
    fn default_for_null(&self) -> Option<&str> {
        self.default.as_deref().filter(|_| self.not_null)
    }
}

impl Writer<'_> {
    /// The columns that keep what they have where they are given a null: they hold none, and their
    /// default is another one each time.
    pub(super) fn left_alone(&self, columns: &[LiveColumn]) -> Vec<usize> {
        let changes = |column: &LiveColumn| {
            column.default_for_null().is_some_and(|default| !is_constant(default))
        };
        let left = columns.iter().enumerate().filter(|(_, column)| changes(column));
        left.map(|(index, _)| index).take(LEFT_ALONE_MAX).collect()
    }

    pub(super) fn writes(&self, columns: &[LiveColumn], left_alone: &[usize]) -> Vec<Bulk> {
        let choice = |choice: usize| {
            let left = left_alone.iter().enumerate().filter(|(bit, _)| choice & (1 << bit) != 0);
            let left: Vec<_> = left.map(|(_, column)| *column).collect();
            self.bulk(self.width(columns), |rows| {
                self.write(columns, &left, rows, &self.where_it_differs(columns, &left))
            })
        };
        (0..1 << left_alone.len()).map(choice).collect()
    }

    /// How many values a row to write has: of the key, the mapped columns, and those that only a new
    /// row is given.
    pub(super) fn width(&self, columns: &[LiveColumn]) -> usize {
        let on_insert: usize = self.on_insert.iter().map(InsertColumn::width).sum();
        self.key.len() + columns.len() + on_insert
    }

    /// Writes the row, and gives back what `returned` says of it.
    pub(super) fn write_returning(
        &self,
        columns: &[LiveColumn],
        rows: &str,
        returned: &str,
    ) -> String {
        let mut write = self.write(columns, &[], rows, "");
        if columns.is_empty() {
            let same = quoted(&self.key[0].name);
            write = write.replace("DO NOTHING", &format!("DO UPDATE SET {same} = mine.{same}"));
        }
        format!("{write} RETURNING {returned}")
    }

    fn write(&self, columns: &[LiveColumn], left: &[usize], rows: &str, condition: &str) -> String {
        let (of_key, first_inserted) = (self.key.len(), self.key.len() + columns.len());
        let columns = columns.iter().enumerate().filter(|(index, _)| !left.contains(index));
        let columns: Vec<_> = columns.map(|(index, column)| (of_key + index, column)).collect();
        let all: Vec<_> = self.key.iter().enumerate().chain(columns.iter().copied()).collect();
        let on_insert = self.on_insert.iter().map(|insert| &insert.column);
        let names = all.iter().map(|(_, column)| *column).chain(on_insert);
        let names = list(names.map(|column| quoted(&column.name)));
        let values = all.iter().map(|(index, column)| self.value_or_default(*index, column));
        let values = list(values.chain(self.inserted_values(first_inserted)));
        let set = list(columns.iter().map(|(_, column)| {
            let name = quoted(&column.name);
            format!("{name} = excluded.{name}")
        }));
        let update = if columns.is_empty() {
            "NOTHING".to_owned()
        } else {
            format!("UPDATE SET {set} {condition}")
        };
        let key = self.key_names();
        let table = self.table;
        format!(
            "INSERT INTO {table} AS mine ({names}) SELECT {values} FROM {rows} WHERE true
             ON CONFLICT ({key}) DO {update}"
        )
    }

    /// A value, or the default where it is null and the column holds none.
    fn value_or_default(&self, index: usize, column: &LiveColumn) -> String {
        let value = self.cast(index, column);
        match column.default_for_null() {
            Some(default) => format!("coalesce({value}, ({default}))"),
            None => value,
        }
    }

    /// The values that only a new row is given, from this one of the given values on.
    fn inserted_values(&self, first: usize) -> Vec<String> {
        let mut index = first;
        let values = self.on_insert.iter().map(|insert| {
            let (column, at) = (&insert.column, index);
            index += insert.width();
            if !insert.has_second {
                return self.value_or_default(at, column);
            }
            format!(
                "CASE WHEN EXISTS (SELECT 1 FROM {} AS other WHERE {} AND NOT ({})) THEN {} ELSE {} END",
                self.table,
                self.equal("other", at, column),
                self.same("other", 0),
                self.cast(at + 1, column),
                self.cast(at, column),
            )
        });
        values.collect()
    }

    /// A row that is right already is not written again.
    fn where_it_differs(&self, columns: &[LiveColumn], left: &[usize]) -> String {
        let columns = columns.iter().enumerate().filter(|(index, _)| !left.contains(index));
        let differ = columns.map(|(_, column)| {
            let name = quoted(&column.name);
            self.differ(column, &format!("mine.{name}"), &format!("excluded.{name}"))
        });
        format!("WHERE {}", differ.collect::<Vec<_>>().join(" OR "))
    }

    /// The condition that two values differ as texts, whatever the database takes for equal.
    pub(super) fn differ(&self, column: &LiveColumn, one: &str, other: &str) -> String {
        let plain = matches!(&*column.base, "text" | "character varying")
            || matches!(
                column.class,
                ColumnClass::Integer | ColumnClass::Number | ColumnClass::Boolean
            )
            || column.base.starts_with("timestamp");
        match self.dialect {
            Dialect::Sqlite => format!("{one} COLLATE BINARY IS NOT {other}"),
            Dialect::Postgres if !column.deterministic => {
                format!("{one}::text COLLATE \"C\" IS DISTINCT FROM {other}::text COLLATE \"C\"")
            }
            Dialect::Postgres if plain => format!("{one} IS DISTINCT FROM {other}"),
            Dialect::Postgres => format!("{one}::text IS DISTINCT FROM {other}::text"),
        }
    }

    pub(super) fn flag(&self, set: &[LiveColumn]) -> Bulk {
        let first = self.key.len();
        let condition = format!("AND ({})", self.any_differs(first, set));
        self.update(first + set.len(), &self.assign(first, set), &condition)
    }

    pub(super) fn unflag(&self, set: &[LiveColumn]) -> Bulk {
        let defaults = list(set.iter().map(|column| {
            let default = column.default.as_deref().unwrap_or("NULL");
            format!("{} = ({default})", quoted(&column.name))
        }));
        self.update(self.key.len(), &defaults, "")
    }

    pub(super) fn remove(&self) -> Bulk {
        let table = self.table;
        self.bulk(self.key.len(), |rows| match self.dialect {
            Dialect::Postgres => {
                format!("DELETE FROM {table} AS mine USING {rows} WHERE {}", self.same("mine", 0))
            }
            Dialect::Sqlite => {
                let (key, values) = (self.key_names(), self.values(0));
                format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {values} FROM {rows})")
            }
        })
    }

    pub(super) fn relocate(&self) -> Bulk {
        self.bulk(2 * self.key.len(), |rows| self.relocate_rows(rows))
    }

    pub(super) fn relocate_rows(&self, rows: &str) -> String {
        let size = self.key.len();
        let moved = self.assign(0, self.key);
        let (taken, itself) = (self.same("other", 0), self.same("other", size));
        format!(
            "UPDATE {table} AS mine SET {moved} FROM {rows} WHERE {} AND NOT EXISTS
             (SELECT 1 FROM {table} AS other WHERE {taken} AND NOT ({itself}))",
            self.same("mine", size),
            table = self.table,
        )
    }

    pub(super) fn respell(&self) -> Bulk {
        let condition = format!("AND ({})", self.any_differs(0, self.key));
        self.update(self.key.len(), &self.assign(0, self.key), &condition)
    }

    /// For each unique index in which rows may conflict, its column that is emptied most easily: no
    /// foreign key, a null if it can be.
    pub(super) fn vacates(&self, columns: &[LiveColumn], live: &LiveTable) -> Vec<Vacate> {
        let refers = |column: &LiveColumn| {
            column.lookup.is_some()
                || live.foreign_keys.iter().any(|key| key.columns.contains(&column.name))
        };
        let has_placeholder = |column: &LiveColumn| {
            matches!(column.class, ColumnClass::Text | ColumnClass::Integer)
                || column.base == "uuid"
        };
        let easiest = |index: &UniqueIndex| {
            let of_index = columns.iter().filter(|column| index.columns.contains(&column.name));
            let effort =
                |column: &&LiveColumn| (refers(column), column.not_null, !has_placeholder(column));
            of_index.min_by_key(effort).cloned()
        };
        let indexes = self.shared_indexes(columns, live);
        indexes.map(|index| self.vacate(easiest(index).into_iter().collect())).collect()
    }

    /// Every mapped column that must be unique.
    pub(super) fn vacate_all(&self, columns: &[LiveColumn], live: &LiveTable) -> Option<Vacate> {
        let unique = |column: &&LiveColumn| {
            live.unique.iter().any(|index| index.columns.contains(&column.name))
        };
        let unique: Vec<_> = columns.iter().filter(unique).cloned().collect();
        (!unique.is_empty()).then(|| self.vacate(unique))
    }

    fn vacate(&self, columns: Vec<LiveColumn>) -> Vacate {
        let first = self.key.len();
        let bulk = self.update(first + columns.len(), &self.assign(first, &columns), "");
        Vacate { columns, bulk }
    }

    /// Changes the rows of the given keys, which come first of the given values.
    fn update(&self, values: usize, set: &str, condition: &str) -> Bulk {
        self.bulk(values, |rows| {
            let (table, same) = (self.table, self.same("mine", 0));
            format!("UPDATE {table} AS mine SET {set} FROM {rows} WHERE {same} {condition}")
        })
    }

    /// Sets the columns to the values given for them, from value `first` on.
    fn assign(&self, first: usize, columns: &[LiveColumn]) -> String {
        let one = |(index, column): (usize, &LiveColumn)| {
            format!("{} = {}", quoted(&column.name), self.cast(first + index, column))
        };
        list(columns.iter().enumerate().map(one))
    }

    /// The condition that one of the columns differs from the value given for it.
    fn any_differs(&self, first: usize, columns: &[LiveColumn]) -> String {
        let differ = columns.iter().enumerate().map(|(index, column)| {
            let mine = format!("mine.{}", quoted(&column.name));
            self.differ(column, &mine, &self.cast(first + index, column))
        });
        differ.collect::<Vec<_>>().join(" OR ")
    }

    /// The condition that the row of this alias has the given key, from column `first` on.
    pub(super) fn same(&self, alias: &str, first: usize) -> String {
        let parts = self.key.iter().enumerate();
        let parts = parts.map(|(index, column)| self.equal(alias, first + index, column));
        parts.collect::<Vec<_>>().join(" AND ")
    }

    /// The condition that the row of this alias has the given value in this column.
    pub(super) fn equal(&self, alias: &str, index: usize, column: &LiveColumn) -> String {
        format!("{alias}.{} {} {}", quoted(&column.name), column.equals, self.cast(index, column))
    }

    fn key_names(&self) -> String {
        list(self.key.iter().map(|column| quoted(&column.name)))
    }

    fn values(&self, first: usize) -> String {
        let cast = |(index, column)| self.cast(first + index, column);
        list(self.key.iter().enumerate().map(cast))
    }

    /// A given value as the column has it. Without its length, so that what is too long is refused
    /// and not cut.
    pub(super) fn cast(&self, index: usize, column: &LiveColumn) -> String {
        let given = given(index + 1);
        match &column.lookup {
            Some(lookup) => self.looked_up(lookup, &given),
            None => self.cast_text(&given, column),
        }
    }

    fn cast_text(&self, text: &str, column: &LiveColumn) -> String {
        match (self.dialect, &column.collation) {
            (Dialect::Sqlite, Some(collation)) => format!("{text} COLLATE {}", quoted(collation)),
            (Dialect::Sqlite, None) => text.to_owned(),
            (Dialect::Postgres, _) => format!("CAST({text} AS {})", column.type_name),
        }
    }

    /// What the other table has; null where it has no such row.
    fn looked_up(&self, lookup: &LiveLookup, list: &str) -> String {
        let LiveLookup { parent, column, .. } = lookup;
        format!(
            "(SELECT parent.{} FROM {parent} AS parent WHERE {})",
            quoted(column),
            self.is_parent(lookup, list)
        )
    }

    /// The condition that the row `parent` is the one that a list of texts finds.
    pub(super) fn is_parent(&self, lookup: &LiveLookup, list: &str) -> String {
        let parts = lookup.by.iter().enumerate().map(|(at, column)| {
            let text = match self.dialect {
                Dialect::Postgres => format!("({list}::json ->> {at})"),
                Dialect::Sqlite => format!("({list} ->> {at})"),
            };
            let value = self.cast_text(&text, column);
            format!("parent.{} {} {value}", quoted(&column.name), column.equals)
        });
        parts.collect::<Vec<_>>().join(" AND ")
    }

    fn bulk(&self, columns: usize, write: impl Fn(&str) -> String) -> Bulk {
        Bulk::new(self.dialect, vec![Kind::Text; columns], write)
    }
}

pub(super) fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// Whether a default is a value that is written down, such as `'free'::text` or `-1`.
fn is_constant(default: &str) -> bool {
    let mut bare = String::new();
    for (index, piece) in default.split('\'').enumerate() {
        // Every other piece is between quotes.
        if index % 2 == 0 {
            bare.push_str(piece);
        }
    }
    let bare = bare.trim().trim_start_matches('(').trim_end_matches(')').to_ascii_lowercase();
    let value = bare.split("::").next().unwrap_or_default().trim();
    let is_number = value.trim_start_matches(['-', '+']).parse::<f64>().is_ok();
    value.is_empty() || is_number || matches!(value, "true" | "false" | "null")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_constant_or_another_one_each_time() {
        for default in [
            "'free'",
            "'free'::text",
            "0",
            "-1",
            "'-1'::integer",
            "(7)",
            "true",
            "'it''s now()'",
            "'{}'::text[]",
            "'USER'::\"Role\"",
            "1.5",
        ] {
            assert!(is_constant(default), "{default}");
        }
        for default in [
            "now()",
            "CURRENT_TIMESTAMP",
            "gen_random_uuid()",
            "nextval('s'::regclass)",
            "lower('A'::text)",
            "(datetime('now'))",
        ] {
            assert!(!is_constant(default), "{default}");
        }
    }
}
