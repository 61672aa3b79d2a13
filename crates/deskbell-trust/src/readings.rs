//! Where the objects of each entity are read in Clerk's Backend API.

use clerk_api::{List, lists};
use deskbell_sync::entity::{self, Entity};

/// How the objects of an entity are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reading {
    /// From a list of the whole instance.
    List(&'static List),
    /// One by one, by the payers in the list of subscription items.
    Subscriptions,
    /// From a list for each statement.
    PaymentAttempts,
}

/// An entity that can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readable {
    pub(crate) entity: &'static Entity,
    pub(crate) reading: Reading,
}

/// What can be read, in the order in which it is: few objects first. Sessions, emails and SMS have no
/// list.
const READINGS: &[(&str, Reading)] = &[
    ("permission", Reading::List(&lists::ORGANIZATION_PERMISSIONS)),
    ("role", Reading::List(&lists::ORGANIZATION_ROLES)),
    ("user", Reading::List(&lists::USERS)),
    ("organization", Reading::List(&lists::ORGANIZATIONS)),
    ("organization_membership", Reading::List(&lists::ORGANIZATION_MEMBERSHIPS)),
    ("organization_domain", Reading::List(&lists::ORGANIZATION_DOMAINS)),
    ("organization_invitation", Reading::List(&lists::ORGANIZATION_INVITATIONS)),
    ("invitation", Reading::List(&lists::INVITATIONS)),
    ("waitlist_entry", Reading::List(&lists::WAITLIST_ENTRIES)),
    ("subscription_item", Reading::List(&lists::SUBSCRIPTION_ITEMS)),
    ("subscription", Reading::Subscriptions),
    ("payment_attempt", Reading::PaymentAttempts),
];

/// Everything that can be read.
pub(crate) fn all() -> impl Iterator<Item = Readable> {
    READINGS.iter().filter_map(|(name, reading)| {
        let reading = *reading;
        entity::find(name).map(|entity| Readable { entity, reading })
    })
}

/// Whether one list of the instance has all objects of this entity.
pub(crate) fn is_one_list(entity: &str) -> bool {
    let is_it =
        |(name, reading): &&(&str, Reading)| *name == entity && matches!(reading, Reading::List(_));
    READINGS.iter().any(|reading| is_it(&reading))
}

/// The names of the entities that can be read.
#[must_use]
pub fn readable_entities() -> Vec<&'static str> {
    READINGS.iter().map(|(name, _)| *name).collect()
}

impl Reading {
    /// The list that is read page by page.
    pub(crate) fn list(self) -> &'static List {
        match self {
            Self::List(list) => list,
            Self::Subscriptions => &lists::SUBSCRIPTION_ITEMS,
            Self::PaymentAttempts => &lists::STATEMENTS,
        }
    }

    /// Another entity of which all objects are read on the way.
    pub(crate) fn on_the_way(self) -> Option<&'static str> {
        matches!(self, Self::Subscriptions).then_some("subscription_item")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entity_can_be_read_but_those_without_a_list() {
        let can_be_read = |name: &&str| all().any(|readable| readable.entity.name == *name);
        let names = entity::ALL.iter().map(|entity| entity.name);
        let without: Vec<_> = names.filter(|name| !can_be_read(name)).collect();
        assert_eq!(without, ["session", "email", "sms"]);
        assert_eq!(all().count(), READINGS.len());
    }
}
