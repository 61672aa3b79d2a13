//! Requests to the pages, without a network.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{Request, StatusCode};
use tower::ServiceExt;

/// A reply that was read whole.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

pub(crate) async fn open(pages: &Router, request: Request<Body>) -> Response {
    pages.clone().oneshot(request).await.unwrap()
}

pub(crate) async fn get(pages: &Router, url: &str) -> Page {
    read(open(pages, Request::get(url).body(Body::empty()).unwrap()).await).await
}

pub(crate) async fn post(pages: &Router, url: &str, form: &str) -> Page {
    read(open(pages, Request::post(url).body(Body::from(form.to_owned())).unwrap()).await).await
}

async fn read(response: Response) -> Page {
    let location = response.headers().get("location");
    let location = location.map(|location| location.to_str().unwrap().to_owned());
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Page { status, location, text: String::from_utf8(bytes.to_vec()).unwrap() }
}
