//! Moving a whole log, with everything beside it, from SQLite to PostgreSQL.
//!
//! Tables are copied in the order of their keys, a page a transaction, so that a transfer that was
//! cut off goes on where it stands. Until both sides have been compared, row by row, the target
//! opens for nobody else.

mod checksum;
mod error;
mod source;
mod table;
mod target;
mod value;

use std::path::Path;

use self::checksum::Checksum;
pub use self::error::TransferError;
use self::source::Source;
use self::table::{TABLES, Table};
use self::target::Target;
use crate::PostgresOptions;

/// Rows that are copied in one transaction, and compared at a time.
const ROWS_MAX: u32 = 500;

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferProgress {
    /// What is being done.
    pub step: TransferStep,
    pub table: &'static str,
    /// Rows that are done with in this step, of all tables.
    pub rows: u64,
    pub rows_in_all: u64,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferStep {
    /// Rows are copied.
    Copy,
    /// Both sides are compared.
    Compare,
}

/// A transfer that has ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// The rows of each table, all of which are the same on both sides.
    pub tables: Vec<(&'static str, u64)>,
}

/// Copies the store in this SQLite file, which nobody else may have open, into an empty PostgreSQL
/// database, and compares both.
///
/// # Errors
/// [`TransferError`]: what is in the way, and what to do.
pub async fn transfer(
    from: &Path,
    to: &PostgresOptions,
    progress: impl FnMut(TransferProgress),
) -> Result<Transferred, TransferError> {
    let source = Source::open(from).await?;
    let mut target = Target::open(to).await?;
    target.begin(source.log_id()).await?;
    let rows_in_all = source.rows_in_all().await?;
    let mut copying = Copying { source, target, rows_in_all, rows: 0, progress };
    for table in TABLES {
        copying.copy(table).await?;
    }
    copying.rows = 0;
    let mut tables = Vec::new();
    for table in TABLES {
        tables.push((table.name, copying.compare(table).await?));
    }
    let Copying { source, mut target, .. } = copying;
    target.end(source.head().await?, &source.last_numbers().await?).await?;
    target.close().await;
    source.close().await;
    Ok(Transferred { tables })
}

struct Copying<P> {
    source: Source,
    target: Target,
    rows_in_all: u64,
    rows: u64,
    progress: P,
}

impl<P: FnMut(TransferProgress)> Copying<P> {
    async fn copy(&mut self, table: &'static Table) -> Result<(), TransferError> {
        let mut after = self.target.last_key(table).await?;
        if after.is_some() {
            self.rows += self.target.count(table).await?;
        }
        loop {
            let rows = self.source.page(table, after.as_deref(), ROWS_MAX).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(table.key_of(last));
            self.target.write(table, &rows).await?;
            self.advance(TransferStep::Copy, table, rows.len());
        }
    }

    /// The rows of the table, where they are the same on both sides.
    async fn compare(&mut self, table: &'static Table) -> Result<u64, TransferError> {
        let (mut here, mut there) = (Checksum::default(), Checksum::default());
        let (mut after_here, mut after_there) = (None, None);
        loop {
            let rows = self.source.page(table, after_here.as_deref(), ROWS_MAX).await?;
            let copies = self.target.page(table, after_there.as_deref(), ROWS_MAX).await?;
            if rows.is_empty() && copies.is_empty() {
                break;
            }
            after_here = rows.last().map(|row| table.key_of(row)).or(after_here);
            after_there = copies.last().map(|row| table.key_of(row)).or(after_there);
            rows.iter().for_each(|row| here.add(row));
            copies.iter().for_each(|row| there.add(row));
            self.advance(TransferStep::Compare, table, rows.len());
        }
        if here != there {
            let (source_rows, target_rows) = (here.rows(), there.rows());
            return Err(TransferError::Differs { table: table.name, source_rows, target_rows });
        }
        Ok(here.rows())
    }

    fn advance(&mut self, step: TransferStep, table: &'static Table, rows: usize) {
        self.rows += rows as u64;
        let (rows, rows_in_all) = (self.rows, self.rows_in_all);
        (self.progress)(TransferProgress { step, table: table.name, rows, rows_in_all });
    }
}
