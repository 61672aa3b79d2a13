//! One entity of a mirror: its row, also when its event has not arrived yet.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{StatusCode, Uri};
use serde::de::IntoDeserializer;
use serde::de::value::{Error as TextError, StrDeserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Requests for entities that are answered at the same time: half of what the server answers at once
/// is left to events.
const WAITING_MAX: usize = 512;
/// The longest wait for an event.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityRequest {
    pub entity: RequestedEntity,
    /// The mirror to look in; `None`: the first one that has such entities.
    pub destination: Option<String>,
    /// How long its event is waited for.
    pub wait: Duration,
}

/// The entity that a request names. Its ids are what the client wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedEntity {
    User { id: String },
    Organization { id: String },
    Membership { user_id: String, organization_id: String },
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityError {
    /// A text is not the id of such an entity.
    MalformedId,
    /// No mirror has such entities.
    NoMirror,
    /// The mirror cannot be used; for the log.
    Mirror(String),
    /// Clerk's Backend API cannot be used; for the log.
    Clerk(String),
}

/// Finds entities.
#[async_trait]
pub trait MirroredEntities: fmt::Debug + Send + Sync + 'static {
    /// The columns of the entity's row; `None` if there is no such entity.
    async fn row(
        &self,
        request: EntityRequest,
    ) -> Result<Option<Arc<Map<String, Value>>>, EntityError>;
}

#[async_trait]
impl MirroredEntities for () {
    async fn row(&self, _: EntityRequest) -> Result<Option<Arc<Map<String, Value>>>, EntityError> {
        Err(EntityError::NoMirror)
    }
}

/// Answers requests for entities, so many at a time.
#[derive(Debug)]
pub(crate) struct Entities {
    mirrored: Arc<dyn MirroredEntities>,
    waiting: Arc<Semaphore>,
}

/// Slots for requests.
pub(crate) fn slots() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(WAITING_MAX))
}

/// The columns of a row.
#[derive(Debug)]
pub(crate) struct Row(Arc<Map<String, Value>>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Entities {
    pub(crate) fn new(mirrored: Arc<dyn MirroredEntities>, waiting: Arc<Semaphore>) -> Self {
        Self { mirrored, waiting }
    }

    /// `GET /api/v1/users/{id}`.
    pub(crate) async fn user(&self, uri: &Uri) -> Result<Row, Problem> {
        self.answer(RequestedEntity::User { id: last_segment(uri) }, uri).await
    }

    /// `GET /api/v1/organizations/{id}`.
    pub(crate) async fn organization(&self, uri: &Uri) -> Result<Row, Problem> {
        self.answer(RequestedEntity::Organization { id: last_segment(uri) }, uri).await
    }

    /// `GET /api/v1/organization_memberships?user_id=…&organization_id=…`.
    pub(crate) async fn membership(&self, uri: &Uri) -> Result<Row, Problem> {
        let (user_id, organization_id) = Default::default();
        self.answer(RequestedEntity::Membership { user_id, organization_id }, uri).await
    }

    async fn answer(&self, entity: RequestedEntity, uri: &Uri) -> Result<Row, Problem> {
        let request = EntityRequest::new(entity, uri.query().unwrap_or_default());
        let request = request.map_err(|code| {
            let detail = "`wait` is a duration up to `30s`; `destination` is the name of a mirror";
            Problem::new(StatusCode::BAD_REQUEST, code, detail)
        })?;
        let _permit = self.waiting.try_acquire().map_err(|_| Problem::overloaded())?;
        match self.mirrored.row(request).await {
            Ok(Some(row)) => Ok(Row(row)),
            Ok(None) => Err(Problem::not_found("there is no such entity")),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<EntityError> for Problem {
    fn from(error: EntityError) -> Self {
        match error {
            EntityError::MalformedId => {
                let detail = "this is not the id of such an entity";
                Self::new(StatusCode::BAD_REQUEST, "invalid_id", detail)
            }
            EntityError::NoMirror => {
                let detail = "no mirror has such entities";
                Self::new(StatusCode::NOT_FOUND, "no_mirror", detail)
            }
            EntityError::Mirror(cause) => {
                Self::unavailable("mirror_unavailable", "the mirror is unavailable", cause)
            }
            EntityError::Clerk(cause) => {
                Self::unavailable("clerk_unavailable", "Clerk's API is unavailable", cause)
            }
        }
    }
}

impl EntityRequest {
    /// The request with the parameters of this query, or the code of what is wrong with them.
    fn new(entity: RequestedEntity, query: &str) -> Result<Self, &'static str> {
        let mut request = Self { entity, destination: None, wait: Duration::ZERO };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (name, &mut request.entity) {
                ("wait", _) => request.wait = wait(value).ok_or("invalid_wait")?,
                ("destination", _) => request.destination = Some(value.to_owned()),
                ("user_id", RequestedEntity::Membership { user_id, .. }) => {
                    value.clone_into(user_id);
                }
                ("organization_id", RequestedEntity::Membership { organization_id, .. }) => {
                    value.clone_into(organization_id);
                }
                _ => return Err("invalid_parameter"),
            }
        }
        Ok(request)
    }
}

/// A duration such as `6s`, if it is not too long.
fn wait(text: &str) -> Option<Duration> {
    let text: StrDeserializer<'_, TextError> = text.into_deserializer();
    let wait = deskbell_config::Duration::deserialize(text).ok()?.0;
    (wait <= WAIT_MAX).then_some(wait)
}

fn last_segment(uri: &Uri) -> String {
    uri.path().rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_where_to_look_and_how_long() {
        let user = || RequestedEntity::User { id: "user_1".to_owned() };
        let (user_id, organization_id) = Default::default();
        let membership = RequestedEntity::Membership { user_id, organization_id };
        let request = EntityRequest::new(user(), "wait=6s&destination=app").unwrap();
        assert_eq!(
            (request.wait, request.destination.as_deref()),
            (Duration::from_secs(6), Some("app"))
        );
        assert_eq!(EntityRequest::new(user(), "").unwrap().wait, Duration::ZERO);
        let query = "organization_id=org_1&wait=250ms&user_id=user_1";
        let request = EntityRequest::new(membership, query).unwrap();
        assert_eq!(
            request.entity,
            RequestedEntity::Membership {
                user_id: "user_1".to_owned(),
                organization_id: "org_1".to_owned(),
            }
        );
        for (query, code) in [
            ("wait=31s", "invalid_wait"),
            ("wait=", "invalid_wait"),
            ("wait=6", "invalid_wait"),
            ("wait=-1s", "invalid_wait"),
            ("user_id=user_2", "invalid_parameter"),
            ("waits=6s", "invalid_parameter"),
        ] {
            assert_eq!(EntityRequest::new(user(), query), Err(code), "{query}");
        }
        assert!(EntityRequest::new(user(), "wait=30s").is_ok());
    }
}
