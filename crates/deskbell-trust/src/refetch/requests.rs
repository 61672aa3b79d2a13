//! Which requests read what is wanted, as few as the API allows.

use std::collections::BTreeMap;

use clerk_api::{Client, IDS_MAX, ManyPath, SinglePath, lists};
use deskbell_sync::WantedObject;
use deskbell_sync::entity::Entity;

use crate::object_pages::{ReadError, ReadObject};

/// An id of another form is not asked for: it would be no id of Clerk's.
const ID_BYTES_MAX: usize = 64;

/// How objects of an entity are read by their ids.
#[derive(Debug, Clone, Copy)]
enum ById {
    Many(&'static ManyPath),
    Single(&'static SinglePath),
    /// In the list of their user's.
    Memberships,
}

/// The entities that can be read by their ids.
const BY_ID: &[(&str, ById)] = &[
    ("user", ById::Many(&lists::USERS_BY_ID)),
    ("organization", ById::Many(&lists::ORGANIZATIONS_BY_ID)),
    ("organization_membership", ById::Memberships),
    ("role", ById::Single(&lists::ORGANIZATION_ROLE)),
    ("permission", ById::Single(&lists::ORGANIZATION_PERMISSION)),
];

/// The names of the entities whose newest state can be read. Of the others, events alone tell.
#[must_use]
pub fn refetched_entities() -> Vec<&'static str> {
    BY_ID.iter().map(|(name, _)| *name).collect()
}

/// A request for objects; of a user with very many memberships, several.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ObjectRequest<'a> {
    Many { entity: &'static Entity, path: &'static ManyPath, ids: Vec<&'a str> },
    Single { entity: &'static Entity, path: &'static SinglePath, id: &'a str },
    Memberships { entity: &'static Entity, user: &'a str, ids: Vec<&'a str> },
}

/// The requests for what is wanted, each of which is there once.
pub(super) fn plan<'a>(wanted: &[&'a WantedObject]) -> Vec<ObjectRequest<'a>> {
    let mut requests = Vec::new();
    for (name, by_id) in BY_ID {
        let of_it = || wanted.iter().filter(|one| one.entity.name == *name && is_id(&one.id));
        let Some(entity) = of_it().next().map(|one| one.entity) else { continue };
        let ids: Vec<_> = of_it().map(|one| one.id.as_str()).collect();
        match *by_id {
            ById::Many(path) => requests.extend(ids.chunks(IDS_MAX).map(|ids| {
                let ids = ids.to_vec();
                ObjectRequest::Many { entity, path, ids }
            })),
            ById::Single(path) => {
                let single = |id| ObjectRequest::Single { entity, path, id };
                requests.extend(ids.into_iter().map(single));
            }
            ById::Memberships => {
                let mut by_user: BTreeMap<_, Vec<_>> = BTreeMap::new();
                for one in of_it() {
                    // Without its user nobody knows where it is.
                    if let Some(user) = one.parent("user").filter(|id| is_id(id)) {
                        by_user.entry(user).or_default().push(one.id.as_str());
                    }
                }
                let of_user = |(user, ids)| ObjectRequest::Memberships { entity, user, ids };
                requests.extend(by_user.into_iter().map(of_user));
            }
        }
    }
    requests
}

fn is_id(id: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(is_valid) && !id.starts_with('-')
}

impl ObjectRequest<'_> {
    pub(super) fn entity(&self) -> &'static Entity {
        match self {
            Self::Many { entity, .. }
            | Self::Single { entity, .. }
            | Self::Memberships { entity, .. } => entity,
        }
    }

    /// The objects that Clerk has.
    pub(super) async fn read(&self, client: &Client) -> Result<Vec<ReadObject>, ReadError> {
        match self {
            Self::Many { entity, path, ids } => {
                let many = client.get_many(path, ids).await?;
                let answered_at = many.answered_at;
                let objects = many.items.into_iter();
                Ok(objects.map(|item| ReadObject::new(entity, item, answered_at)).collect())
            }
            Self::Single { entity, path, id } => {
                let single = client.get(path, id).await?.filter(|single| single.item.id == *id);
                let object = single.map(|one| ReadObject::new(entity, one.item, one.answered_at));
                Ok(object.into_iter().collect())
            }
            Self::Memberships { entity, user, ids } => {
                read_memberships(client, entity, user, ids).await
            }
        }
    }
}

/// Those of the user's memberships that have these ids.
async fn read_memberships(
    client: &Client,
    entity: &'static Entity,
    user: &str,
    ids: &[&str],
) -> Result<Vec<ReadObject>, ReadError> {
    let mut pages = client.pages(lists::USER_ORGANIZATION_MEMBERSHIPS.walk(user)?);
    let mut found: BTreeMap<String, ReadObject> = BTreeMap::new();
    while found.len() < ids.len() {
        let page = match pages.next().await.map_err(ReadError::from) {
            Ok(Some(page)) => page,
            Ok(None) => break,
            // There is no such user.
            Err(error) if error.status() == Some(404) => break,
            Err(error) => return Err(error),
        };
        for item in page.items.into_iter().filter(|item| ids.contains(&item.id.as_str())) {
            let id = item.id.clone();
            found.insert(id, ReadObject::new(entity, item, page.answered_at));
        }
    }
    Ok(found.into_values().collect())
}
