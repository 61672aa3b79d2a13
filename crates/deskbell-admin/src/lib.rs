//! What the admin API, the pages and the command line say of a running Deskbell: the values, and the
//! traits that answer with them.
//!
//! One program implements [`Admin`]; the HTTP API, the pages and the command line read it, so that
//! none of them says something else than the others. Each file has a resource: its values, and its
//! trait. Values are JSON in the form that `--json` prints, and know how to leave out what a
//! [`Caller`]'s role must not see.

mod access;
mod alerts;
mod attempts;
mod catalog;
mod dead_letters;
mod destinations;
mod endpoints;
mod error;
mod events;
mod explain;
mod mask;
mod mirrors;
mod overview;
mod replays;
mod routes;
mod settings;
mod sign_in;
mod time;

use std::fmt;

pub use access::{Access, Caller, NewSession, Session, TokenView};
pub use alerts::AlertView;
pub use attempts::{AttemptPage, AttemptQuery, AttemptResult, AttemptView, Attempts};
pub use catalog::{CatalogField, CatalogType, catalog};
pub use dead_letters::{
    DeadLetterCause, DeadLetterQuery, DeadLetterState, DeadLetterView, DeadLetters, Retried,
    RetryRequest,
};
pub use destinations::{
    DestinationState, DestinationStats, DestinationView, Destinations, ReconciledView, StatsBucket,
};
pub use endpoints::{
    ENDPOINT_ID_PREFIX, Endpoint, EndpointSettings, Endpoints, NewEndpoint, SealedSecret,
    is_secret_header,
};
pub use error::AdminError;
pub use events::{
    DeliveryCounts, DeliveryStateFilter, DeliveryView, DestinationOutcome, EventDetails, EventPage,
    EventQuery, EventSummary, Events, LoggedEvent, NewMessage, OutcomePart, Payload, Searched,
    UnwantedView,
};
pub use explain::{
    ExplainedEvent, ExplainedOutcome, ExplainedRow, ExplainedValue, Explanation, UnreadMirror,
    ValueFrom,
};
pub use mask::masked;
pub use mirrors::{MirrorTable, MirrorView, Mirrors};
pub use overview::{
    AckLatency, MinuteCount, Overview, OverviewReader, RefusedCount, SourceOverview,
};
pub use replays::{ReplayRequest, ReplayStatus, Replays};
pub use routes::{Method, Need, Route};
pub use settings::{AuditEntry, AuditPage, RetentionView, Settings, SettingsView};
pub use sign_in::SignIn;
pub use time::Timestamp;

/// Everything that can be asked of a running Deskbell.
pub trait Admin:
    Access
    + Attempts
    + DeadLetters
    + Destinations
    + Endpoints
    + Events
    + Mirrors
    + OverviewReader
    + Replays
    + Settings
    + fmt::Debug
    + Send
    + Sync
    + 'static
{
}
