//! The objects of an entity, page by page.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use clerk_api::{
    ApiError, Client, Cursor, ForeignCursor, GetError, InvalidId, Item, PageError, Pages, lists,
};
use deskbell_sync::entity::{self, Entity};
use deskbell_sync::{FetchedObject, NewestObject};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use crate::readings::{Readable, Reading};

/// Objects that are read one by one at the same time, within the rate limit.
const REQUESTS_AT_ONCE: usize = 8;

/// Statuses by which Clerk rejects a list as a whole.
const NOT_AVAILABLE: &[u16] = &[400, 402, 403, 404, 422];

/// A page of objects that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    Object(#[from] GetError),
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error(transparent)]
    Cursor(#[from] ForeignCursor),
}

/// An object as it was read.
pub(crate) struct ReadObject {
    entity: &'static Entity,
    item: Item,
    answered_at_ms: i64,
}

/// Objects that were read together.
pub(crate) struct ObjectPage {
    pub(crate) objects: Vec<ReadObject>,
    /// How many objects the list has, where Clerk says it.
    pub(crate) total: Option<u64>,
    /// Where to go on behind them; `None` behind the last one.
    pub(crate) next: Option<Cursor>,
}

impl ObjectPage {
    /// The objects of this entity.
    pub(crate) fn objects_of(&self, entity: &Entity) -> impl Iterator<Item = &ReadObject> {
        self.objects.iter().filter(move |object| object.is_of(entity))
    }
}

/// Reads the objects of an entity.
pub(crate) struct ObjectPages {
    client: Client,
    readable: Readable,
    pages: Pages,
    /// The payers whose subscription was read, by a hash of the id.
    payers: HashSet<u64>,
}

#[derive(Deserialize)]
struct OfPayer {
    payer: Option<Payer>,
}

#[derive(Deserialize)]
struct Payer {
    user_id: Option<String>,
    organization_id: Option<String>,
}

impl ObjectPages {
    pub(crate) fn new(
        client: Client,
        readable: Readable,
        cursor: Option<Cursor>,
    ) -> Result<Self, ReadError> {
        let walk = readable.reading.list().walk();
        let walk = match cursor {
            Some(cursor) => walk.resume(cursor)?,
            None => walk,
        };
        let pages = client.pages(walk);
        Ok(Self { client, readable, pages, payers: HashSet::new() })
    }

    /// The next page; `None` behind the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<ObjectPage>, ReadError> {
        let Some(page) = self.pages.next().await? else { return Ok(None) };
        let clerk_api::Page { items, total_count: total, answered_at, next } = page;
        let objects = match self.readable.reading {
            Reading::List(_) => self.all_of(self.readable.entity, items, answered_at),
            Reading::Subscriptions => self.with_subscriptions(items, answered_at).await?,
            Reading::PaymentAttempts => self.attempts(&items).await?,
        };
        Ok(Some(ObjectPage { objects, total, next }))
    }

    fn all_of(
        &self,
        entity: &'static Entity,
        items: Vec<Item>,
        answered_at: Option<SystemTime>,
    ) -> Vec<ReadObject> {
        items.into_iter().map(|item| ReadObject::new(entity, item, answered_at)).collect()
    }

    /// The items, and behind them the subscriptions, which have the same items: the list does not say
    /// which subscription an item belongs to, and of two with one version the later one counts.
    async fn with_subscriptions(
        &mut self,
        items: Vec<Item>,
        answered_at: Option<SystemTime>,
    ) -> Result<Vec<ReadObject>, ReadError> {
        let payers = self.new_payers(&items);
        let client = &self.client;
        let requests = payers.into_iter();
        let requests: Vec<_> = requests
            .map(|(path, id)| async move { subscription_of(client, path, &id).await }.boxed())
            .collect();
        let singles: Vec<_> =
            stream::iter(requests).buffered(REQUESTS_AT_ONCE).try_collect().await?;
        let singles: Vec<_> = singles.into_iter().flatten().collect();
        let latest = singles.iter().filter_map(|single| single.answered_at).max();
        let latest = latest.or(answered_at);
        let mut objects = match self.readable.reading.on_the_way().and_then(entity::find) {
            Some(entity) => self.all_of(entity, items, latest),
            None => Vec::new(),
        };
        let subscriptions = singles.into_iter().map(|single| single.item).collect();
        objects.extend(self.all_of(self.readable.entity, subscriptions, latest));
        Ok(objects)
    }

    fn new_payers(&mut self, items: &[Item]) -> Vec<(&'static clerk_api::SinglePath, String)> {
        let mut payers = Vec::new();
        for item in items {
            let Ok(OfPayer { payer: Some(payer) }) = serde_json::from_str(item.raw.get()) else {
                continue;
            };
            let id = |id: Option<String>| id.filter(|id| !id.is_empty());
            let of_organization =
                id(payer.organization_id).map(|id| (&lists::ORGANIZATION_SUBSCRIPTION, id));
            let of_user = || id(payer.user_id).map(|id| (&lists::USER_SUBSCRIPTION, id));
            let Some(payer) = of_organization.or_else(of_user) else { continue };
            let mut hasher = DefaultHasher::new();
            payer.1.hash(&mut hasher);
            if self.payers.insert(hasher.finish()) {
                payers.push(payer);
            }
        }
        payers
    }

    async fn attempts(&self, statements: &[Item]) -> Result<Vec<ReadObject>, ReadError> {
        let (client, entity) = (&self.client, self.readable.entity);
        let walks: Vec<_> = statements
            .iter()
            .map(|statement| attempts_of(client, entity, &statement.id).boxed())
            .collect();
        let attempts: Vec<Vec<ReadObject>> =
            stream::iter(walks).buffered(REQUESTS_AT_ONCE).try_collect().await?;
        Ok(attempts.into_iter().flatten().collect())
    }
}

/// The subscription of one payer. One that Clerk rejects stops no other.
async fn subscription_of(
    client: &Client,
    path: &clerk_api::SinglePath,
    payer: &str,
) -> Result<Option<clerk_api::Single>, ReadError> {
    match client.get(path, payer).await.map_err(ReadError::from) {
        Err(error) if error.is_of_one_object() => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(payer, error, "the subscription of a payer cannot be read");
            Ok(None)
        }
        read => read,
    }
}

async fn attempts_of(
    client: &Client,
    entity: &'static Entity,
    statement_id: &str,
) -> Result<Vec<ReadObject>, ReadError> {
    let mut pages = client.pages(lists::PAYMENT_ATTEMPTS.walk(statement_id)?);
    let mut attempts = Vec::new();
    loop {
        let page = match pages.next().await.map_err(ReadError::from) {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(attempts),
            // One statement that Clerk rejects stops no other.
            Err(error) if error.is_of_one_object() => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(statement_id, error, "payment attempts cannot be read");
                return Ok(attempts);
            }
            Err(error) => return Err(error),
        };
        let of_page = page.items.into_iter();
        attempts.extend(of_page.map(|item| ReadObject::new(entity, item, page.answered_at)));
    }
}

impl ReadObject {
    pub(crate) fn new(
        entity: &'static Entity,
        item: Item,
        answered_at: Option<SystemTime>,
    ) -> Self {
        let answered_at = answered_at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let answered_at = answered_at.and_then(|at| i64::try_from(at.as_millis()).ok());
        // Without the time of the answer, the object is as old as it says itself.
        let answered_at_ms = answered_at.or(item.updated_at).or(item.created_at).unwrap_or(0);
        Self { entity, item, answered_at_ms }
    }

    pub(crate) fn id(&self) -> &str {
        &self.item.id
    }

    pub(crate) fn is_of(&self, entity: &Entity) -> bool {
        self.entity == entity
    }

    pub(crate) fn answered_at_ms(&self) -> i64 {
        self.answered_at_ms
    }

    pub(crate) fn created_at_ms(&self) -> Option<i64> {
        self.item.created_at
    }

    pub(crate) fn updated_at_ms(&self) -> Option<i64> {
        self.item.updated_at
    }

    pub(crate) fn json(&self) -> &str {
        self.item.raw.get()
    }

    pub(crate) fn into_newest(self) -> NewestObject {
        let Self { entity, item, answered_at_ms } = self;
        NewestObject { entity, json: item.raw.into(), answered_at_ms }
    }

    pub(crate) fn as_fetched(&self) -> FetchedObject<'_> {
        let Self { entity, item, answered_at_ms } = self;
        FetchedObject { entity, json: item.raw.get(), answered_at_ms: *answered_at_ms }
    }
}

impl ReadError {
    /// Whether Clerk does not answer the list at all: what it is of is not switched on.
    pub(crate) fn is_not_available(&self) -> bool {
        self.status().is_some_and(|status| NOT_AVAILABLE.contains(&status))
    }

    /// Whether the answer is about this object alone: rejected, or no object that can be read.
    fn is_of_one_object(&self) -> bool {
        let is_unreadable = matches!(self, Self::Object(GetError::Answer(_) | GetError::Id(_)));
        is_unreadable || self.is_not_available()
    }

    /// Whether Clerk itself, and no proxy on the way, rejects the request, for another reason than the key.
    pub(crate) fn is_rejected_by_clerk(&self) -> bool {
        let has_code = self.api_error().is_some_and(|error| error.code.is_some());
        has_code && self.is_not_available()
    }

    /// The HTTP status of Clerk's answer, if there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        self.api_error().map(|error| error.status)
    }

    /// Clerk's code of the error, if it gave one.
    pub(crate) fn code(&self) -> Option<&str> {
        self.api_error()?.code.as_deref()
    }

    fn api_error(&self) -> Option<&ApiError> {
        match self {
            Self::Page(error) => error.api_error(),
            Self::Object(error) => error.api_error(),
            Self::Id(_) | Self::Cursor(_) => None,
        }
    }
}
