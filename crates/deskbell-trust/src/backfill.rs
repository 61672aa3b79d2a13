//! Backfill: what existed before a mirror did, read from Clerk's Backend API.
//!
//! Objects become versions beside those of events, so that it may run while events arrive, end at
//! any moment, and be done again.

mod mirror;
mod plan;
mod progress;
mod state;

use std::collections::BTreeSet;

use clerk_api::{Client, Cursor};
use deskbell_store::LogId;
use deskbell_store::clock::now_ms;
use deskbell_sync::{FetchedFrom, TargetError};
use futures_util::{FutureExt, StreamExt, stream};

use crate::object_pages::{ObjectPage, ObjectPages, ReadError};
pub use mirror::BackfillMirror;
pub use plan::Scope;
use plan::{PlannedWalk, plan};
pub use progress::{BACKFILL, BackfillProgress, ProgressError, read_backfill_state};
pub use state::{BackfillState, WalkState, WalkStatus};

/// Lists that are read at the same time, within the rate limit. The pages of one list follow each
/// other.
const WALKS_AT_ONCE: usize = 4;

/// Fills mirrors from one Clerk instance.
#[derive(Debug)]
pub struct Backfill {
    pub client: Client,
    /// The source that the objects belong to, and its instance.
    pub from: FetchedFrom,
    pub log_id: LogId,
    pub mirrors: Vec<BackfillMirror>,
}

/// Why nothing more can be done.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// Clerk rejects the key.
    #[error("Clerk rejects the secret key of source `{source_name}`")]
    Key { source_name: String, source: ReadError },
    #[error(transparent)]
    Progress(#[from] ProgressError),
}

/// Why a walk ended early. It goes on where it was.
#[derive(Debug, thiserror::Error)]
enum WalkError {
    #[error("cannot read Clerk's Backend API")]
    Read(#[from] ReadError),
    #[error("cannot write to the mirror `{destination}`")]
    Target { destination: String, source: TargetError },
    #[error(transparent)]
    Progress(#[from] ProgressError),
}

impl Backfill {
    /// Reads these entities, or all that the mirrors have, and writes what is missing or older in
    /// them. What became of each is in the state.
    ///
    /// # Errors
    /// The key is not valid, or the state could not be kept.
    pub async fn run(
        &self,
        entities: &[String],
        scope: Scope,
        progress: &BackfillProgress<'_>,
    ) -> Result<(), BackfillError> {
        let walks = plan(&self.mirrors, entities, scope, &progress.now());
        let walks = walks.into_iter().map(|walk| self.run_walk(walk, progress).boxed());
        let walks: Vec<_> = walks.collect();
        let mut running = stream::iter(walks).buffer_unordered(WALKS_AT_ONCE);
        while let Some(done) = running.next().await {
            done?;
        }
        Ok(())
    }

    async fn run_walk(
        &self,
        mut planned: PlannedWalk,
        progress: &BackfillProgress<'_>,
    ) -> Result<(), BackfillError> {
        let mut walk = planned.from.clone();
        walk.started_at_ms.get_or_insert_with(now_ms);
        let done = self.read_and_write(&mut planned, &mut walk, progress).await;
        let entity = planned.readable.entity.name;
        match done {
            Ok(()) => {
                walk.finished_at_ms = Some(now_ms());
                walk.cursor = None;
                walk.status = match walk.passed_over.is_empty() {
                    true => WalkStatus::Done,
                    false => WalkStatus::Incomplete,
                };
            }
            Err(WalkError::Progress(error)) => return Err(error.into()),
            Err(WalkError::Read(error)) if error.status() == Some(401) => {
                let source_name = self.from.source.to_string();
                return Err(BackfillError::Key { source_name, source: error });
            }
            Err(error) => {
                let is_whole = walk.read == 0 && error.is_not_available();
                walk.status = if is_whole { WalkStatus::NotAvailable } else { WalkStatus::Failed };
                walk.error = Some(with_causes(&error));
                let error = &error as &dyn std::error::Error;
                tracing::warn!(entity, error, "the backfill of an entity ended early");
            }
        }
        Ok(progress.note(&self.named(&planned), &walk).await?)
    }

    async fn read_and_write(
        &self,
        planned: &mut PlannedWalk,
        walk: &mut WalkState,
        progress: &BackfillProgress<'_>,
    ) -> Result<(), WalkError> {
        let cursor = walk.cursor.as_ref().and_then(|text| text.parse::<Cursor>().ok());
        if cursor.is_none() {
            walk.read = 0;
        }
        let mut pages = ObjectPages::new(self.client.clone(), planned.readable, cursor)?;
        walk.total = self.total(planned).await.or(walk.total);
        progress.note(&self.named(planned), walk).await?;
        let mut page = pages.next().await?;
        while let Some(now) = page {
            let before = walk.clone();
            let (failed, next) = tokio::join!(self.write(planned, &now, walk), pages.next());
            self.leave_out(failed, planned, &before, progress).await?;
            walk.total = now.total.or(walk.total);
            walk.cursor = now.next.map(|cursor| cursor.to_string());
            progress.note(&self.named(planned), walk).await?;
            page = next?;
        }
        Ok(())
    }

    /// How many objects there are, of a list whose pages do not say it.
    async fn total(&self, planned: &PlannedWalk) -> Option<u64> {
        let list = planned.readable.reading.list();
        list.count_path?;
        self.client.count(&list.walk()).await.ok()
    }

    /// Writes a page to each mirror; what could not be written, by the mirror's index.
    async fn write(
        &self,
        planned: &PlannedWalk,
        page: &ObjectPage,
        walk: &mut WalkState,
    ) -> Vec<(usize, TargetError)> {
        let mut failed = Vec::new();
        for index in &planned.mirrors {
            let mirror = &self.mirrors[*index];
            let commit = match mirror.write(&self.from, &page.objects, self.log_id).await {
                Ok(commit) => commit,
                Err(error) => {
                    failed.push((*index, error));
                    continue;
                }
            };
            walk.rows_written += commit.rows_written;
            walk.rejected += u64::try_from(commit.refused.len()).unwrap_or(u64::MAX);
            let passed_over = commit.passed_over.into_iter().map(|part| part.name);
            let known: BTreeSet<_> = walk.passed_over.drain(..).chain(passed_over).collect();
            walk.passed_over = known.into_iter().collect();
        }
        walk.read += u64::try_from(page.objects.len()).unwrap_or(u64::MAX);
        failed
    }

    /// Mirrors that failed leave the walk, and go on from this page another time; the others go on now.
    async fn leave_out(
        &self,
        failed: Vec<(usize, TargetError)>,
        planned: &mut PlannedWalk,
        before: &WalkState,
        progress: &BackfillProgress<'_>,
    ) -> Result<(), WalkError> {
        for (index, source) in failed {
            let destination = self.mirrors[index].destination.clone();
            let error = WalkError::Target { destination, source };
            if planned.mirrors == [index] {
                return Err(error);
            }
            let of_it = PlannedWalk { mirrors: vec![index], ..planned.clone() };
            planned.mirrors.retain(|other| *other != index);
            let text = Some(with_causes(&error));
            let walk = WalkState { status: WalkStatus::Failed, error: text, ..before.clone() };
            progress.note(&self.named(&of_it), &walk).await?;
        }
        Ok(())
    }

    /// The destinations and entities that a walk is of.
    fn named<'a>(&'a self, planned: &PlannedWalk) -> Vec<(&'a str, &'static str)> {
        let readable = planned.readable;
        let mut named = Vec::new();
        for index in &planned.mirrors {
            let mirror = &self.mirrors[*index];
            let on_the_way = readable.reading.on_the_way().filter(|name| mirror.has(name));
            let entities = [Some(readable.entity.name), on_the_way].into_iter().flatten();
            named.extend(entities.map(|entity| (mirror.destination.as_str(), entity)));
        }
        named
    }
}

/// Whether nothing is left to be read for these mirrors.
pub(crate) fn is_filled(mirrors: &[BackfillMirror], progress: &BackfillProgress<'_>) -> bool {
    plan(mirrors, &[], Scope::Missing, &progress.now()).is_empty()
}

impl WalkError {
    fn is_not_available(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_not_available())
    }
}

/// An error with its causes, in one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<_> = causes.map(ToString::to_string).collect();
    // A transparent error repeats its cause.
    texts.dedup();
    texts.join(": ")
}
