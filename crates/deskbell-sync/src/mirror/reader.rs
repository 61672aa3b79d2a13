//! Reading a mirror back.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Map;
use tokio::sync::Mutex;

use super::checkpoints;
use crate::checkpoint::Checkpoint;
use crate::db::{DatabaseError, DbSession, Inventory, MirrorDatabase, Table, TableColumn, quoted};
use crate::mirror_target::TargetError;
use crate::sql::select_checkpoints;
use crate::value::{Kind, Value};

/// A row as people read it.
pub(crate) type JsonRow = Map<String, serde_json::Value>;

/// Reads the tables of one schema, each time in one snapshot.
#[derive(Debug)]
pub(crate) struct TableReader {
    database: Arc<dyn MirrorDatabase>,
    schema: String,
    session: Mutex<Option<Box<dyn DbSession>>>,
}

impl TableReader {
    pub(crate) async fn open(
        database: Arc<dyn MirrorDatabase>,
        schema: &str,
    ) -> Result<Self, DatabaseError> {
        let session = database.connect_to_read().await?;
        Ok(Self { database, schema: schema.to_owned(), session: Mutex::new(Some(session)) })
    }

    /// The number of rows; `None` where there is no such table.
    pub(crate) async fn count(&self, table: &str) -> Result<Option<u64>, TargetError> {
        let mut snapshot = self.snapshot().await?;
        let mut count = None;
        if self.columns(snapshot.as_mut(), table).await?.is_some() {
            let sql = format!("SELECT count(*) FROM {}", self.table(table));
            let rows = snapshot.fetch(&sql.into(), &[], &[Kind::Integer]).await?;
            if let Some([Value::Integer(rows)]) = rows.first().map(Vec::as_slice) {
                count = u64::try_from(*rows).ok();
            }
        }
        self.end(snapshot).await?;
        Ok(count)
    }

    /// The rows in the order of the primary key; `None` where there is no such table.
    pub(crate) async fn rows(&self, table: &Table) -> Result<Option<Vec<JsonRow>>, TargetError> {
        let mut snapshot = self.snapshot().await?;
        let mut rows = None;
        if let Some(found) = self.columns(snapshot.as_mut(), table.name).await? {
            let columns: Vec<_> =
                table.columns.iter().filter(|column| found.contains(column.name)).collect();
            rows = Some(self.select(snapshot.as_mut(), table, &columns).await?);
        }
        self.end(snapshot).await?;
        Ok(rows)
    }

    async fn select(
        &self,
        session: &mut dyn DbSession,
        table: &Table,
        columns: &[&TableColumn],
    ) -> Result<Vec<JsonRow>, DatabaseError> {
        let dialect = self.database.dialect();
        let read = columns.iter().map(|column| dialect.read(&quoted(column.name), column.kind));
        let order = table.primary_key.iter().map(|column| quoted(column));
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {}",
            read.collect::<Vec<_>>().join(", "),
            self.table(table.name),
            order.collect::<Vec<_>>().join(", "),
        );
        let kinds: Vec<_> = columns.iter().map(|column| column.kind).collect();
        let rows = session.fetch(&sql.into(), &[], &kinds).await?;
        let as_json = |row: Vec<Value>| {
            let names = columns.iter().map(|column| column.name.to_owned());
            names.zip(row.into_iter().map(Value::into_json)).collect()
        };
        Ok(rows.into_iter().map(as_json).collect())
    }

    pub(crate) async fn checkpoint(
        &self,
        destination: &str,
    ) -> Result<Option<Checkpoint>, TargetError> {
        let mut snapshot = self.snapshot().await?;
        let sql = select_checkpoints(self.database.dialect(), &self.schema).into();
        let newest_first = checkpoints::read(snapshot.as_mut(), &sql, destination).await?;
        self.end(snapshot).await?;
        Ok(newest_first.into_iter().next())
    }

    /// The table's columns; `None` where there is no such table.
    async fn columns(
        &self,
        session: &mut dyn DbSession,
        table: &str,
    ) -> Result<Option<HashSet<String>>, DatabaseError> {
        let name = self.database.dialect().local_name(&self.schema, table);
        let Inventory { mut columns, .. } =
            session.inventory(&self.schema, std::slice::from_ref(&name)).await?;
        Ok(columns.remove(&name))
    }

    async fn snapshot(&self) -> Result<Box<dyn DbSession>, DatabaseError> {
        let mut session = match self.session.lock().await.take() {
            Some(session) => session,
            None => self.database.connect_to_read().await?,
        };
        session.begin_to_read().await?;
        Ok(session)
    }

    async fn end(&self, mut snapshot: Box<dyn DbSession>) -> Result<(), DatabaseError> {
        snapshot.rollback().await?;
        *self.session.lock().await = Some(snapshot);
        Ok(())
    }

    fn table(&self, table: &str) -> String {
        self.database.dialect().table(&self.schema, table)
    }
}
