//! Reading one object from the Clerk instance of a source.

use std::sync::Arc;

use clerk_api::{Client, Item, Single, lists};
use deskbell_store::ConsumerLog;
use deskbell_sync::entity::Entity;
use deskbell_sync::{FetchedFrom, Fold};
use serde::Deserialize;

use super::wanted::Wanted;
use crate::checked_key::CheckedKey;
use crate::followed::BackfillSource;
use crate::instance::KeyError;
use crate::object_pages::{ReadError, ReadObject};

/// A source, and whether its key may be used.
#[derive(Debug)]
pub(super) struct CheckedSource {
    source: BackfillSource,
    key: CheckedKey,
}

/// What says of which organization a membership is.
#[derive(Deserialize)]
struct OfOrganization {
    organization: Option<Organization>,
    organization_id: Option<String>,
}

#[derive(Deserialize)]
struct Organization {
    id: Option<String>,
}

impl CheckedSource {
    pub(super) fn new(source: BackfillSource) -> Self {
        Self { source, key: CheckedKey::default() }
    }

    /// Where objects come from, if the key is of the instance of the source and the mirror.
    pub(super) async fn check(
        &self,
        store: &dyn ConsumerLog,
        destination: &str,
        fold: &Fold,
    ) -> Result<FetchedFrom, Arc<KeyError>> {
        let Self { source, key } = self;
        key.check(source, &source.on_demand, store, destination, fold).await
    }

    /// The object; `None` if Clerk does not have it.
    pub(super) async fn read(
        &self,
        wanted: &Wanted,
        entity: &'static Entity,
    ) -> Result<Option<ReadObject>, ReadError> {
        let client = &self.source.on_demand;
        let (path, id) = match wanted {
            Wanted::User { id } => (&lists::USER, id),
            Wanted::Organization { id } => (&lists::ORGANIZATION, id),
            Wanted::Membership { user_id, organization_id } => {
                return read_membership(client, user_id, organization_id, entity).await;
            }
        };
        // An organization is found by its slug too.
        let single = client.get(path, id).await?.filter(|single| single.item.id == *id);
        Ok(single.map(|Single { item, answered_at }| ReadObject::new(entity, item, answered_at)))
    }
}

async fn read_membership(
    client: &Client,
    user_id: &str,
    organization_id: &str,
    entity: &'static Entity,
) -> Result<Option<ReadObject>, ReadError> {
    let mut pages = client.pages(lists::USER_ORGANIZATION_MEMBERSHIPS.walk(user_id)?);
    loop {
        let page = match pages.next().await.map_err(ReadError::from) {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(None),
            // There is no such user.
            Err(error) if error.status() == Some(404) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = page.items.into_iter().find(|item| is_of(item, organization_id));
        if let Some(item) = found {
            return Ok(Some(ReadObject::new(entity, item, page.answered_at)));
        }
    }
}

fn is_of(membership: &Item, organization_id: &str) -> bool {
    let Ok(of) = serde_json::from_str::<OfOrganization>(membership.raw.get()) else { return false };
    let id = of.organization.and_then(|organization| organization.id).or(of.organization_id);
    id.as_deref() == Some(organization_id)
}
