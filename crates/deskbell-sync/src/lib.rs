//! Deskbell's mirror: Clerk's entities kept convergent in a database.
//!
//! The tables are the same whatever the order, the batches and the repetitions in which events
//! arrive: every row has the version that it was made from, a delete is absorbing, and children go
//! with their parents whenever they arrive. A batch of events is [folded](Fold) to the newest
//! version of each entity, and a [`Target`] applies it in one transaction with the checkpoint.
//!
//! What is mirrored is declared in [`entity`], one short file each; everything else follows from
//! there.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use deskbell_config::DatabaseUrl;
//! use deskbell_store::{ConsumerLog, NewEvent, Origin, SqliteStore};
//! use deskbell_sync::inspect::MirrorReader;
//! use deskbell_sync::{DatabaseConfig, MirrorConsumer, MirrorOptions, connect};
//!
//! let directory = tempfile::tempdir()?;
//! let store: Arc<dyn ConsumerLog> =
//!     Arc::new(SqliteStore::open(&directory.path().join("deskbell.db")).await?);
//! store
//!     .append(&[NewEvent {
//!         source: "clerk".into(),
//!         message_id: "msg_2b8kYb1Xz".into(),
//!         event_type: "user.created".into(),
//!         subject: Some("user_29w83sxmDNGwOuEthce5gg56FcC".into()),
//!         occurred_at_ms: 1_654_012_591_835,
//!         instance_id: None,
//!         payload: br#"{"type":"user.created","data":{"id":"user_29w83","first_name":"Ada"}}"#
//!             .as_slice()
//!             .into(),
//!         origin: Origin::Webhook,
//!     }])
//!     .await?;
//!
//! let url = DatabaseUrl::sqlite(&directory.path().join("clerk.db"));
//! let options = MirrorOptions::new("mirror", DatabaseConfig::at(url.clone()));
//! let target = connect(&options).await?;
//! let mut consumer = MirrorConsumer::new(Arc::clone(&store), target, options);
//! while consumer.run_once().await?.more {}
//!
//! let rows = MirrorReader::open(&url).await?.rows("clerk_users").await?;
//! assert_eq!(rows[0]["first_name"], "Ada");
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod batch;
mod checkpoint;
mod compare;
mod config;
mod connect;
mod consumer;
mod db;
pub mod dead_letters;
pub mod draft;
pub mod entity;
mod explain;
mod fetched;
mod fold;
pub mod inspect;
mod json;
mod mapped;
mod mapping;
pub mod migration;
mod mirror;
mod mirror_target;
mod models;
mod options;
pub mod outcome;
mod read_only;
pub mod rebuild;
pub mod reference;
mod refetch;
mod row_reader;
mod scalar;
mod schema;
mod sql;
pub mod statements;
pub mod status;
mod validate;
mod value;
mod version;

pub use batch::{Batch, ChildRow, Counts, DeadLetter, EventRef, Row, TableRows, Tombstone};
pub use checkpoint::Checkpoint;
pub use compare::{Differences, KnownRow, MirrorComparison};
pub use config::{
    ColumnValue, ColumnValues, DatabaseConfig, Expressions, Line, LookupConfig, Named, OnDelete,
    OnRowDelete, Stale, StatementConfig, TableConfig,
};
pub use connect::{check, check_live, connect};
pub use consumer::{MirrorConsumer, MirrorService, Progress, SyncError};
pub use db::Dialect;
pub use explain::{ExplainedColumn, ExplainedRow, Explainer, ValueOrigin};
pub use fetched::{FetchedFrom, FetchedObject, WantedObject};
pub use fold::{Fold, is_example_instance, mirror_instance};
pub use mapped::{MappedTableError, MappedTableProblem};
pub use mapping::{
    DeclarationError, DeclarationProblem, Mapping, MappingError, Mappings, StatementTextError,
    StatementTextProblem, left_out_by_default,
};
pub use mirror_target::{
    Blocked, CatchUp, Commit, ConnectError, ErrorMode, FetchedCommit, Part, PartKind, Remade, Rest,
    Retry, RetryRequest, Target, TargetError, Waiting,
};
pub use models::{ModelFormat, models};
pub use options::{MirrorOptions, SourceRule};
pub use refetch::{NewestObject, NewestObjects, ObjectReadError, ObjectReader, ReadRequest};
pub use row_reader::{Known, RowReader};
pub use schema::SCHEMA_VERSION;
pub use value::Value;
pub use version::{Rank, Version};
