//! What the admin routes remember and count. It outlives them: they are made anew with each config.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::access::Lookups;
use crate::body::BodyReader;
use crate::sign_in::Attempts;
use crate::slots::Slots;
use crate::svix::Answers;
use crate::{admin_body, entities};

/// The state of the admin routes. Clones share it, so that the routes of each config have the same.
#[derive(Debug, Clone)]
pub struct AdminState {
    pub(crate) answers: Answers,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) bodies: BodyReader,
    pub(crate) entities: Arc<Semaphore>,
    pub(crate) lookups: Arc<Lookups>,
    pub(crate) slots: Slots,
}

impl Default for AdminState {
    fn default() -> Self {
        Self {
            answers: Answers::default(),
            attempts: Arc::default(),
            bodies: admin_body::reader(),
            entities: entities::slots(),
            lookups: Arc::default(),
            slots: Slots::default(),
        }
    }
}
