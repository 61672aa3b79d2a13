//! What the paths of all resources name: an application, an endpoint, a message.

use std::sync::Arc;

use deskbell_admin::{Admin, Caller, Endpoint, EventQuery, EventSummary};

use super::errors::ApiError;

/// Bytes of an id in a path. Nothing has a longer one.
const ID_BYTES_MAX: usize = 256;

/// What every handler asks.
#[derive(Debug, Clone)]
pub(super) struct Api {
    admin: Arc<dyn Admin>,
}

impl Api {
    pub(super) fn new(admin: Arc<dyn Admin>) -> Self {
        Self { admin }
    }

    pub(super) fn admin(&self) -> &dyn Admin {
        &*self.admin
    }

    /// The source that is the application of this id.
    pub(super) fn source(&self, app_id: &str) -> Result<String, ApiError> {
        let found = self.admin.sources().into_iter().find(|source| source == app_id);
        found.ok_or_else(|| ApiError::not_found("application", shown(app_id)))
    }

    /// The endpoint with this id or uid, and its source.
    pub(super) async fn endpoint(
        &self,
        app_id: &str,
        endpoint_id: &str,
    ) -> Result<(String, Endpoint), ApiError> {
        let source = self.source(app_id)?;
        if endpoint_id.len() > ID_BYTES_MAX {
            return Err(ApiError::not_found("endpoint", shown(endpoint_id)));
        }
        let endpoint = self.admin.endpoint(&source, endpoint_id).await?;
        Ok((source, endpoint))
    }

    /// The endpoints of a source, as this caller may see them.
    pub(super) async fn endpoints(
        &self,
        source: &str,
        caller: &Caller,
    ) -> Result<Vec<Endpoint>, ApiError> {
        let endpoints = self.admin.endpoints(source).await?;
        Ok(endpoints.into_iter().map(|endpoint| endpoint.for_caller(caller)).collect())
    }

    /// The message with this id.
    pub(super) async fn message(
        &self,
        app_id: &str,
        message_id: &str,
    ) -> Result<EventSummary, ApiError> {
        let source = self.source(app_id)?;
        let found = match message_id.len() <= ID_BYTES_MAX {
            true => self.find_message(Some(&source), message_id).await?,
            false => None,
        };
        found.ok_or_else(|| ApiError::not_found("message", shown(message_id)))
    }

    /// The event with this message id: of this source, or of any.
    pub(super) async fn find_message(
        &self,
        source: Option<&str>,
        message_id: &str,
    ) -> Result<Option<EventSummary>, ApiError> {
        let query = EventQuery {
            message_id: Some(message_id.to_owned()),
            source: source.map(str::to_owned),
            limit: 1,
            ..EventQuery::default()
        };
        Ok(self.admin.search(&query).await?.events.into_iter().next())
    }
}

/// As much of an id as an error repeats.
fn shown(id: &str) -> &str {
    match id.char_indices().nth(64) {
        Some((end, _)) => &id[..end],
        None => id,
    }
}
