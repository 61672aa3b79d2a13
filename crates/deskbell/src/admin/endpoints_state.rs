//! The endpoints that were made through the API, and the key of their secrets.

use std::collections::BTreeSet;

use deskbell_admin::AdminError;
use deskbell_store::Store;

use crate::endpoints::{Applied, Declared, EndpointRecord, KeySource, SealingKey};
use crate::unavailable::unavailable;

/// What this process knows of them.
#[derive(Debug)]
pub(crate) struct EndpointsState {
    key: KeySource,
    /// Those that the effective config has.
    ids: BTreeSet<String>,
    applied: Applied,
}

impl EndpointsState {
    pub(crate) fn new(key: KeySource, declared: &Declared, applied: Applied) -> Self {
        let ids = declared.endpoints.iter().map(|record| record.id.clone()).collect();
        Self { key, ids, applied }
    }

    /// Whether the destination is one.
    pub(crate) fn is_one(&self, name: &str) -> bool {
        self.ids.contains(name)
    }

    pub(crate) fn key(&self) -> Result<SealingKey, AdminError> {
        self.key.key().map_err(unavailable)?.ok_or_else(|| {
            AdminError::NotSupported(
                "endpoints need a key that their secrets are encrypted with: set \
                 DESKBELL_SECRET_KEY (openssl rand -hex 32) on every process"
                    .to_owned(),
            )
        })
    }

    /// Waits until this process has applied what is stored now.
    pub(crate) async fn apply(&self, store: &dyn Store) -> Result<(), AdminError> {
        let revision = store.endpoints_revision().await.map_err(unavailable)?;
        self.applied.reach(revision).await;
        Ok(())
    }

    /// All of them, as they are in the store now.
    pub(crate) async fn records(
        &self,
        store: &dyn Store,
    ) -> Result<Vec<EndpointRecord>, AdminError> {
        let declared = Declared::read(store, &self.key).await.map_err(unavailable)?;
        Ok(declared.endpoints)
    }
}
