//! What the log says of refused requests, at the default level.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Request;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{EVENT, TestServer, now_seconds, signed, signed_at};

/// The lines that this thread logs at the default level.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(log.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The one line with this word in it.
    pub(crate) fn line(&self, word: &str) -> String {
        let lines = self.lines();
        let mut found = lines.iter().filter(|line| line.contains(word));
        let line = found.next().unwrap_or_else(|| panic!("no line has {word}: {lines:#?}"));
        assert_eq!(found.next(), None, "one line a minute");
        line.clone()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_wrong_admin_token_is_told_and_not_shown() {
    let server = TestServer::start().await;
    let (log, _guard) = Log::start();
    for _ in 0..2 {
        let asking = Request::get("/metrics").header("authorization", "Bearer hunter2");
        assert_eq!(server.send(asking.body(Body::empty()).unwrap()).await.status, 401);
    }
    let line = log.line("admin routes");
    assert!(line.contains("refused=1") && line.contains("token is wrong"), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
}

fn elsewhere(path: &str, message_id: &str) -> Request<Body> {
    let mut request = signed(message_id, EVENT);
    *request.uri_mut() = path.parse().unwrap();
    request
}

#[tokio::test]
async fn what_is_refused_is_told_once_a_minute_for_each_cause_and_source() {
    let server = TestServer::start().await;
    let (log, _guard) = Log::start();
    for _ in 0..3 {
        let mut forged = signed("msg_1", EVENT);
        *forged.body_mut() = Body::from("{}");
        let mut stripped = signed("msg_1", EVENT);
        stripped.headers_mut().remove("svix-signature");
        let old = signed_at("msg_1", EVENT, now_seconds() - 4_000);
        let not_an_event = signed("msg_1", "[]");
        let too_large = signed("msg_1", " ".repeat(10_001));
        let get = Request::get("/api/webhooks").body(Body::empty()).unwrap();
        for request in [forged, stripped, old, not_an_event, too_large, get] {
            assert_ne!(server.send(request).await.status, 200);
        }
    }
    for (reason, words) in [
        ("no_match", "is this the endpoint's own secret"),
        ("missing_header", "does a proxy drop its headers?"),
        ("too_old", "is this machine's clock right?"),
        ("not_an_event", "message msg_1 is authentic, but"),
        ("too_large", "`body_bytes_max` (10000 bytes)"),
        ("method_not_allowed", "GET was asked for"),
    ] {
        let line = log.line(&format!("reason=\"{reason}\""));
        assert!(line.contains(" WARN ") && line.contains("source=clerk"), "{line}");
        assert!(line.contains("refused=1") && line.contains(words), "{line}");
    }
    assert_eq!(log.lines().len(), 6, "{:#?}", log.lines());
    server.send(elsewhere("/staging", "msg_1")).await;
    let staging = log.lines().pop().unwrap();
    assert!(staging.contains("source=staging") && staging.contains("no_match"), "{staging}");
}

#[tokio::test]
async fn a_post_beside_a_path_is_told_with_the_path_that_was_meant() {
    let server = TestServer::start().await;
    let (log, _guard) = Log::start();
    let endless = format!("/{}", "x".repeat(5_000));
    for path in ["/api/webhooks/", "/api/webhooks/", "/api/webhoks", &endless] {
        assert_eq!(server.send(elsewhere(path, "msg_1")).await.status, 404);
    }
    let line = log.line("POSTs to an unknown path");
    assert!(line.contains("/api/webhooks/\"") && line.contains("is /api/webhooks:"), "{line}");
    assert_eq!(log.lines().len(), 1, "{:#?}", log.lines());
    let get = Request::get("/favicon.ico").body(Body::empty()).unwrap();
    assert_eq!(server.send(get).await.status, 404);
    assert_eq!(log.lines().len(), 1, "scanners read, and nobody posts by GET");
}
