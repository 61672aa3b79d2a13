//! A layer that lets verified requests through to any service, and answers the others itself.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use tower_layer::Layer;
use tower_service::Service;

use crate::body::LimitedBody;
use crate::clock;
use crate::rejection::{BodyUnreadable, WebhookRejection};
use crate::verified::VerifiedMessage;
use crate::verify::Verifier;

/// Verifies every request before the service sees it.
///
/// The body is limited, read, and verified as raw bytes. The service gets it whole, and a [`VerifiedMessage`] in the
/// request's extensions. Any other request is answered with 400 or 413 and a line of JSON; why is in the
/// extensions of that answer, as a [`WebhookRejection`], for a layer outside that logs.
///
/// A service's response body is made `From<Bytes>`, as axum's and [`Full`] are.
///
/// ```
/// use std::convert::Infallible;
///
/// use bytes::Bytes;
/// use clerk_webhooks::tower::VerifyLayer;
/// use clerk_webhooks::{Secret, VerifiedMessage, Verifier};
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{Layer as _, ServiceExt as _, service_fn};
///
/// async fn handle(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
///     let message = request.extensions().get::<VerifiedMessage>().expect("the layer puts it there");
///     println!("{} has {} bytes", message.id(), message.body().len());
///     Ok(Response::default())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?);
/// let service = VerifyLayer::new(verifier).layer(service_fn(handle));
/// let response = service.oneshot(Request::new(Full::<Bytes>::from("{}"))).await?;
/// assert_eq!(response.status(), 400);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VerifyLayer {
    verifier: Verifier,
}

impl VerifyLayer {
    /// Verifies with `verifier`, and reads as much of a body as it says.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier }
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = VerifyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        VerifyService { verifier: self.verifier.clone(), inner }
    }
}

/// The service that [`VerifyLayer`] makes.
#[derive(Clone, Debug)]
pub struct VerifyService<S> {
    verifier: Verifier,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for VerifyService<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone is not ready; what was polled until it was is `self.inner`.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let verifier = self.verifier.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match receive(&verifier, &head.headers, body).await {
                Ok(message) => {
                    let body = Full::new(message.body().clone());
                    head.extensions.insert(message);
                    inner.call(Request::from_parts(head, body)).await
                }
                Err(rejection) => Ok(respond(rejection)),
            }
        })
    }
}

/// Reads a body within the verifier's limit, and verifies it.
pub(crate) async fn receive<B>(
    verifier: &Verifier,
    headers: &http::HeaderMap,
    body: B,
) -> Result<VerifiedMessage, WebhookRejection>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let hint = body.size_hint();
    let mut whole = LimitedBody::new(verifier.body_bytes_max(), Some(hint.lower()))?;
    let mut body = std::pin::pin!(body);
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(BodyUnreadable::new)?.into_data() else { continue };
        whole.push(data.copy_to_bytes(data.remaining()))?;
    }
    Ok(verifier.verify_bytes(headers, &whole.finish(), clock::now())?)
}

pub(crate) fn respond<R: From<Bytes>>(rejection: WebhookRejection) -> Response<R> {
    let mut response = Response::new(R::from(Bytes::from_static(rejection.body().as_bytes())));
    *response.status_mut() = rejection.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.extensions_mut().insert(rejection);
    response
}
