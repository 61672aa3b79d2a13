//! Attempts at deliveries.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mask::mask_error;
use crate::{AdminError, Caller, Timestamp};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    Delivered,
    Failed,
}

/// One try at a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AttemptView {
    /// `atmpt_…`: unique, and what [`Attempts::attempt`] finds it by.
    pub id: String,
    pub destination: String,
    pub source: String,
    pub message_id: String,
    pub seq: i64,
    #[serde(rename = "type")]
    pub event_type: String,
    /// 1 for the first attempt at this delivery.
    pub number: u32,
    pub started_at: Timestamp,
    pub took_ms: u64,
    pub result: AttemptResult,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// What went wrong, in plain words; for who may see payloads.
    pub error: Option<String>,
    pub reply_bytes: usize,
    /// The reply's first bytes, read as UTF-8; only for who may see payloads.
    pub reply: Option<String>,
}

impl AttemptView {
    /// Without what this caller must not see.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        if !caller.sees_payloads() {
            self.reply = None;
        }
        mask_error(caller, &mut self.error);
        self
    }
}

/// Which attempts to list, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptQuery {
    pub source: Option<String>,
    pub destination: Option<String>,
    pub message_id: Option<String>,
    pub types: Vec<String>,
    pub result: Option<AttemptResult>,
    /// 100, 200, 300, 400 or 500: statuses of this class.
    pub status_class: Option<u16>,
    /// Begun before this.
    pub before: Option<Timestamp>,
    /// Begun after this.
    pub after: Option<Timestamp>,
    /// Where the page before ended: its `next`.
    pub cursor: Option<String>,
    pub limit: u32,
}

/// A page of attempts. It can be empty and still have a next one: each page looks through so many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AttemptPage {
    pub attempts: Vec<AttemptView>,
    /// Where the next page begins; `None` where there is none.
    pub next: Option<String>,
}

#[async_trait]
pub trait Attempts: Send + Sync {
    async fn attempts(&self, query: &AttemptQuery) -> Result<AttemptPage, AdminError>;

    async fn attempt(&self, id: &str) -> Result<AttemptView, AdminError>;
}
