//! What all admin requests together may take, so that webhooks always have room.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use deskbell_admin::Need;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Admin requests of those who are known that are answered at the same time; further ones get 503.
const RUNNING_MAX: usize = 128;
/// Requests of strangers for pages that anybody may see, such as the one for signing in.
const STRANGERS_MAX: usize = 64;
/// Replies that go on until the client leaves, such as events as they come; further ones get 503.
const STREAMS_MAX: usize = 64;
/// Routes that count their requests themselves, since each may wait for long.
const WITH_OWN_LIMIT: &[&str] =
    &["/api/v1/users/{id}", "/api/v1/organizations/{id}", "/api/v1/organization_memberships"];

/// The slots.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    running: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Default for Slots {
    fn default() -> Self {
        let slots = |max| Arc::new(Semaphore::new(max));
        Self {
            running: slots(RUNNING_MAX),
            strangers: slots(STRANGERS_MAX),
            streams: slots(STREAMS_MAX),
        }
    }
}

impl Slots {
    /// A slot for a request for this route, if it needs one.
    pub(super) fn take(
        &self,
        path: &str,
        need: Need,
    ) -> Result<Option<OwnedSemaphorePermit>, Problem> {
        let slots = match need {
            _ if WITH_OWN_LIMIT.contains(&path) => return Ok(None),
            Need::Nothing => &self.strangers,
            Need::Role(_) => &self.running,
        };
        take(slots).map(Some)
    }

    /// The reply; one that goes on takes a slot of its own, and ends with this future.
    pub(super) fn bound_stream(
        &self,
        reply: Response,
        ended: impl Future<Output = ()> + Send + 'static,
    ) -> Response {
        if reply.body().size_hint().exact().is_some() {
            return reply;
        }
        match take(&self.streams) {
            Ok(slot) => reply.map(|inner| {
                Body::new(BoundedStream { inner, ended: Box::pin(ended), _slot: slot })
            }),
            Err(problem) => problem.into_response(),
        }
    }
}

fn take(slots: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(slots).try_acquire_owned().map_err(|_| Problem::overloaded())
}

/// A reply's body that goes on, until it is ended.
struct BoundedStream {
    inner: Body,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    _slot: OwnedSemaphorePermit,
}

impl HttpBody for BoundedStream {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.ended.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => Pin::new(&mut self.inner).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
