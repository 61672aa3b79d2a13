//! Entities that a program looks for before their events have arrived: over HTTP, and in Rust.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_server::{EntityError, EntityRequest, MirroredEntities, RequestedEntity};
use deskbell_trust::{Ensure, EnsureError, MalformedId, Wanted, with_causes};
use serde_json::{Map, Value};

/// How long an event is waited for where nothing else is said.
const WAIT: Duration = Duration::from_secs(6);

/// Why it is not known whether Clerk has an entity.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MirroredError {
    #[error(transparent)]
    MalformedId(#[from] MalformedId),
    #[error(transparent)]
    Ensure(#[from] EnsureError),
}

/// Finds the entities of a running [`Engine`](crate::Engine)'s mirrors. Clones are one; they outlive a
/// reload of the config, and fail once the engine stops.
#[derive(Debug, Clone)]
pub struct Mirrored {
    ensure: Ensure,
    wait: Duration,
}

impl Mirrored {
    pub(crate) fn new(ensure: Ensure) -> Self {
        Self { ensure, wait: WAIT }
    }

    /// Waits this long for an event instead of 6 s.
    #[must_use]
    pub fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// The columns of the user's row in the first mirror that has users. A user who is not there yet
    /// is fetched from Clerk if there is a secret key, or waited for. `None`: there is no such user.
    ///
    /// # Errors
    /// The id is not one of a user, or neither the mirror nor Clerk could be asked.
    pub async fn user(&self, id: &str) -> Result<Option<Arc<Map<String, Value>>>, MirroredError> {
        self.row(Wanted::user(id)?).await
    }

    /// As [`user`](Self::user), of an organization.
    ///
    /// # Errors
    /// As [`user`](Self::user).
    pub async fn organization(
        &self,
        id: &str,
    ) -> Result<Option<Arc<Map<String, Value>>>, MirroredError> {
        self.row(Wanted::organization(id)?).await
    }

    /// As [`user`](Self::user), of the membership of a user in an organization.
    ///
    /// # Errors
    /// As [`user`](Self::user).
    pub async fn membership(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Arc<Map<String, Value>>>, MirroredError> {
        self.row(Wanted::membership(user_id, organization_id)?).await
    }

    async fn row(&self, wanted: Wanted) -> Result<Option<Arc<Map<String, Value>>>, MirroredError> {
        Ok(self.ensure.row(wanted, None, self.wait).await?)
    }
}

#[async_trait]
impl MirroredEntities for Mirrored {
    async fn row(
        &self,
        EntityRequest { entity, destination, wait }: EntityRequest,
    ) -> Result<Option<Arc<Map<String, Value>>>, EntityError> {
        let wanted = match &entity {
            RequestedEntity::User { id } => Wanted::user(id),
            RequestedEntity::Organization { id } => Wanted::organization(id),
            RequestedEntity::Membership { user_id, organization_id } => {
                Wanted::membership(user_id, organization_id)
            }
        };
        let wanted = wanted.map_err(|_| EntityError::MalformedId)?;
        let row = self.ensure.row(wanted, destination.as_deref(), wait).await;
        row.map_err(|error| match error {
            EnsureError::NoMirror => EntityError::NoMirror,
            error if error.is_of_clerk() => EntityError::Clerk(with_causes(&error)),
            error => EntityError::Mirror(with_causes(&error)),
        })
    }
}
