//! Mirrors: their tables, and how far they are.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mask::mask_error;
use crate::{AdminError, Caller, DestinationView};

/// A mirror, with its tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MirrorView {
    #[serde(flatten)]
    pub destination: DestinationView,
    pub tables: Vec<MirrorTable>,
    /// Why the tables could not be read, where they could not.
    pub error: Option<String>,
}

impl MirrorView {
    /// Without what this caller must not see.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        self.destination = self.destination.for_caller(caller);
        mask_error(caller, &mut self.error);
        self
    }
}

/// A table of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MirrorTable {
    pub name: String,
    /// The entity whose rows it has, such as `user`.
    pub entity: String,
    /// Whether it is a table of the application.
    pub mapped: bool,
    /// How many rows it has; `None` where that could not be read.
    pub rows: Option<u64>,
}

#[async_trait]
pub trait Mirrors: Send + Sync {
    /// The enabled ones, without their tables.
    async fn mirrors(&self) -> Result<Vec<MirrorView>, AdminError>;

    async fn mirror(&self, name: &str) -> Result<MirrorView, AdminError>;
}
