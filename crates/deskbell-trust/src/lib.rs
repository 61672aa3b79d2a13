//! What makes a mirror something to rely on: it is filled with what existed before, it is compared
//! with Clerk, and somebody is told when events stop.

mod backfill;
mod connect;
mod ensure;
mod estimate;
mod followed;
mod instance;
mod messages;
mod object_pages;
mod readings;
mod reconcile;
mod service;
pub mod silence;

pub use backfill::{
    BACKFILL, Backfill, BackfillError, BackfillMirror, BackfillProgress, BackfillState,
    ProgressError, Scope, WalkState, WalkStatus, read_backfill_state,
};
pub use connect::{
    EndpointAction, EndpointPlan, EndpointPlanError, WantedEndpoint, apply_endpoint, endpoint_uid,
    plan_endpoint,
};
pub use ensure::{Ensure, EnsureError, EnsuredMirror, EnsuredRow, MalformedId, Wanted};
pub use estimate::{Estimate, counted_as, estimate, time_of};
pub use followed::{BackfillSource, FollowedMirror};
pub use instance::{KeyError, check_key};
pub use messages::{MessageComparison, MessagesCompared, MessagesError, endpoint_of};
pub use object_pages::ReadError;
pub use readings::readable_entities;
pub use reconcile::{
    Found, MirrorReconciled, MissingUser, RECHECK_AFTER, Reconcile, ReconcileError, ReconcileState,
    Reconciled, ReconciledMirror, Repair,
};
pub use service::{
    BackfillRequest, RunError, TrustService, read_reconcile_state, request_backfill,
};
