//! Conditions that were alerted about and have not ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Timestamp;

/// An open condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertView {
    /// What it is, such as `destination.failing`: as in `docs/alerts.md`.
    pub kind: String,
    /// The destination or source that it is about.
    pub about: String,
    pub since: Timestamp,
    /// In plain words.
    pub message: String,
}
