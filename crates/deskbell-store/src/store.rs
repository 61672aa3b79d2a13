//! A whole store: every trait that a backend implements, in one database.

use async_trait::async_trait;

use crate::deliveries::{
    AttemptLog, DeliveryQueries, DeliveryQueue, Destinations, Replays, Routing,
};
use crate::{
    AccessTokens, Arrivals, AuditLog, BrowserSessions, Commands, EventHeads, EventLog, Leases,
    Refusals, Retention, SourceInstances, StoredEndpoints, SubjectIndex,
};

/// Everything that a backend does. Each method of these traits is one unit of work and one
/// transaction. Take the narrowest trait that will do.
#[async_trait]
pub trait Store:
    ConsumerLog
    + Routing
    + DeliveryQueue
    + DeliveryQueries
    + Replays
    + Destinations
    + Commands
    + SubjectIndex
    + Retention
    + Refusals
    + Arrivals
    + AccessTokens
    + BrowserSessions
    + AuditLog
    + EventHeads
    + AttemptLog
    + StoredEndpoints
{
    /// Closes the connections once the work in progress is done. Later calls fail.
    async fn close(&self);
}

/// The log as a mirror consumes it.
pub trait ConsumerLog: EventLog + Leases + SourceInstances {}

impl<T: EventLog + Leases + SourceInstances> ConsumerLog for T {}
