//! Searching the log for a subject, in one snapshot: what is not indexed yet, then the index.

use futures_util::TryStreamExt;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use crate::rows::{Sources, event};
use crate::subject_index::UNINDEXED_MAX;
use crate::{ReadLimit, Seq, SubjectEvents};

/// How far the index goes, and where the log ends.
const ENDS: &str = "SELECT indexed_seq, coalesce((SELECT max(seq) FROM events), 0)
     FROM subject_index";

pub(super) const UNINDEXED: &str = "SELECT seq, received_at_ms, source, message_id, type, subject,
            occurred_at_ms, instance_id, payload, origin, payload_bytes
     FROM events WHERE seq > ?1 AND seq <= ?2 AND subject = ?3 ORDER BY seq DESC LIMIT ?4";

pub(super) const INDEXED: &str = "SELECT event.seq, received_at_ms, source, message_id, type,
            event.subject, occurred_at_ms, instance_id, payload, origin, payload_bytes
     FROM event_subjects AS known CROSS JOIN events AS event ON event.seq = known.seq
     WHERE known.subject = ?1 AND known.seq <= ?2 ORDER BY known.seq DESC LIMIT ?3";

pub(super) async fn find(
    readers: &SqlitePool,
    subject: &str,
    before: Option<Seq>,
    limit: ReadLimit,
) -> Result<SubjectEvents, sqlx::Error> {
    let mut snapshot = readers.begin().await?;
    let (indexed, head): (i64, i64) = sqlx::query_as(ENDS).fetch_one(&mut *snapshot).await?;
    let last = before.map_or(head, |before| head.min(before.get() - 1));
    let passed = indexed.max(last.saturating_sub(UNINDEXED_MAX));
    let mut page = Page::new(limit);
    let unindexed = sqlx::query(UNINDEXED).bind(passed).bind(last).bind(subject);
    page.fill(unindexed.bind(page.room()).fetch(&mut *snapshot)).await?;
    if passed == indexed && !page.is_full() {
        let known = sqlx::query(INDEXED).bind(subject).bind(last.min(indexed)).bind(page.room());
        page.fill(known.fetch(&mut *snapshot)).await?;
    }
    snapshot.commit().await?;
    Ok(page.end((passed > indexed).then_some(passed + 1)))
}

/// Rows as streams bring them.
type Rows<'a> = futures_util::stream::BoxStream<'a, Result<SqliteRow, sqlx::Error>>;

/// What is found, until the limit is reached.
struct Page {
    limit: ReadLimit,
    events: Vec<crate::StoredEvent>,
    bytes: usize,
    sources: Sources,
}

impl Page {
    fn new(limit: ReadLimit) -> Self {
        Self { limit, events: Vec::new(), bytes: 0, sources: Sources::default() }
    }

    fn room(&self) -> i64 {
        let events = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        i64::from(self.limit.events_max.max(1)) - events
    }

    fn is_full(&self) -> bool {
        self.room() <= 0 || self.bytes >= self.limit.bytes_max.max(1)
    }

    async fn fill(&mut self, mut rows: Rows<'_>) -> Result<(), sqlx::Error> {
        while !self.is_full()
            && let Some(row) = rows.try_next().await?
        {
            let event = event(&row, &mut self.sources)?;
            self.bytes += event.payload.len();
            self.events.push(event);
        }
        Ok(())
    }

    /// With where to go on: behind the last event, or where nobody has looked yet.
    fn end(self, not_looked_at: Option<i64>) -> SubjectEvents {
        let last = self.events.last().map(|event| event.seq);
        let older = if self.is_full() { last } else { not_looked_at.map(Seq::new) };
        SubjectEvents { events: self.events, older }
    }
}
