//! The catalogue: every list and every single object that this client reads, one declaration each.

use crate::list::{ChildList, Filters, List, ManyPath, SinglePath};
use crate::order::Order;

/// A list in most respects like the others, to declare what differs.
const PAGES: List = List {
    name: "",
    path: "",
    parts: &[&[]],
    order: Order::OldestFirst,
    has_starting_after: false,
    single: None,
    count_path: None,
    is_complete: true,
};

pub const USER: SinglePath = SinglePath { path: "/users/{id}", filters: &[] };

pub const USERS: List = List {
    name: "users",
    path: "/users",
    has_starting_after: true,
    single: Some(&USER),
    count_path: Some("/users/count"),
    ..PAGES
};

/// Users by their ids.
pub const USERS_BY_ID: ManyPath = ManyPath { path: "/users", ids: "user_id", filters: &[] };

/// Users, the last changed first: for what changed since a time. A user who changes during the walk moves to its
/// beginning, so that the first page has to be read again.
pub const USERS_LAST_UPDATED_FIRST: List = List {
    name: "users_last_updated_first",
    order: Order::LastUpdatedFirst,
    has_starting_after: false,
    ..USERS
};

/// Users, the newest first: for the newest ones alone.
pub const USERS_NEWEST_FIRST: List =
    List { name: "users_newest_first", order: Order::NewestFirst, ..USERS };

/// Without the flag an organization has no `members_count`.
const WITH_MEMBERS_COUNT: Filters = &[("include_members_count", "true")];

pub const ORGANIZATION: SinglePath =
    SinglePath { path: "/organizations/{id}", filters: WITH_MEMBERS_COUNT };

pub const ORGANIZATIONS: List = List {
    name: "organizations",
    path: "/organizations",
    parts: &[WITH_MEMBERS_COUNT],
    single: Some(&ORGANIZATION),
    ..PAGES
};

/// Organizations by their ids.
pub const ORGANIZATIONS_BY_ID: ManyPath =
    ManyPath { path: "/organizations", ids: "organization_id", filters: WITH_MEMBERS_COUNT };

pub const ORGANIZATION_MEMBERSHIPS: List =
    List { name: "organization_memberships", path: "/organization_memberships", ..PAGES };

/// The memberships of a user, by the user's id. A membership has no single path, and the list of the whole instance
/// cannot be asked for one user's.
pub const USER_ORGANIZATION_MEMBERSHIPS: ChildList = ChildList(List {
    name: "user_organization_memberships",
    path: "/users/{id}/organization_memberships",
    order: Order::AlwaysNewestFirst,
    ..PAGES
});

/// Invitations to the application: first all but the revoked ones, which the list leaves out unless asked for.
pub const INVITATIONS: List = List {
    name: "invitations",
    path: "/invitations",
    parts: &[&[("paginated", "true")], &[("paginated", "true"), ("status", "revoked")]],
    ..PAGES
};

/// Invitations to organizations. Which states the list leaves out unless asked for is not documented, so that it is
/// not known to be complete.
pub const ORGANIZATION_INVITATIONS: List = List {
    name: "organization_invitations",
    path: "/organization_invitations",
    is_complete: false,
    ..PAGES
};

pub const ORGANIZATION_DOMAINS: List =
    List { name: "organization_domains", path: "/organization_domains", ..PAGES };

pub const ORGANIZATION_ROLE: SinglePath =
    SinglePath { path: "/organization_roles/{id}", filters: &[] };

pub const ORGANIZATION_ROLES: List = List {
    name: "organization_roles",
    path: "/organization_roles",
    single: Some(&ORGANIZATION_ROLE),
    ..PAGES
};

pub const ORGANIZATION_PERMISSION: SinglePath =
    SinglePath { path: "/organization_permissions/{id}", filters: &[] };

pub const ORGANIZATION_PERMISSIONS: List = List {
    name: "organization_permissions",
    path: "/organization_permissions",
    single: Some(&ORGANIZATION_PERMISSION),
    ..PAGES
};

/// Entries of the waitlist; not known to be complete either.
pub const WAITLIST_ENTRIES: List =
    List { name: "waitlist_entries", path: "/waitlist_entries", is_complete: false, ..PAGES };

/// Subscription items, those of free plans included. Events have states that the list's documentation does not name,
/// so that it is not known to be complete.
pub const SUBSCRIPTION_ITEMS: List = List {
    name: "subscription_items",
    path: "/billing/subscription_items",
    parts: &[&[("include_free", "true")]],
    order: Order::AlwaysNewestFirst,
    is_complete: false,
    ..PAGES
};

pub const STATEMENT: SinglePath = SinglePath { path: "/billing/statements/{id}", filters: &[] };

pub const STATEMENTS: List = List {
    name: "statements",
    path: "/billing/statements",
    order: Order::AlwaysNewestFirst,
    single: Some(&STATEMENT),
    ..PAGES
};

/// The payment attempts of a statement. Attempts that belong to no statement are in no list.
pub const PAYMENT_ATTEMPTS: ChildList = ChildList(List {
    name: "payment_attempts",
    path: "/billing/statements/{id}/payment_attempts",
    order: Order::AlwaysNewestFirst,
    is_complete: false,
    ..PAGES
});

/// The subscription of a user, by the user's id. There is no list of subscriptions.
pub const USER_SUBSCRIPTION: SinglePath =
    SinglePath { path: "/users/{id}/billing/subscription", filters: &[] };

/// The subscription of an organization, by the organization's id. There is no list of subscriptions.
pub const ORGANIZATION_SUBSCRIPTION: SinglePath =
    SinglePath { path: "/organizations/{id}/billing/subscription", filters: &[] };

/// Every list of a whole instance, each once.
pub const ALL: &[&List] = &[
    &ORGANIZATION_PERMISSIONS,
    &ORGANIZATION_ROLES,
    &USERS,
    &ORGANIZATIONS,
    &ORGANIZATION_MEMBERSHIPS,
    &INVITATIONS,
    &ORGANIZATION_INVITATIONS,
    &ORGANIZATION_DOMAINS,
    &WAITLIST_ENTRIES,
    &SUBSCRIPTION_ITEMS,
    &STATEMENTS,
];

/// Every single object that is read by an id.
pub const ALL_SINGLES: &[&SinglePath] = &[
    &USER,
    &ORGANIZATION,
    &ORGANIZATION_ROLE,
    &ORGANIZATION_PERMISSION,
    &STATEMENT,
    &USER_SUBSCRIPTION,
    &ORGANIZATION_SUBSCRIPTION,
];

/// Every path by which several objects are read by their ids.
pub const ALL_BY_ID: &[&ManyPath] = &[&USERS_BY_ID, &ORGANIZATIONS_BY_ID];
