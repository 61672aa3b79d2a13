//! A reply whose length is not known beforehand: its connection is busy until the last of it is out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::client::{Client, Phase};

/// Such a reply's body. What it waits for is ours to send: its client does not idle meanwhile.
pub(crate) struct StreamingBody {
    inner: Body,
    client: Arc<Client>,
}

impl StreamingBody {
    pub(crate) fn new(inner: Body, client: Arc<Client>) -> Self {
        Self { inner, client }
    }
}

impl HttpBody for StreamingBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for StreamingBody {
    fn drop(&mut self) {
        self.client.enter(Phase::Idle);
    }
}
