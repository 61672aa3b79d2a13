//! The event log and what is kept beside it: the [`Store`] trait, its backends, and the group
//! commit in front of them.
//!
//! Everything that Deskbell has acknowledged is in the log, in the order of its sequence numbers
//! ([`Seq`]); everything downstream reads it from there with a checkpoint of its own. A backend is
//! chosen once, at start, and is an `Arc<dyn EventLog>` from then on: [`SqliteStore`] is a file that
//! one process has, [`PostgresStore`] a database that any number of replicas share.
//!
//! A [`Store`] is many traits in one database, cut by who calls them:
//!
//! | trait | caller |
//! | --- | --- |
//! | [`EventLog`] | ingest appends to it, everybody else reads it |
//! | [`Leases`], [`ConsumerLog`] | consumers that one process at a time may run ([`run_as_leader`]) |
//! | [`Routing`](deliveries::Routing) | the router |
//! | [`DeliveryQueue`](deliveries::DeliveryQueue), [`Destinations`](deliveries::Destinations) | workers |
//! | [`DeliveryQueries`](deliveries::DeliveryQueries), [`Replays`](deliveries::Replays) | the command line, alerts, replays |
//! | [`Commands`] | `deskbell serve`, for commands that run beside it |
//! | [`Retention`], [`SubjectIndex`] | the pruner, the [`SubjectIndexer`] |
//! | [`Refusals`] | counts of refused requests |
//! | [`Arrivals`] | the alarm for sources that fall silent |
//! | [`AccessTokens`] | the admin routes, `deskbell tokens` |
//! | [`BrowserSessions`], [`AuditLog`], [`StoredEndpoints`] | the admin API and the pages |
//! | [`EventHeads`], [`AttemptLog`](deliveries::AttemptLog) | lists of events and attempts |
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use deskbell_store::{EventLog, LogWriter, LogWriterOptions, NewEvent, Origin, SqliteStore};
//! use std::sync::Arc;
//!
//! let directory = tempfile::tempdir()?;
//! let store: Arc<dyn EventLog> =
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
//!     origin: Origin::Webhook,
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

mod access_token;
mod access_tokens;
mod arrivals;
mod audit_log;
mod backoff;
mod browser_sessions;
pub mod clock;
mod commands;
mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod deliveries;
mod error;
mod event;
mod event_heads;
mod event_log;
mod follow_log;
mod indexer;
mod leader;
mod leases;
mod location;
mod log_id;
mod log_writer;
mod outcome;
mod packing;
mod payload;
mod postgres;
pub mod private_file;
mod refusals;
pub mod retention;
mod rows;
mod source_instances;
mod sqlite;
mod store;
mod stored_endpoints;
mod subject_index;
mod transfer;

pub use access_token::{AccessToken, MalformedToken, TokenHash, TokenRole};
pub use access_tokens::{AccessTokens, NewToken, StoredToken};
pub use arrivals::{Arrival, ArrivalPage, Arrivals};
pub use audit_log::{AuditLog, NewAuditEntry, StoredAuditEntry};
pub use backoff::Backoff;
pub use browser_sessions::{BrowserSession, BrowserSessions, NewBrowserSession};
pub use clock::Clock;
pub use commands::{COMMANDS, Command, CommandId, Commands, QueuedCommand};
pub use config::{RetentionConfig, StoreConfig};
pub use error::{BackendError, StoreError};
pub use event::{Appended, ID_BYTES_MAX, NewEvent, Origin, ReplayRequest, Seq, StoredEvent};
pub use event_heads::{EventHead, EventHeads, HeadFilter, SeqRange};
pub use event_log::{BatchGrowth, EventLog, ReadLimit, SubjectEvents};
pub use follow_log::{FollowOptions, LogFollower};
pub use indexer::SubjectIndexer;
pub use leader::{Leader, run_as_leader};
pub use leases::{ConsumerReport, FencingToken, Leases};
pub use location::{OpenError, StoreLocation};
pub use log_id::{LogId, ParseLogIdError};
pub use log_writer::{LogHandle, LogWriter, LogWriterOptions, SubmitError};
pub use outcome::{Outcome, OutcomeKind};
pub use payload::Payload;
pub use postgres::{PostgresConnector, PostgresOpenError, PostgresOptions, PostgresStore};
pub use refusals::{Refusals, Refused};
pub use retention::Retention;
pub use source_instances::{SourceInstance, SourceInstances};
pub use sqlite::{Backup, BackupError, SqliteOpenError, SqliteStore};
pub use store::{ConsumerLog, Store};
pub use stored_endpoints::{StoredEndpoint, StoredEndpoints};
pub use subject_index::{Indexed, SubjectIndex};
pub use transfer::{TransferError, TransferProgress, TransferStep, Transferred, transfer};
