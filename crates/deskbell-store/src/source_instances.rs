//! The Clerk instances that sources belong to.

use async_trait::async_trait;

use crate::{Seq, StoreError};

/// Which Clerk instance each source was found to belong to.
#[async_trait]
pub trait SourceInstances: Send + Sync + 'static {
    /// The instance of this source, if it is known.
    ///
    /// # Errors
    /// The store could not be read.
    async fn source_instance(&self, source: &str) -> Result<Option<SourceInstance>, StoreError>;

    /// Keeps this instance for the source unless one is kept already; returns the one that is
    /// kept.
    ///
    /// # Errors
    /// It is not known which one is kept.
    async fn pin_source_instance(
        &self,
        source: &str,
        found: &SourceInstance,
    ) -> Result<SourceInstance, StoreError>;
}

/// The instance of a source whose config names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInstance {
    /// Its id, `ins_…`.
    pub instance_id: String,
    /// The event that settled it. Events up to there may be of any instance.
    pub since: Seq,
}
