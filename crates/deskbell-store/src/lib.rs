//! The event log: the [`Store`] trait, its backends, and the group commit in front of them.
//!
//! Everything that Deskbell has acknowledged is in the log, in the order of its sequence numbers
//! ([`Seq`]); everything downstream reads it from there with a checkpoint of its own. A backend is
//! chosen once, at start, and is an `Arc<dyn Store>` from then on: [`SqliteStore`] is a file that
//! one process has, [`PostgresStore`] a database that any number of replicas share.
//!
//! What events owe to destinations is kept beside the log, in the same database: [`Deliveries`].
//! What is too old leaves it in small batches: [`Upkeep`]. Which events are about a subject is noted
//! after they were acknowledged: [`SubjectIndexer`].
//! Requests that were refused are counted: [`Refusals`].
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use deskbell_store::{LogWriter, LogWriterOptions, NewEvent, SqliteStore, Store};
//! use std::sync::Arc;
//!
//! let directory = tempfile::tempdir()?;
//! let store: Arc<dyn Store> =
//!     Arc::new(SqliteStore::open(&directory.path().join("deskbell.db")).await?);
//! let (writer, log) = LogWriter::new(Arc::clone(&store), &LogWriterOptions::default());
//! let writing = tokio::task::JoinSet::from_iter([writer.run()]);
//!
//! let event = NewEvent {
//!     source: "clerk".into(),
//!     message_id: "msg_2b8kYb1Xz".into(),
//!     event_type: "user.created".into(),
//!     subject: Some("user_29w83sxmDNGwOuEthce5gg56FcC".into()),
//!     occurred_at_ms: 1_654_012_591_835,
//!     instance_id: None,
//!     payload: br#"{"type":"user.created"}"#.as_slice().into(),
//! };
//! let appended = log.append(event).await?; // durable from here on
//! assert_eq!(appended.seq(), store.head().await?);
//!
//! drop(log); // the last handle: the writer commits what is left and ends
//! writing.join_all().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod about;
mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod consumer_report;
pub mod deliveries;
mod event;
mod indexer;
mod leader;
mod log_id;
mod log_writer;
mod outcome;
mod place;
mod postgres;
pub mod private_file;
mod refusals;
mod source_instance;
mod sqlite;
mod store;
mod transfer;
pub mod upkeep;

pub use about::EventsAbout;
pub use clock::Clock;
pub use consumer_report::ConsumerReport;
pub use deliveries::Deliveries;
pub use event::{Appended, ID_BYTES_MAX, NewEvent, ReplayRequest, Seq, StoredEvent};
pub use indexer::SubjectIndexer;
pub use leader::{Leader, run_as_leader};
pub use log_id::{LogId, ParseLogIdError};
pub use log_writer::{LogHandle, LogWriter, LogWriterOptions, SubmitError};
pub use outcome::{Outcome, OutcomeKind};
pub use place::{OpenError, Place};
pub use postgres::{PostgresConnector, PostgresOpenError, PostgresOptions, PostgresStore};
pub use refusals::{Refusals, Refused};
pub use source_instance::SourceInstance;
pub use sqlite::{Backup, BackupError, SqliteOpenError, SqliteStore};
pub use store::{BackendError, Database, FencingToken, ReadLimit, Store, StoreError};
pub use transfer::{TransferError, TransferProgress, TransferStep, Transferred, transfer};
pub use upkeep::Upkeep;
