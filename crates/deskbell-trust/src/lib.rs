//! What makes a mirror something to rely on: it is filled with what existed before, it is compared
//! with Clerk, and somebody is told when events stop.

mod backfill;
mod backfill_service;
mod estimate;
mod instance;
mod object_pages;
mod readings;
mod reconcile;

pub use backfill::{
    BACKFILL, Backfill, BackfillError, BackfillMirror, BackfillProgress, BackfillState,
    ProgressError, Scope, WalkState, WalkStatus, read_backfill_state,
};
pub use backfill_service::{
    BackfillRequest, BackfillService, BackfillSource, FollowedMirror, RunError, request_backfill,
};
pub use estimate::{Estimate, counted_as, estimate, time_of};
pub use instance::{KeyError, check_key};
pub use object_pages::ReadError;
pub use readings::readable_entities;
pub use reconcile::{
    Found, MirrorReconciled, RECHECK_AFTER, Reconcile, ReconcileError, ReconcileState, Reconciled,
    ReconciledMirror, Repair,
};
