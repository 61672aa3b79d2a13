//! Endpoints: `http` destinations that were made through the admin API.

use std::fmt;

use async_trait::async_trait;

use crate::StoreError;

/// An endpoint as it is stored. The store reads neither `settings` nor `sealed`.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredEndpoint {
    /// Its name as a destination; unique.
    pub id: String,
    /// Settings that are no secrets, as JSON.
    pub settings: String,
    /// Secrets, encrypted.
    pub sealed: Vec<u8>,
    /// In milliseconds since the Unix epoch, by the store's clock; whoever writes leaves them 0.
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
    /// Grows with each change; 0 for one that is not stored yet.
    pub version: i64,
}

impl fmt::Debug for StoredEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredEndpoint")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The endpoints, on every process that shares the store.
#[async_trait]
pub trait StoredEndpoints: Send + Sync + 'static {
    /// A number that grows with each change of any endpoint.
    ///
    /// # Errors
    /// The store could not be read.
    async fn endpoints_revision(&self) -> Result<i64, StoreError>;

    /// All of them by id, and the revision that they are of.
    ///
    /// # Errors
    /// The store could not be read.
    async fn stored_endpoints(&self) -> Result<(i64, Vec<StoredEndpoint>), StoreError>;

    /// Stores a new endpoint (`version` 0), or replaces the one with this id if it still has this
    /// version. Whether it did.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn put_endpoint(&self, endpoint: &StoredEndpoint) -> Result<bool, StoreError>;

    /// Deletes the endpoint, and whether there was one. What is pending for it stays until
    /// [`remove_destination`](crate::deliveries::Destinations::remove_destination).
    ///
    /// # Errors
    /// Nothing was changed.
    async fn delete_endpoint(&self, id: &str) -> Result<bool, StoreError>;

    /// The names of the mirrors that somebody paused.
    ///
    /// # Errors
    /// The store could not be read.
    async fn paused_mirrors(&self) -> Result<Vec<String>, StoreError>;

    /// Pauses the mirror or resumes it; the revision grows.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn set_mirror_paused(&self, name: &str, is_paused: bool) -> Result<(), StoreError>;
}
