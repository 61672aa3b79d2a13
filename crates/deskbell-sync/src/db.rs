//! The databases that a mirror can be in: their SQL, sessions and errors.

mod bulk;
mod ddl;
mod dialect;
mod error;
mod error_codes;
mod limited_session;
mod limits;
mod live_table;
mod parameter;
mod postgres;
mod refusal;
mod session;
mod sqlite;
mod tokens;
pub(crate) use bulk::{Bulk, given};
pub(crate) use ddl::{Table, TableColumn};
pub use dialect::Dialect;
pub(crate) use dialect::quoted;
pub(crate) use error::DatabaseError;
pub(crate) use limited_session::LimitedSession;
pub(crate) use limits::Limits;
pub(crate) use live_table::{
    ColumnClass, Deferrable, ForeignKey, LiveColumn, LiveLookup, LiveTable, UniqueIndex,
};
pub(crate) use parameter::{Cell, Param, Sql};
pub(crate) use postgres::PostgresDatabase;
pub(crate) use refusal::{Refusal, RefusalKind};
pub(crate) use session::{DbSession, Inventory, MirrorDatabase, end_unit};
pub(crate) use sqlite::SqliteDatabase;
pub(crate) use tokens::{Token, tokens};
