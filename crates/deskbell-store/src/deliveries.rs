//! Deliveries: one event for one destination each, from the router to the worker and after.
//!
//! A delivery is known by its [`DeliveryKey`]. It is pending until it is settled: delivered, or
//! dead-lettered. Settled deliveries have tables of their own, so that what is claimed and changed
//! all the time stays small. Times are by the store's clock.

mod attempt;
mod attempt_log;
mod destination;
mod key;
mod query;
mod queue;
mod replay;
mod routing;

pub use attempt::{AttemptRecord, AttemptSummary, REPLY_BYTES_MAX};
pub use attempt_log::{
    AttemptCountQuery, AttemptCounts, AttemptLog, AttemptRange, LoggedAttempt, LoggedAttempts,
    StateCounts, StateFilter,
};
pub use destination::{
    DestinationHealth, DestinationState, Destinations, Disabled, Ordering, Registration, StartFrom,
};
pub use key::DeliveryKey;
pub use query::{
    Backlog, DeadLetter, DeadLetterQuery, DeliveryQueries, DeliveryState, DeliverySummary,
    FilteredOut,
};
pub use queue::{
    Claim, ClaimId, Claimed, ClaimedDelivery, DeliveryQueue, Rescheduled, Settlement, Verdict,
};
pub use replay::Replays;
pub use routing::{NewDelivery, ROUTER, Revived, Routed, RoutedBatch, Routing};
