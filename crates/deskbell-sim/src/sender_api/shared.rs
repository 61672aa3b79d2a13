//! What the answers to all requests share: the state, and what sends messages.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::attempts::Courier;
use super::options::SenderApiOptions;
use super::state::{SentMessage, SimulatedEndpoint, State};

pub(crate) struct Shared {
    pub(crate) options: SenderApiOptions,
    state: Mutex<State>,
    courier: Courier,
    sending: Mutex<JoinSet<()>>,
    /// How many attempts have ended.
    pub(crate) attempts: watch::Sender<usize>,
}

impl Shared {
    pub(crate) fn new(options: SenderApiOptions, courier: Courier) -> Self {
        let state = Mutex::new(State::new(options.has_app));
        let (sending, attempts) = (Mutex::default(), watch::Sender::new(0));
        Self { options, state, courier, sending, attempts }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Sends a message in the background: one attempt.
    pub(crate) fn send(self: &Arc<Self>, endpoint: &SimulatedEndpoint, message: &SentMessage) {
        let (shared, endpoint, message) = (Arc::clone(self), endpoint.clone(), message.clone());
        lock(&self.sending).spawn(async move {
            let attempt = shared.courier.attempt(&endpoint, &message).await;
            shared.state().attempts.push(attempt);
            shared.attempts.send_modify(|ended| *ended += 1);
        });
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
