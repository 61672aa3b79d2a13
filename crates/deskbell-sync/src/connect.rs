//! Opening a mirror: the options are checked, the database is looked at, then its tables are made.

use std::sync::Arc;

use deskbell_store::BackendError;

use crate::mapping::{MappingError, Mappings};
use crate::options::MirrorOptions;
use crate::sqlite::SqliteTarget;
use crate::target::Target;

/// A longer name leaves no room for the tables' own in every database.
const SCHEMA_BYTES_MAX: usize = 30;

/// A mirror that could not be opened. Nothing in the database was changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No kind of database has URLs like this.
    #[error("the mirror's url must begin with \"sqlite://\", such as \"sqlite://clerk.db\"")]
    UnsupportedUrl,
    /// The name of the schema is not one that every database takes as it is.
    #[error(
        "{schema:?} cannot be the mirror's schema: use up to {SCHEMA_BYTES_MAX} lower-case letters, digits and \"_\", a letter first"
    )]
    SchemaName {
        /// The name that was given.
        schema: String,
    },
    /// The choice of entities and columns makes no sense.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// There is a table with a name of ours that this program did not make.
    #[error(
        "the database has a table {table:?} that is not Deskbell's; choose another schema or another database"
    )]
    NotOurs {
        /// The table.
        table: String,
    },
    /// A later program has changed the tables.
    #[error(
        "the mirror's tables have version {found}, and this program knows versions up to {known}; run the deskbell that made them, or a later one"
    )]
    Newer {
        /// The version of the database's tables.
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// The database refused, failed, or is away.
    #[error("the mirror's database cannot be opened")]
    Database(#[source] BackendError),
}

/// Opens the mirror's database, checks that its tables are ours or not there, and makes what is
/// missing of them.
///
/// # Errors
/// [`ConnectError`]: the options make no sense, the database is somebody else's or newer than this
/// program, or it is away. Nothing was changed then.
pub async fn connect(options: &MirrorOptions) -> Result<Arc<dyn Target>, ConnectError> {
    check_schema_name(&options.schema)?;
    let mappings = Mappings::new(&options.entities, options.exclude_columns.as_deref())?;
    let mappings = Arc::new(mappings);
    match options.url.split_once(':') {
        Some(("sqlite", _)) => {
            Ok(Arc::new(SqliteTarget::open(&options.url, &options.schema, mappings).await?))
        }
        _ => Err(ConnectError::UnsupportedUrl),
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
