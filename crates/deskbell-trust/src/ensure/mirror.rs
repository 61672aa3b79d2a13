//! A mirror in which somebody looks for entities.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::Seq;
use deskbell_sync::{Known, MirrorOptions, RowReader, Target};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::error::EnsureError;
use super::wanted::Wanted;

/// How long the mirror's database may take to answer.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// The least time between two looks for one entity, however fast the mirror moves.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked without a sign of progress: another process may keep the mirror.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// A row as it is answered: its columns without bookkeeping.
pub type EnsuredRow = Arc<Map<String, Value>>;

/// A mirror, with what is needed to read and to fill it.
#[derive(Debug, Clone)]
pub struct EnsuredMirror {
    pub options: MirrorOptions,
    /// Its database, once it could be opened.
    pub target: watch::Receiver<Option<Arc<dyn Target>>>,
    /// The last event that it has.
    pub progress: watch::Receiver<Seq>,
    pub rows: Arc<RowReader>,
}

/// What a mirror says of an entity.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    Row(EnsuredRow),
    Deleted,
}

impl Seen {
    pub(super) fn into_row(self) -> Option<EnsuredRow> {
        match self {
            Self::Row(row) => Some(row),
            Self::Deleted => None,
        }
    }
}

impl EnsuredMirror {
    pub(super) fn has(&self, wanted: &Wanted) -> bool {
        wanted.entity().is_some_and(|entity| self.rows.has(entity, wanted.columns()))
    }

    /// What the mirror says now; `None` if it does not know the entity.
    pub(super) async fn look(&self, wanted: &Wanted) -> Result<Option<Seen>, EnsureError> {
        let destination = || self.options.destination.clone();
        match timeout(LOOK_TIMEOUT, self.read(wanted)).await {
            Ok(Ok(seen)) => Ok(seen),
            Ok(Err(error)) => {
                Err(EnsureError::Mirror { destination: destination(), source: Arc::new(error) })
            }
            Err(_) => Err(EnsureError::MirrorSilent { destination: destination() }),
        }
    }

    async fn read(&self, wanted: &Wanted) -> Result<Option<Seen>, deskbell_sync::TargetError> {
        let Some(entity) = wanted.entity() else { return Ok(None) };
        let known = match wanted {
            Wanted::User { id } | Wanted::Organization { id } => {
                self.rows.by_id(entity, id).await?
            }
            Wanted::Membership { user_id, organization_id } => {
                let with = [("user_id", user_id.as_str()), ("organization_id", organization_id)];
                self.rows.newest(entity, &with).await?.map(Known::Row)
            }
        };
        Ok(known.map(|known| match known {
            Known::Row(row) => Seen::Row(Arc::new(row)),
            Known::Deleted => Seen::Deleted,
        }))
    }

    /// Waits until the mirror knows the entity.
    pub(super) async fn until_known(&self, wanted: &Wanted) -> Seen {
        let mut progress = self.progress.clone();
        loop {
            progress.mark_unchanged();
            // A database that is away may be back in time.
            if let Ok(Some(seen)) = self.look(wanted).await {
                return seen;
            }
            sleep(LOOK_PAUSE).await;
            tokio::select! {
                Ok(()) = progress.changed() => {}
                () = sleep(LOOK_INTERVAL.saturating_sub(LOOK_PAUSE)) => {}
            }
        }
    }
}
