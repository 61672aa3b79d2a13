//! What can be read, by path: written from Clerk's documentation, and not from the client that is tested with it.

use super::objects::Field;

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Route {
    Instance,
    Count(&'static str),
    List(&'static ListRoute),
    /// One object by its id.
    Single(&'static str),
    /// One object by the id of its user or organization.
    SingleOf(&'static str),
}

/// How a list is read.
#[derive(Debug)]
pub(crate) struct ListRoute {
    pub(crate) list: &'static str,
    /// Whether it is a bare array rather than `{data, total_count}`.
    pub(crate) is_array: bool,
    /// Whether `paginated=true` asks for `{data, total_count}`.
    pub(crate) has_paginated: bool,
    /// The fields of `order_by` that the simulation knows; without any, the newest come first.
    pub(crate) orders: &'static [(&'static str, Field)],
    pub(crate) has_starting_after: bool,
    /// The further parameters that the simulation knows.
    pub(crate) filters: &'static [&'static str],
    /// The repeatable parameter that selects objects by their ids.
    pub(crate) ids: Option<&'static str>,
}

const CREATED_AT: (&str, Field) = ("created_at", Field::CreatedAt);
const BY_CREATION: &[(&str, Field)] = &[CREATED_AT];

const PAGES: ListRoute = ListRoute {
    list: "",
    is_array: false,
    has_paginated: false,
    orders: BY_CREATION,
    has_starting_after: false,
    filters: &[],
    ids: None,
};

const BILLING: ListRoute = ListRoute { has_paginated: true, orders: &[], ..PAGES };

const ROUTES: &[(&str, Route)] = &[
    ("/instance", Route::Instance),
    ("/users/count", Route::Count("users")),
    ("/users/{id}", Route::Single("users")),
    ("/users/{id}/billing/subscription", Route::SingleOf("subscriptions")),
    ("/organizations/{id}", Route::Single("organizations")),
    ("/organizations/{id}/billing/subscription", Route::SingleOf("subscriptions")),
    ("/organization_roles/{id}", Route::Single("organization_roles")),
    ("/organization_permissions/{id}", Route::Single("organization_permissions")),
    ("/billing/statements/{id}", Route::Single("statements")),
    (
        "/users",
        Route::List(&ListRoute {
            list: "users",
            is_array: true,
            orders: &[CREATED_AT, ("updated_at", Field::UpdatedAt)],
            has_starting_after: true,
            filters: &["created_at_after", "created_at_before"],
            ids: Some("user_id"),
            ..PAGES
        }),
    ),
    (
        "/organizations",
        Route::List(&ListRoute {
            list: "organizations",
            filters: &["include_members_count"],
            ids: Some("organization_id"),
            ..PAGES
        }),
    ),
    (
        "/organization_memberships",
        Route::List(&ListRoute { list: "organization_memberships", ..PAGES }),
    ),
    (
        "/users/{id}/organization_memberships",
        Route::List(&ListRoute { list: "organization_memberships", orders: &[], ..PAGES }),
    ),
    (
        "/invitations",
        Route::List(&ListRoute {
            list: "invitations",
            is_array: true,
            has_paginated: true,
            filters: &["status"],
            ..PAGES
        }),
    ),
    (
        "/organization_invitations",
        Route::List(&ListRoute { list: "organization_invitations", filters: &["status"], ..PAGES }),
    ),
    ("/organization_domains", Route::List(&ListRoute { list: "organization_domains", ..PAGES })),
    ("/organization_roles", Route::List(&ListRoute { list: "organization_roles", ..PAGES })),
    (
        "/organization_permissions",
        Route::List(&ListRoute { list: "organization_permissions", ..PAGES }),
    ),
    (
        "/waitlist_entries",
        Route::List(&ListRoute { list: "waitlist_entries", filters: &["status"], ..PAGES }),
    ),
    (
        "/billing/subscription_items",
        Route::List(&ListRoute {
            list: "subscription_items",
            filters: &["status", "include_free"],
            ..BILLING
        }),
    ),
    ("/billing/statements", Route::List(&ListRoute { list: "statements", ..BILLING })),
    (
        "/billing/statements/{id}/payment_attempts",
        Route::List(&ListRoute { list: "payment_attempts", ..BILLING }),
    ),
];

/// The route of a path below the API's base, and the id in it.
pub(crate) fn route(path: &str) -> Option<(&'static Route, Option<&str>)> {
    ROUTES.iter().find_map(|(pattern, route)| Some((route, matched(pattern, path)?)))
}

/// Whether the path matches; the part in the place of `{id}`.
fn matched<'p>(pattern: &str, path: &'p str) -> Option<Option<&'p str>> {
    let mut id = None;
    let (mut expected, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return Some(id),
            (Some("{id}"), Some(part)) if !part.is_empty() => id = Some(part),
            (Some(expected), Some(found)) if expected == found => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_route() {
        for (path, expected) in [
            ("/instance", "Instance None"),
            ("/users/count", "Count(\"users\") None"),
            ("/users/user_1", "Single(\"users\") Some(\"user_1\")"),
            (
                "/organizations/org_1/billing/subscription",
                "SingleOf(\"subscriptions\") Some(\"org_1\")",
            ),
        ] {
            let (route, id) = route(path).unwrap();
            assert_eq!(format!("{route:?} {id:?}"), expected);
        }
        for path in ["", "/", "/users/", "/users/a/b", "/sessions", "/invitations/inv_1"] {
            assert!(route(path).is_none(), "{path}");
        }
    }
}
