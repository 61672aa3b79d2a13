//! Deskbell's mirror: Clerk's entities kept convergent in a database.

mod batch;
mod checkpoint;
mod connect;
mod consumer;
pub mod entity;
mod fold;
pub mod inspect;
mod json;
mod mapping;
mod options;
mod schema;
mod sqlite;
mod target;
mod value;
mod version;

pub use batch::{Batch, Counts, DeadLetter, Row, TableRows, Tombstone};
pub use checkpoint::Checkpoint;
pub use connect::{ConnectError, connect};
pub use consumer::{MirrorConsumer, Progress, SyncError};
pub use fold::Fold;
pub use mapping::{Mapping, MappingError, Mappings};
pub use options::{MirrorOptions, SourceRule};
pub use schema::SCHEMA_VERSION;
pub use target::{Commit, Target, TargetError};
pub use value::Value;
pub use version::Version;
