//! What makes a mirror something to rely on: it is filled with what existed before, it is compared
//! with Clerk, and somebody is told when events stop.

mod append;
mod backfill;
mod checked_key;
mod connect;
mod emit;
mod endpoint_watch;
mod ensure;
mod estimate;
mod followed;
mod instance;
mod message_event;
mod messages;
mod object_pages;
mod pull;
mod readings;
mod reconcile;
mod refetch;
mod sender_login;
mod service;
pub mod silence;

pub use backfill::{
    BACKFILL, Backfill, BackfillError, BackfillMirror, BackfillProgress, BackfillState,
    ProgressError, Scope, WalkState, WalkStatus, read_backfill_state, with_causes,
};
pub use connect::{
    EndpointAction, EndpointPlan, EndpointPlanError, WantedEndpoint, apply_endpoint, endpoint_uid,
    plan_endpoint,
};
pub use emit::{emission_name, emission_of, emittable_types};
pub use endpoint_watch::{
    EndpointProblem, EndpointState, EndpointWatch, LOOK_EVERY, NoticedProblem, UsedTypes,
    WatchState, WatchedSource, read_watch_state,
};
pub use ensure::{Ensure, EnsureError, EnsuredMirror, EnsuredRow, MalformedId, Wanted};
pub use estimate::{Estimate, counted_as, estimate, estimate_emission, time_of};
pub use followed::{BackfillSource, FollowedMirror};
pub use instance::{KeyError, check_key};
pub use message_event::FetchError;
pub use messages::{
    MessageComparison, MessageScope, MessagesCompared, MessagesError, endpoint_of, fetch_messages,
};
pub use object_pages::ReadError;
pub use pull::{MessagePull, PULL_EVERY, PullState, PulledSource, PulledState, read_pull_state};
pub use readings::readable_entities;
pub use reconcile::{
    Found, MirrorReconciled, MissingUser, RECHECK_AFTER, Reconcile, ReconcileError, ReconcileState,
    Reconciled, ReconciledMirror, Repair,
};
pub use refetch::{Refetch, refetched_entities};
pub use service::{
    BackfillRequest, EmitRequest, RunError, TrustService, read_reconcile_state, request_backfill,
};
