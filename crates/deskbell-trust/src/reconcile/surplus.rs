//! Rows that Clerk does not have: looked for when the whole list was read, and confirmed.

use deskbell_sync::entity::Entity;

use super::seen_ids::SeenIds;
use super::{Reconcile, ReconcileError};
use crate::object_pages::ObjectPages;
use crate::readings::Readable;

/// Rows of the mirror that are looked at together.
const ROWS_MAX: i64 = 5_000;
/// Candidates that are asked for one by one; of more, a second pass over the list decides.
const SINGLES_MAX: usize = 500;

impl Reconcile<'_> {
    /// The rows that are older than the walk and that it has not seen.
    pub(super) async fn candidates(
        &self,
        entity: &'static Entity,
        seen: &SeenIds,
        started_at_ms: i64,
    ) -> Result<Vec<String>, ReconcileError> {
        let (mut candidates, mut after) = (Vec::new(), String::new());
        loop {
            let comparison = &self.mirror.comparison;
            let rows = comparison.rows_after(entity, &after, ROWS_MAX).await;
            let rows = rows.map_err(|source| self.database(source))?;
            let Some(last) = rows.last() else { return Ok(candidates) };
            after.clone_from(&last.id);
            let unseen = rows
                .into_iter()
                .filter(|row| row.occurred_at_ms < started_at_ms && !seen.contains(&row.id));
            candidates.extend(unseen.map(|row| row.id));
        }
    }

    /// Those that Clerk does not have: it says so of each, or a second pass has not seen them either.
    pub(super) async fn confirmed(
        &self,
        readable: Readable,
        candidates: Vec<String>,
    ) -> Result<Vec<String>, ReconcileError> {
        if candidates.is_empty() {
            return Ok(candidates);
        }
        if let Some(path) = readable.reading.list().single
            && candidates.len() <= SINGLES_MAX
        {
            let mut confirmed = Vec::new();
            for id in candidates {
                if self.client.get(path, &id).await.map_err(crate::ReadError::from)?.is_none() {
                    confirmed.push(id);
                }
            }
            return Ok(confirmed);
        }
        let mut pages = ObjectPages::new(self.client.clone(), readable, None)?;
        let mut seen = SeenIds::default();
        while let Some(page) = pages.next().await? {
            for object in page.objects_of(readable.entity) {
                seen.insert(object.id());
            }
        }
        Ok(candidates.into_iter().filter(|id| !seen.contains(id)).collect())
    }
}
