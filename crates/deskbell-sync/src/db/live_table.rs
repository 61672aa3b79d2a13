//! The application's table as the database has it.

use std::collections::{BTreeMap, BTreeSet};

use super::dialect::Dialect;

/// A table of the application's.
#[derive(Debug, Clone, Default)]
pub(crate) struct LiveTable {
    /// Its name as statements write it.
    pub(crate) name: String,
    pub(crate) columns: Vec<LiveColumn>,
    pub(crate) unique: Vec<UniqueIndex>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    /// Triggers, rules or policies may store something else than what they are given, or nothing.
    pub(crate) rewrites: bool,
    /// Rows have a `rowid`.
    pub(crate) row_ids: bool,
    /// Its kind, where rows cannot be written there.
    pub(crate) other_than_a_table: Option<&'static str>,
}

impl LiveTable {
    pub(crate) fn column(&self, name: &str) -> Option<&LiveColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// A column as this unique index compares it.
    pub(crate) fn compared(column: &LiveColumn, index: &UniqueIndex) -> LiveColumn {
        let by_index = index.collations.get(&column.name).cloned();
        LiveColumn { collation: by_index.or_else(|| column.collation.clone()), ..column.clone() }
    }

    /// The unique index by which rows of this key are told apart.
    pub(crate) fn index_of(&self, key: &[LiveColumn]) -> Option<&UniqueIndex> {
        let key: BTreeSet<_> = key.iter().map(|column| &column.name).collect();
        let is_of_key = |index: &&UniqueIndex| {
            index.flaw.is_none() && index.columns.iter().eq(key.iter().copied())
        };
        // Of several, one by which more keys are equal.
        self.unique.iter().filter(is_of_key).max_by_key(|index| index.collations.len())
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct UniqueIndex {
    /// Its columns, those in expressions too.
    pub(crate) columns: BTreeSet<String>,
    /// On SQLite, how it compares columns, where that is not by bytes.
    pub(crate) collations: BTreeMap<String, String>,
    /// What is said of the rows that it covers, where these are not all, as SQL.
    pub(crate) predicate: Option<String>,
    /// Why an upsert cannot use it.
    pub(crate) flaw: Option<&'static str>,
    pub(crate) deferrable: Option<Deferrable>,
}

/// A constraint that can be checked later than at once.
#[derive(Debug, Clone)]
pub(crate) struct Deferrable {
    /// As statements write it.
    pub(crate) name: String,
    /// It is checked at the commit where nobody says otherwise.
    pub(crate) deferred: bool,
}

/// A foreign key of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForeignKey {
    /// The table that it refers to, as statements write it.
    pub(crate) parent: String,
    pub(crate) columns: Vec<String>,
    pub(crate) parent_columns: Vec<String>,
}

/// A column of the application's.
#[derive(Debug, Clone)]
pub(crate) struct LiveColumn {
    pub(crate) name: String,
    /// Its type as the database writes it.
    pub(crate) type_name: String,
    /// The type behind it: of a domain the one that it is of, and `citext` whatever its schema.
    pub(crate) base: String,
    pub(crate) class: ColumnClass,
    /// How many characters it holds, where that is limited.
    pub(crate) length: Option<usize>,
    pub(crate) not_null: bool,
    /// Its default as SQL.
    pub(crate) default: Option<String>,
    /// The database fills it itself: nobody may write it.
    pub(crate) generated: bool,
    /// How its texts are compared, where that is not by bytes. On SQLite a unique index says that.
    pub(crate) collation: Option<String>,
    /// Equal texts are the same bytes, as far as PostgreSQL's collation goes.
    pub(crate) deterministic: bool,
    /// The operator of equality, which may be in a schema that is not looked through.
    pub(crate) equals: String,
    /// Where its values are looked up, if they are. What a row is given for it is a JSON list of the
    /// texts that the other table's row is found by.
    pub(crate) lookup: Option<LiveLookup>,
}

/// A value that another table has.
#[derive(Debug, Clone)]
pub(crate) struct LiveLookup {
    /// The table, as statements write it.
    pub(crate) parent: String,
    /// The columns by which its row is found.
    pub(crate) by: Vec<LiveColumn>,
    /// The column that has the value.
    pub(crate) column: String,
}

/// What a column holds, as far as that decides how a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnClass {
    Text,
    Integer,
    Number,
    Boolean,
    Time,
    /// Times of day, and spans of time.
    Clock,
    Json,
    Array,
    /// Anything else, such as an enumeration or a UUID: the database reads it from text.
    Other,
}

impl ColumnClass {
    /// The class of a type, by its name.
    pub(crate) fn of(dialect: Dialect, type_name: &str) -> Self {
        match dialect {
            Dialect::Postgres => Self::of_postgres(type_name),
            Dialect::Sqlite => Self::of_sqlite(&type_name.to_ascii_uppercase()),
        }
    }

    fn of_postgres(type_name: &str) -> Self {
        match type_name {
            "text" | "character varying" | "bpchar" | "character" | "name" | "citext" => Self::Text,
            name if name.ends_with("[]") => Self::Array,
            "smallint" | "integer" | "bigint" => Self::Integer,
            "numeric" | "real" | "double precision" => Self::Number,
            "boolean" => Self::Boolean,
            "json" | "jsonb" => Self::Json,
            name if name.starts_with("timestamp") || name == "date" => Self::Time,
            name if name.starts_with("time ") || name == "interval" => Self::Clock,
            _ => Self::Other,
        }
    }

    /// SQLite takes any words for a type: <https://www.sqlite.org/datatype3.html>.
    fn of_sqlite(type_name: &str) -> Self {
        let has = |word: &str| type_name.contains(word);
        match () {
            () if has("BOOL") => Self::Boolean,
            () if has("JSON") => Self::Json,
            () if has("DATE") || has("TIME") => Self::Time,
            () if has("INT") => Self::Integer,
            () if has("CHAR") || has("CLOB") || has("TEXT") => Self::Text,
            () if has("REAL") || has("FLOA") || has("DOUB") || has("NUM") || has("DEC") => {
                Self::Number
            }
            () => Self::Other,
        }
    }
}
