//! A mirror that could not be opened.

use deskbell_store::BackendError;

use crate::db::DatabaseError;
use crate::mapping::MappingError;

/// A longer name leaves no room for the tables' own in every database.
const SCHEMA_BYTES_MAX: usize = 30;
/// What is missing is named up to this many times in one error.
const NAMED_MAX: usize = 10;

/// A mirror that could not be opened. Nothing in the database was changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name of the schema is not one that every database takes as it is.
    #[error(
        "invalid schema {schema:?}: use up to {SCHEMA_BYTES_MAX} lower-case letters, digits and \
         \"_\", starting with a letter"
    )]
    SchemaName { schema: String },
    /// The choice of entities and columns, a mapped table or a statement makes no sense.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// There is a table with a name of ours that this program did not make.
    #[error(
        "the database has a table {table:?} that is not Deskbell's; choose another schema or another database"
    )]
    NotOurs { table: String },
    /// A later program has changed the tables.
    #[error(
        "the mirror's tables have version {found}, and this release supports versions up to \
         {known}; run the release that wrote it, or a later one"
    )]
    Newer { found: i64, known: i64 },
    /// Tables, columns or indexes are missing, and the config says not to make them.
    #[error(
        "auto_migrate is off and the mirror's database lacks {}; run `deskbell schema apply` to \
         create it, or `deskbell schema diff` to see the SQL",
        first_of(missing)
    )]
    NotMigrated { missing: Vec<String> },
    #[error("cannot open the mirror's database")]
    Database(#[source] BackendError),
}

/// The first names, indexes last, and how many more there are: a new schema lacks hundreds.
fn first_of(missing: &[String]) -> String {
    let (indexes, others): (Vec<_>, Vec<_>) =
        missing.iter().map(String::as_str).partition(|name| name.starts_with("index "));
    let named = others.into_iter().chain(indexes).take(NAMED_MAX).collect::<Vec<_>>().join(", ");
    match missing.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

impl From<DatabaseError> for ConnectError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error.into_backend())
    }
}

impl ConnectError {
    /// Whether the options are at fault, and no other time or state of the database would help but
    /// tables that go.
    #[must_use]
    pub fn is_options_error(&self) -> bool {
        match self {
            Self::SchemaName { .. } | Self::Mapping(_) | Self::NotOurs { .. } => true,
            Self::Newer { .. } | Self::NotMigrated { .. } | Self::Database(_) => false,
        }
    }
}

pub(crate) fn check_schema_name(schema: &str) -> Result<(), ConnectError> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts_well = schema.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_well && schema.len() <= SCHEMA_BYTES_MAX && schema.bytes().all(known) {
        Ok(())
    } else {
        Err(ConnectError::SchemaName { schema: schema.to_owned() })
    }
}
