//! Dead letters: rows that a database rejected, and deliveries that failed permanently.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mask::mask_error;
use crate::{AdminError, Caller, Timestamp};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterState {
    /// It conflicts with other rows, and is retried automatically for a while.
    Waiting,
    /// A delete that the database rejects; it is retried without end.
    Stuck,
    /// It failed permanently.
    Failed,
    /// Somebody asked for a retry that was not made yet.
    Requested,
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DeadLetterView {
    pub state: DeadLetterState,
    pub since: Option<Timestamp>,
    pub destination: String,
    /// `delivery`; the mapped table or the statement; empty for the mirror.
    pub part: String,
    pub source: String,
    pub message_id: String,
    #[serde(rename = "type")]
    pub event_type: String,
    /// The kind of entity, such as `user`; empty where it is not known.
    pub entity: String,
    /// The entity's id; may be empty.
    pub id: String,
    pub reason: Option<String>,
    /// The database's code, such as `23505`.
    pub cause: Option<String>,
    pub constraint: Option<String>,
    pub table: Option<String>,
    /// What people know the part by, where that is another word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How often it was attempted, for a delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
}

impl DeadLetterView {
    /// Without what this caller must not see.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        mask_error(caller, &mut self.reason);
        self
    }
}

/// Dead letters of one destination with one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DeadLetterCause {
    pub destination: String,
    pub part: String,
    /// What `retry` takes for all of them: a code, a constraint or a table for rows. Deliveries have
    /// none.
    pub cause: Option<String>,
    /// The reason of one of them.
    pub reason: Option<String>,
    /// 0 where a mirror could not be read, and the reason says why.
    pub count: u64,
    pub oldest: Option<Timestamp>,
    pub newest: Option<Timestamp>,
    /// A few ids of entities or messages.
    pub examples: Vec<String>,
}

impl DeadLetterCause {
    /// Without what this caller must not see.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        // Where there is no code, the cause is the reason itself.
        if self.cause == self.reason {
            mask_error(caller, &mut self.cause);
        }
        mask_error(caller, &mut self.reason);
        self
    }
}

/// Which dead letters to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterQuery {
    pub destination: Option<String>,
    /// Of this entity or message.
    pub id: Option<String>,
    /// Rows with this code, constraint or table; deliveries with exactly this reason.
    pub cause: Option<String>,
    pub limit: u32,
}

/// Which dead letters to retry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryRequest {
    /// Of this destination only.
    #[serde(default)]
    pub destination: Option<String>,
    /// Of these entities or messages.
    #[serde(default)]
    pub ids: Vec<String>,
    /// All of them.
    #[serde(default)]
    pub all: bool,
    /// Rows that a database rejected with this code, for this constraint or in this table, and
    /// deliveries that failed with exactly this reason.
    #[serde(default)]
    pub cause: Option<String>,
}

/// How many retries were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Retried {
    pub asked: u64,
}

#[async_trait]
pub trait DeadLetters: Send + Sync {
    async fn dead_letters(
        &self,
        query: &DeadLetterQuery,
    ) -> Result<Vec<DeadLetterView>, AdminError>;

    /// All of them by destination and cause, the most frequent first.
    async fn dead_letter_causes(&self) -> Result<Vec<DeadLetterCause>, AdminError>;

    async fn retry_dead_letters(
        &self,
        caller: &Caller,
        request: &RetryRequest,
    ) -> Result<Retried, AdminError>;
}
