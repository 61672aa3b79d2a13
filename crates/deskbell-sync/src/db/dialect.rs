//! The seam between databases: how each names the mirror's tables, writes their types, and takes
//! many values at once. Everything else about SQL is the same for all of them.

use deskbell_config::DatabaseUrl;

use crate::value::Kind;

/// A database's way of writing SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// No schemas: each table's name is prefixed with the schema's name and `_`. Times are ISO-8601
    /// text and JSON is text. Text compares as bytes.
    Sqlite,
    /// Tables in a schema. Times are `timestamptz`, JSON is `jsonb`, ids compare as bytes.
    Postgres,
}

impl Dialect {
    /// The dialect of the database at this URL.
    #[must_use]
    pub fn of(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Sqlite(_) => Self::Sqlite,
            DatabaseUrl::Postgres(_) => Self::Postgres,
        }
    }

    /// The name that people see, such as `clerk_users` and `clerk.users`.
    pub(crate) fn display_name(self, schema: &str, table: &str) -> String {
        match self {
            Self::Sqlite => format!("{schema}_{table}"),
            Self::Postgres => format!("{schema}.{table}"),
        }
    }

    /// The table's own name within its schema, unquoted.
    pub(crate) fn local_name(self, schema: &str, table: &str) -> String {
        match self {
            Self::Sqlite => format!("{schema}_{table}"),
            Self::Postgres => table.to_owned(),
        }
    }

    /// The table as statements name it.
    pub(crate) fn table(self, schema: &str, table: &str) -> String {
        match self {
            Self::Sqlite => quoted(&self.local_name(schema, table)),
            Self::Postgres => format!("{}.{}", quoted(schema), quoted(table)),
        }
    }

    /// Creates the schema, where the database has schemas.
    pub(crate) fn create_schema(self, schema: &str) -> Option<String> {
        (self == Self::Postgres).then(|| format!("CREATE SCHEMA {}", quoted(schema)))
    }

    /// The present moment as a value of [`Kind::Time`].
    pub(crate) fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
            Self::Postgres => "clock_timestamp()",
        }
    }

    /// The moment that is as many seconds away as the integer parameter of this number says.
    pub(crate) fn now_plus_seconds(self, parameter: usize) -> String {
        match self {
            Self::Sqlite => {
                format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+' || ${parameter} || ' seconds')")
            }
            Self::Postgres => {
                format!("clock_timestamp() + make_interval(secs => ${parameter}::bigint)")
            }
        }
    }

    /// The condition that `column` is one of the texts in the list `$1`.
    pub(crate) fn is_listed(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("{column} IN (SELECT value FROM json_each($1))"),
            Self::Postgres => format!("{column} = ANY($1::text[])"),
        }
    }

    /// A column read as what the driver can decode.
    pub(crate) fn read(self, column: &str, kind: Kind) -> String {
        match (self, kind) {
            (Self::Postgres, Kind::Json | Kind::Decimal) => format!("{column}::text"),
            _ => column.to_owned(),
        }
    }

    /// The type of a column.
    pub(crate) fn type_name(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Sqlite, Kind::Integer) => "integer",
            (Self::Sqlite, Kind::Boolean) => "boolean",
            (Self::Sqlite, _) | (Self::Postgres, Kind::Id | Kind::Text) => "text",
            (Self::Postgres, Kind::Integer) => "bigint",
            (Self::Postgres, Kind::Decimal) => "numeric",
            (Self::Postgres, Kind::Boolean) => "boolean",
            (Self::Postgres, Kind::Time) => "timestamptz",
            (Self::Postgres, Kind::Json) => "jsonb",
        }
    }
}

/// An identifier as SQL takes it whatever it is.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
