//! Clerk's webhooks in plain hyper, by the function that works for every framework: headers, raw body and the time.
//!
//! `CLERK_WEBHOOK_SIGNING_SECRET=whsec_… cargo run -p clerk-webhooks --example hyper`

use std::convert::Infallible;
use std::time::SystemTime;

use bytes::Bytes;
use clerk_webhooks::{DEFAULT_BODY_BYTES_MAX, EventData, Verifier};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = Verifier::from_env().unwrap_or_else(|why| {
        eprintln!("{why}");
        std::process::exit(1)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}/", listener.local_addr()?);
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let verifier = verifier.clone();
        let service = service_fn(move |request| webhook(verifier.clone(), request));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        while connections.try_join_next().is_some() {}
    }
}

async fn webhook(
    verifier: Verifier,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let status = match receive(&verifier, request).await {
        Ok(()) => StatusCode::OK,
        Err(status) => status,
    };
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    Ok(response)
}

async fn receive(verifier: &Verifier, request: Request<Incoming>) -> Result<(), StatusCode> {
    if request.method() != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let (head, body) = request.into_parts();
    // Limited before it is read, and verified before it is parsed.
    let body = Limited::new(body, DEFAULT_BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes();
    #[expect(clippy::disallowed_methods, reason = "a server is where the clock is read")]
    let now = SystemTime::now();
    let verified = verifier.verify(&head.headers, &body, now).map_err(|why| {
        eprintln!("turned away: {why}");
        StatusCode::BAD_REQUEST
    })?;
    let event = verified.event().map_err(|why| {
        eprintln!("authentic, but {why}");
        StatusCode::BAD_REQUEST
    })?;
    match event.data {
        EventData::UserCreated(user) => println!("welcome, {:?}", user.primary_email_address()),
        _ => println!("{} about {:?}", event.event_type, event.subject),
    }
    Ok(())
}
