//! Routes that are replaced while the server runs.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use tower_service::Service;

/// The routes that hold at the moment. A request is answered by those that held when it came.
#[derive(Debug, Clone)]
pub struct CurrentRoutes(Arc<RwLock<Router>>);

impl CurrentRoutes {
    #[must_use]
    pub fn new(routes: Router) -> Self {
        Self(Arc::new(RwLock::new(routes)))
    }

    /// Answers by these from now on.
    pub fn replace(&self, routes: Router) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    /// What a server is given.
    pub fn router(&self) -> Router {
        Router::new().fallback_service(self.clone())
    }
}

impl Service<Request> for CurrentRoutes {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    /// A router is always ready.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut routes = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        routes.call(request)
    }
}
