//! What commands share that read Clerk's Backend API for mirrors.

pub(super) mod error;
pub(super) mod task;
