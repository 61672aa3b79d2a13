//! Reading what the events of a mirror only say of, for `refetch = true`.

mod error;
mod rejections;
mod requests;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use deskbell_store::ConsumerLog;
use deskbell_sync::entity::Entity;
use deskbell_sync::{NewestObjects, ObjectReadError, ObjectReader, ReadRequest, WantedObject};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::checked_key::CheckedKey;
use crate::followed::BackfillSource;
use crate::object_pages::{ReadError, ReadObject};
use error::failed;
use rejections::Rejections;
pub use requests::refetched_entities;
use requests::{ObjectRequest, plan};

/// Requests of one mirror at the same time, within the rate limit.
const REQUESTS_AT_ONCE: usize = 4;

/// Reads the objects of these sources. Clones are one.
#[derive(Clone)]
pub struct Refetch {
    store: Arc<dyn ConsumerLog>,
    sources: Arc<RwLock<Arc<Vec<ReadSource>>>>,
}

struct ReadSource {
    source: BackfillSource,
    key: CheckedKey,
    rejections: Rejections,
}

impl Refetch {
    #[must_use]
    pub fn new(store: Arc<dyn ConsumerLog>, sources: Vec<BackfillSource>) -> Self {
        let refetch = Self { store, sources: Arc::default() };
        refetch.replace(sources);
        refetch
    }

    /// Reads with the keys of these sources from now on.
    pub fn replace(&self, sources: Vec<BackfillSource>) {
        let sources = sources.into_iter().map(|source| ReadSource {
            source,
            key: CheckedKey::default(),
            rejections: Rejections::default(),
        });
        let sources = Arc::new(sources.collect());
        *self.sources.write().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    fn sources(&self) -> Arc<Vec<ReadSource>> {
        Arc::clone(&self.sources.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl ObjectReader for Refetch {
    fn reads(&self, entity: &Entity) -> bool {
        refetched_entities().contains(&entity.name)
    }

    fn requests(&self, wanted: &[WantedObject]) -> usize {
        plan(&wanted.iter().collect::<Vec<_>>()).len()
    }

    async fn read(&self, request: ReadRequest<'_>) -> Result<NewestObjects, ObjectReadError> {
        let ReadRequest { destination, fold, source: name, wanted } = request;
        let sources = self.sources();
        let found = sources.iter().find(|source| source.source.name == name);
        let ReadSource { source, key, rejections } = found.ok_or_else(|| error::no_key(name))?;
        let client = &source.refetching;
        let checked = key.check(source, client, &*self.store, destination, fold).await;
        let from = checked.map_err(|cause| error::key(name, cause))?;
        let is_ours = |wanted: &&WantedObject| {
            wanted.instance_id.as_ref().is_none_or(|named| *named == from.instance_id)
        };
        let wanted: Vec<_> = wanted.iter().filter(is_ours).collect();
        let requests = plan(&wanted).into_iter().map(|request| read(client, request).boxed());
        let requests: Vec<_> = requests.collect();
        let read = stream::iter(requests).buffer_unordered(REQUESTS_AT_ONCE).try_collect().await;
        match read {
            Ok(answers) => {
                let answers: Vec<Answer> = answers;
                let asked = answers.iter().map(|one| (one.entity, one.rejection.as_ref()));
                rejections.report(name, asked);
                let objects = answers.into_iter().flat_map(|answer| answer.objects);
                Ok(NewestObjects { from, objects: objects.map(ReadObject::into_newest).collect() })
            }
            Err(cause) => {
                if cause.status() == Some(401) {
                    key.forget(destination).await;
                }
                Err(failed(name, cause))
            }
        }
    }
}

/// What Clerk answers a request with. One that it rejects stops no other: its events are applied as they are.
struct Answer {
    entity: &'static str,
    objects: Vec<ReadObject>,
    rejection: Option<ReadError>,
}

async fn read(client: &clerk_api::Client, request: ObjectRequest<'_>) -> Result<Answer, ReadError> {
    let entity = request.entity().name;
    match request.read(client).await {
        Ok(objects) => Ok(Answer { entity, objects, rejection: None }),
        Err(error) if error.is_rejected_by_clerk() => {
            Ok(Answer { entity, objects: Vec::new(), rejection: Some(error) })
        }
        Err(error) => Err(error),
    }
}

impl fmt::Debug for Refetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refetch").finish_non_exhaustive()
    }
}
