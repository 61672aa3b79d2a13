//! Whose key it is: a key of another Clerk instance must never reach a mirror.

use clerk_api::{Client, InstanceError};
use deskbell_store::{ConsumerLog, ReadLimit, Seq, StoreError, StoredEvent};
use deskbell_sync::{Fold, is_example_instance};

/// The newest events that are looked at.
const EVENTS_MAX: u32 = 1_000;

/// A key that must not be used, or of which it is not known whether it may be.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot ask Clerk whose secret key it is")]
    Api(#[from] InstanceError),
    #[error("cannot read the event log")]
    Store(#[from] StoreError),
    #[error(
        "the secret key of source `{source_name}` is of the Clerk instance {found}, but {expected_by} {expected}"
    )]
    OtherInstance { source_name: String, found: String, expected: String, expected_by: String },
    #[error(
        "it is not known whether the secret key of source `{source_name}` belongs to it: the key is of the Clerk instance {found}, and the event log has no event of the source yet"
    )]
    NoEvent { source_name: String, found: String },
}

impl KeyError {
    /// Whether the config is wrong, or lacks something.
    #[must_use]
    pub fn is_config_error(&self) -> bool {
        match self {
            Self::Api(error) => error.api_error().is_some_and(|error| error.status == 401),
            Self::OtherInstance { .. } | Self::NoEvent { .. } => true,
            Self::Store(_) => false,
        }
    }
}

/// The instance of the key, if it is that of the source, its events and the mirrors.
///
/// # Errors
/// It is another one, or nobody but the key says which it is.
pub async fn check_key(
    client: &Client,
    store: &dyn ConsumerLog,
    source: &str,
    configured: Option<&str>,
    folds: &[&Fold],
) -> Result<String, KeyError> {
    let found = client.instance().await?.id;
    let other = |expected: &str, expected_by: &str| KeyError::OtherInstance {
        source_name: source.to_owned(),
        found: found.clone(),
        expected: expected.to_owned(),
        expected_by: expected_by.to_owned(),
    };
    let mut is_confirmed = false;
    if let Some(expected) = configured {
        if expected != found {
            return Err(other(expected, "the source's `instance_id` is"));
        }
        is_confirmed = true;
    }
    for fold in folds {
        if let Some(expected) = fold.instance(store).await? {
            if expected != found {
                return Err(other(&expected, "its events are of"));
            }
            is_confirmed = true;
        }
    }
    if !is_confirmed {
        is_confirmed = match instance_of_events(store, source, &found).await? {
            Some(expected) if expected != found => {
                return Err(other(&expected, "its events are of"));
            }
            seen => seen.is_some(),
        };
    }
    match is_confirmed {
        true => Ok(found),
        false => Err(KeyError::NoEvent { source_name: source.to_owned(), found }),
    }
}

/// The instance of the newest events: another one than `ours`, if there is any.
async fn instance_of_events(
    store: &dyn ConsumerLog,
    source: &str,
    ours: &str,
) -> Result<Option<String>, StoreError> {
    let events = newest_messages_of(store, source).await?.into_iter();
    let instances = events.filter_map(|event| event.event.instance_id);
    let mut seen: Vec<_> =
        instances.filter(|id| !id.is_empty() && !is_example_instance(id)).collect();
    seen.sort_by_key(|id| id == ours);
    Ok(seen.into_iter().next())
}

/// Those of the newest events of the log that are messages of this source.
pub(crate) async fn newest_messages_of(
    store: &dyn ConsumerLog,
    source: &str,
) -> Result<Vec<StoredEvent>, StoreError> {
    let head = store.head().await?;
    let after = Seq::new(head.get() - i64::from(EVENTS_MAX));
    let limit = ReadLimit { events_max: EVENTS_MAX, ..ReadLimit::default() };
    let mut events = store.read(after, limit).await?;
    events.retain(|event| *event.source == *source && event.origin.is_message());
    Ok(events)
}
