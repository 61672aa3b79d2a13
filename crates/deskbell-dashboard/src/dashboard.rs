//! What every handler is given.

use std::sync::Arc;

use deskbell_admin::{Admin, Caller};
use deskbell_store::TokenRole;
use serde_json::Value;
use tokio::sync::Semaphore;

/// Live tails that are open at the same time. One more is refused, and the browser tries again.
const TAILS_MAX: usize = 32;

#[derive(Debug, Clone)]
pub(crate) struct Dashboard {
    pub(crate) admin: Arc<dyn Admin>,
    pub(crate) openapi: Arc<Value>,
    pub(crate) tails: Arc<Semaphore>,
}

impl Dashboard {
    pub(crate) fn new(admin: Arc<dyn Admin>, openapi: Arc<Value>) -> Self {
        Self { admin, openapi, tails: Arc::new(Semaphore::new(TAILS_MAX)) }
    }
}

/// Whether this caller may change anything: the others are not shown how.
pub(crate) fn may_change(caller: &Caller) -> bool {
    caller.role >= TokenRole::Admin
}
