//! What Svix's clients can ask for and Deskbell does not do: it is answered with the reason.

use deskbell_admin::{Method, Need, Route};
use deskbell_store::TokenRole;

use super::{applications, attempts, event_types, messages};

/// An operation that is not done, beside others of its path that are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) reason: &'static str,
}

/// A resource that does not exist: its path, and all paths below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) paths: [&'static str; 2],
    pub(super) reason: &'static str,
}

const fn operation(method: Method, path: &'static str, reason: &'static str) -> Operation {
    Operation { method, path, reason }
}

macro_rules! family {
    ($path:literal, $reason:expr) => {
        Family { paths: [$path, concat!($path, "/{*rest}")], reason: $reason }
    };
}

const TRANSFORMATIONS: &str = "Deskbell has no transformations: payloads are sent as they are";
const AUTOCONFIG: &str = "Deskbell has no autoconfig: make the endpoint and read its secret";
const PORTAL: &str = "Deskbell has no portal of its own for an application: use its dashboard";
const SINKS: &str = "Deskbell has no polling endpoints: events are read at /api/v1/events";
const STREAMS: &str = "Deskbell has no streams: use a destination of the config file";

pub(super) const OPERATIONS: [Operation; 16] = [
    operation(Method::Put, "/api/v1/app/{app_id}", applications::DECLARED),
    operation(Method::Patch, "/api/v1/app/{app_id}", applications::DECLARED),
    operation(Method::Delete, "/api/v1/app/{app_id}", applications::DECLARED),
    operation(Method::Post, "/api/v1/event-type", event_types::KNOWN),
    operation(Method::Post, "/api/v1/event-type/import/openapi", event_types::KNOWN),
    operation(Method::Put, "/api/v1/event-type/{event_type_name}", event_types::KNOWN),
    operation(Method::Patch, "/api/v1/event-type/{event_type_name}", event_types::KNOWN),
    operation(Method::Delete, "/api/v1/event-type/{event_type_name}", event_types::KNOWN),
    operation(
        Method::Get,
        "/api/v1/app/{app_id}/endpoint/{endpoint_id}/transformation",
        TRANSFORMATIONS,
    ),
    operation(
        Method::Patch,
        "/api/v1/app/{app_id}/endpoint/{endpoint_id}/transformation",
        TRANSFORMATIONS,
    ),
    operation(Method::Put, "/api/v1/app/{app_id}/endpoint/{endpoint_id}/auto-config", AUTOCONFIG),
    operation(Method::Post, "/api/v1/app/{app_id}/msg/bulk-expunge", messages::KEPT),
    operation(Method::Post, "/api/v1/app/{app_id}/msg/expunge-all-contents", messages::KEPT),
    operation(Method::Delete, "/api/v1/app/{app_id}/msg/{msg_id}/content", messages::KEPT),
    operation(
        Method::Delete,
        "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/content",
        attempts::KEPT,
    ),
    operation(
        Method::Get,
        "/api/v1/background-task",
        "replays are not listed; ask for one by the id that it was begun with",
    ),
];

pub(super) const FAMILIES: [Family; 12] = [
    family!("/api/v1/app/{app_id}/autoconfig", AUTOCONFIG),
    family!(
        "/api/v1/app/{app_id}/destination",
        "destinations are declared in the config file; see /api/v1/destinations"
    ),
    family!("/api/v1/app/{app_id}/integration", "Deskbell has no integrations: use a token"),
    family!("/api/v1/app/{app_id}/poller", SINKS),
    family!("/api/v1/app/{app_id}/polling-endpoint", SINKS),
    family!("/api/v1/auth", PORTAL),
    family!(
        "/api/v1/connector",
        "Deskbell has no connectors: use a destination of the config file"
    ),
    family!("/api/v1/environment", "the config file is what is exported and imported"),
    family!(
        "/api/v1/operational-webhook",
        "alerts about Deskbell itself go to the destinations in [alerts]"
    ),
    family!("/api/v1/stats", "use /api/v1/overview and /metrics"),
    family!("/api/v1/stream", STREAMS),
    family!("/ingest/api/v1/source", "what is received is declared as a [[source]]"),
];

const METHODS: [Method; 5] =
    [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
const FAMILY_ROUTES_COUNT: usize = FAMILIES.len() * 2 * METHODS.len();

/// The routes of [`OPERATIONS`].
pub(super) const OPERATION_ROUTES: [Route; OPERATIONS.len()] = {
    let mut routes = [route(Method::Get, ""); OPERATIONS.len()];
    let mut at = 0;
    while at < routes.len() {
        routes[at] = route(OPERATIONS[at].method, OPERATIONS[at].path);
        at += 1;
    }
    routes
};

/// The routes of [`FAMILIES`], by every method.
pub(super) const FAMILY_ROUTES: [Route; FAMILY_ROUTES_COUNT] = {
    let mut routes = [route(Method::Get, ""); FAMILY_ROUTES_COUNT];
    let mut at = 0;
    while at < routes.len() {
        let path = at / METHODS.len();
        routes[at] = route(METHODS[at % METHODS.len()], FAMILIES[path / 2].paths[path % 2]);
        at += 1;
    }
    routes
};

/// Whoever may not change anything does not learn that a change is not supported.
const fn route(method: Method, path: &'static str) -> Route {
    let role = match method {
        Method::Get => TokenRole::Viewer,
        _ => TokenRole::Admin,
    };
    Route { method, path, need: Need::Role(role) }
}
