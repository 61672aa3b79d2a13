//! Whether a request went over a connection that had been used before.
//!
//! A receiver may close an idle connection at the moment in which a request is sent over it: nothing is
//! wrong, and the request goes out again at once over a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    /// Whether the request of this task has asked for a new connection.
    static ASKED: Arc<AtomicBool>;
}

/// Runs a request; whether it can only have gone over a connection that was there before.
pub(super) async fn noting<T>(request: impl Future<Output = T>) -> (T, bool) {
    let asked = Arc::new(AtomicBool::new(false));
    let done = ASKED.scope(Arc::clone(&asked), request).await;
    (done, !asked.load(Ordering::Relaxed))
}

/// Around the client's connector: notes that it was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoteConnections;

/// What [`NoteConnections`] makes of a connector.
#[derive(Clone, Debug)]
pub(super) struct Noted<S>(S);

impl<S> Layer<S> for NoteConnections {
    type Service = Noted<S>;

    fn layer(&self, connector: S) -> Noted<S> {
        Noted(connector)
    }
}

impl<S: Service<R>, R> Service<R> for Noted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        // Outside of a request, as where a connection is made ahead, there is nobody to tell.
        let _ = ASKED.try_with(|asked| asked.store(true, Ordering::Relaxed));
        self.0.call(request)
    }
}
