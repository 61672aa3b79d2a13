//! The one connection that writes, and what it must not lose sight of.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::files::OpenFiles;
use super::lock::FileLock;
use crate::Seq;

/// What holds the file to write.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: SqliteConnection,
    pub(super) options: SqliteConnectOptions,
    /// `None` while it is not known whether the last append took effect.
    pub(super) head: Option<Seq>,
    pub(super) files: OpenFiles,
    pub(super) _lock: FileLock,
}

impl Writer {
    /// Makes the connection anew where it would refuse every further transaction.
    ///
    /// A write that the disk refuses, since it is full for one, may end SQLite's transaction. The driver's own rollback
    /// then finds nothing to roll back and fails, and the driver counts the transaction as open from then on.
    pub(super) async fn recover(&mut self) -> Result<(), sqlx::Error> {
        if !self.connection.is_in_transaction() {
            return Ok(());
        }
        // The rollback of a transaction that was dropped may still be on its way to the connection's thread.
        self.connection.ping().await?;
        if self.connection.is_in_transaction() {
            tracing::warn!("a transaction was interrupted; reopening the store's file");
            self.connection = self.options.connect().await?;
            self.files.look_at_write_ahead_log();
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use sqlx::AssertSqlSafe;
    use tokio::task::JoinSet;

    use crate::packing::noise;
    use crate::{
        Appended, EventLog, LogWriter, LogWriterOptions, NewEvent, Seq, SqliteStore, Store,
    };

    pub(in crate::sqlite) fn event(number: i64, payload_bytes: usize) -> NewEvent {
        let event = crate::conformance::event(&format!("msg_{number}"));
        NewEvent { payload: noise(payload_bytes).into(), ..event }
    }

    async fn limit_pages(store: &SqliteStore, pages: u32) {
        let limit = format!("PRAGMA max_page_count = {pages}");
        let mut connection = store.connection().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(limit)).execute(&mut *connection).await.unwrap();
    }

    #[tokio::test]
    async fn a_store_that_was_full_takes_everything_once_it_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap();
        store.append(&[event(1, 10)]).await.unwrap();
        limit_pages(&store, 1).await;
        // With a duplicate beside it, the new one is in a transaction of several statements.
        let batch = [event(1, 10), event(2, 100_000)];
        let refused = store.append(&batch).await.unwrap_err();
        assert!(format!("{refused:?}").contains("full"), "{refused:?}");
        limit_pages(&store, u32::MAX - 1).await;
        let appended = store.append(&batch).await.unwrap();
        assert_eq!(appended, [Appended::Duplicate(Seq::new(1)), Appended::New(Seq::new(2))]);
        store.close().await;
    }

    #[tokio::test]
    async fn a_store_that_takes_a_mark_and_no_event_is_known_by_the_event() {
        let directory = tempfile::tempdir().unwrap();
        let store =
            Arc::new(SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap());
        let (writer, log) = LogWriter::new(store.clone(), &LogWriterOptions::default());
        let _writing = JoinSet::from_iter([writer.run()]);
        log.append(event(1, 10)).await.unwrap();
        assert_eq!(log.refused_at(), None);
        limit_pages(&store, 1).await;
        log.append(event(2, 100_000)).await.unwrap_err();
        store.check_writable().await.unwrap();
        assert!(log.refused_at().is_some());
        limit_pages(&store, u32::MAX - 1).await;
        log.append(event(2, 100_000)).await.unwrap();
        assert_eq!(log.refused_at(), None);
        store.close().await;
    }
}
