//! Whether the key of a source may be used for a mirror, asked for seldom.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use clerk_api::Client;
use deskbell_store::ConsumerLog;
use deskbell_sync::{FetchedFrom, Fold};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::followed::BackfillSource;
use crate::instance::{KeyError, check_key};

/// How long it counts that a key is of the source's instance.
const KEY_GOOD_FOR: Duration = Duration::from_secs(10 * 60);
/// How long it counts that it is not, or that this is not known.
const KEY_BAD_FOR: Duration = Duration::from_secs(5);

/// What is known of the key of a source, for each mirror.
#[derive(Debug, Default)]
pub(crate) struct CheckedKey {
    by_destination: Mutex<HashMap<String, Checked>>,
}

/// The instance of the key, and until when that counts.
#[derive(Debug)]
struct Checked {
    until: Instant,
    instance: Result<String, Arc<KeyError>>,
}

impl CheckedKey {
    /// Where objects come from, if the key is of the instance of the source and the mirror.
    pub(crate) async fn check(
        &self,
        source: &BackfillSource,
        client: &Client,
        store: &dyn ConsumerLog,
        destination: &str,
        fold: &Fold,
    ) -> Result<FetchedFrom, Arc<KeyError>> {
        let BackfillSource { name, instance_id, .. } = source;
        let mut known = self.by_destination.lock().await;
        let checked = known.get(destination).filter(|known| known.until > Instant::now());
        let found = if let Some(checked) = checked {
            checked.instance.clone()
        } else {
            let found = check_key(client, store, name, instance_id.as_deref(), &[fold]).await;
            let good_for = if found.is_ok() { KEY_GOOD_FOR } else { KEY_BAD_FOR };
            let found = found.map_err(Arc::new);
            let (until, instance) = (Instant::now() + good_for, found.clone());
            known.insert(destination.to_owned(), Checked { until, instance });
            found
        };
        Ok(FetchedFrom { source: name.as_str().into(), instance_id: found? })
    }

    /// Clerk has refused the key since.
    pub(crate) async fn forget(&self, destination: &str) {
        self.by_destination.lock().await.remove(destination);
    }
}
