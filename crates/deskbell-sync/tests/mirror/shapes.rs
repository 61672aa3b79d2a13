//! What every entity is like, written down once more: the events, the tables, what goes with what.
//! Knows nothing of the declarations that it is held against.

/// An entity as Clerk sends it and people read it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) entity: &'static str,
    pub(crate) table: &'static str,
    pub(crate) upserts: &'static [&'static str],
    pub(crate) delete: Option<&'static str>,
    /// A member that fills the column of its name: it tells one version from another.
    pub(crate) mark: &'static str,
    pub(crate) parents: &'static [Parent],
    pub(crate) lists: &'static [List],
}

/// What an entity ends with: it is named by a member, or by another one within an object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) entity: &'static str,
    pub(crate) column: &'static str,
    pub(crate) nested: (&'static str, &'static str),
}

/// A list whose elements have a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) table: &'static str,
    pub(crate) member: &'static str,
    pub(crate) holder: &'static str,
    pub(crate) mark: &'static str,
    /// The entity that the elements are, where its delete takes them along.
    pub(crate) of: Option<&'static str>,
}

pub(crate) const ITEM: &str = "subscription_item";

const PLAIN: Shape = Shape {
    entity: "",
    table: "",
    upserts: &[],
    delete: None,
    mark: "status",
    parents: &[],
    lists: &[],
};
const USER: Parent =
    Parent { entity: "user", column: "user_id", nested: ("public_user_data", "user_id") };
const ORGANIZATION: Parent = Parent {
    entity: "organization",
    column: "organization_id",
    nested: ("public_organization_data", "id"),
};

pub(crate) const SHAPES: [Shape; 15] = [
    Shape {
        entity: "user",
        table: "users",
        upserts: &["user.created", "user.updated"],
        delete: Some("user.deleted"),
        mark: "locale",
        lists: &[
            list("user_email_addresses", "email_addresses", "user_id", "email_address"),
            list("user_phone_numbers", "phone_numbers", "user_id", "phone_number"),
            list("user_external_accounts", "external_accounts", "user_id", "provider"),
            list("user_web3_wallets", "web3_wallets", "user_id", "web3_wallet"),
            list("user_passkeys", "passkeys", "user_id", "name"),
            list("user_enterprise_accounts", "enterprise_accounts", "user_id", "provider"),
        ],
        ..PLAIN
    },
    Shape {
        entity: "organization",
        table: "organizations",
        upserts: &["organization.created", "organization.updated"],
        delete: Some("organization.deleted"),
        mark: "slug",
        ..PLAIN
    },
    Shape {
        entity: "organization_membership",
        table: "organization_memberships",
        upserts: &["organizationMembership.created", "organizationMembership.updated"],
        delete: Some("organizationMembership.deleted"),
        mark: "role",
        parents: &[Parent { nested: ("organization", "id"), ..ORGANIZATION }, USER],
        ..PLAIN
    },
    Shape {
        entity: "organization_domain",
        table: "organization_domains",
        upserts: &["organizationDomain.created", "organizationDomain.updated"],
        delete: Some("organizationDomain.deleted"),
        mark: "name",
        parents: &[ORGANIZATION],
        ..PLAIN
    },
    Shape {
        entity: "organization_invitation",
        table: "organization_invitations",
        upserts: &[
            "organizationInvitation.created",
            "organizationInvitation.accepted",
            "organizationInvitation.revoked",
        ],
        parents: &[ORGANIZATION],
        ..PLAIN
    },
    Shape {
        entity: "session",
        table: "sessions",
        upserts: &[
            "session.created",
            "session.updated",
            "session.pending",
            "session.ended",
            "session.removed",
            "session.revoked",
        ],
        parents: &[Parent { nested: ("user", "id"), ..USER }],
        ..PLAIN
    },
    Shape {
        entity: "invitation",
        table: "invitations",
        upserts: &["invitation.created", "invitation.accepted", "invitation.revoked"],
        ..PLAIN
    },
    Shape {
        entity: "role",
        table: "roles",
        upserts: &["role.created", "role.updated"],
        delete: Some("role.deleted"),
        mark: "name",
        lists: &[List {
            of: Some("permission"),
            ..list("role_permissions", "permissions", "role_id", "name")
        }],
        ..PLAIN
    },
    Shape {
        entity: "permission",
        table: "permissions",
        upserts: &["permission.created", "permission.updated"],
        delete: Some("permission.deleted"),
        mark: "name",
        ..PLAIN
    },
    Shape {
        entity: "waitlist_entry",
        table: "waitlist_entries",
        upserts: &["waitlistEntry.created", "waitlistEntry.updated"],
        ..PLAIN
    },
    Shape {
        entity: "subscription",
        table: "subscriptions",
        upserts: &[
            "subscription.created",
            "subscription.updated",
            "subscription.active",
            "subscription.pastDue",
        ],
        ..PLAIN
    },
    Shape {
        entity: ITEM,
        table: "subscription_items",
        upserts: &[
            "subscriptionItem.created",
            "subscriptionItem.updated",
            "subscriptionItem.active",
            "subscriptionItem.canceled",
            "subscriptionItem.upcoming",
            "subscriptionItem.ended",
            "subscriptionItem.abandoned",
            "subscriptionItem.incomplete",
            "subscriptionItem.pastDue",
            "subscriptionItem.freeTrialEnding",
            "subscriptionItem.expired",
        ],
        ..PLAIN
    },
    Shape {
        entity: "payment_attempt",
        table: "payment_attempts",
        upserts: &["paymentAttempt.created", "paymentAttempt.updated"],
        lists: &[list(
            "payment_attempt_items",
            "subscription_items",
            "payment_attempt_id",
            "status",
        )],
        ..PLAIN
    },
    Shape { entity: "email", table: "emails", upserts: &["email.created"], mark: "slug", ..PLAIN },
    Shape { entity: "sms", table: "sms", upserts: &["sms.created"], mark: "slug", ..PLAIN },
];

const fn list(
    table: &'static str,
    member: &'static str,
    holder: &'static str,
    mark: &'static str,
) -> List {
    List { table, member, holder, mark, of: None }
}

impl List {
    /// The id of the element of this number.
    pub(crate) fn element(&self, number: usize) -> String {
        if self.of.is_some() { number.to_string() } else { format!("element_{number}") }
    }
}

/// Every table that an order of events could leave a trace in.
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    let own = SHAPES.iter().map(|shape| shape.table);
    let lists = SHAPES.iter().flat_map(|shape| shape.lists).map(|list| list.table);
    own.chain(lists).chain(["_tombstones", "_suppressed", "_dead_letters"])
}

#[test]
fn every_entity_and_every_event_type_is_here() {
    let mut entities: Vec<_> = SHAPES.iter().map(|shape| shape.entity).collect();
    let mut known: Vec<_> = deskbell_sync::entity::ALL.iter().map(|entity| entity.name).collect();
    entities.sort_unstable();
    known.sort_unstable();
    assert_eq!(entities, known);
    for entry in clerk_webhooks::catalog::all() {
        let event_type = entry.event_type.as_str();
        let has =
            |shape: &Shape| shape.upserts.contains(&event_type) || shape.delete == Some(event_type);
        assert!(SHAPES.iter().any(has), "{event_type}");
    }
}
