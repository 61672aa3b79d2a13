//! HTTPS by the server itself.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use deskbell_server::{IngestOptions, ServerOptions, Tls, TlsConfig, TlsError};
use http::Request;
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::listening::{Listening, listen_with, wire};
use crate::refusals::Log;
use crate::support::{ADMIN_TOKEN, EVENT, after, post, signed, within};

/// The files of a server, in a directory of their own.
struct Files {
    directory: TempDir,
    files: TlsConfig,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let files = TlsConfig { cert: file("cert.pem"), key: file("key.pem") };
        Self { directory, files }
    }

    /// Puts a new certificate there, which signs itself.
    fn renew(&self) -> CertificateDer<'static> {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(&self.files.key, key.serialize_pem()).unwrap();
        std::fs::write(&self.files.cert, certificate.pem()).unwrap();
        certificate.der().clone()
    }

    fn open(&self) -> Result<Tls, TlsError> {
        Tls::open(self.files.clone())
    }
}

async fn listen(tls: &Tls) -> Listening {
    listen_with(ServerOptions::default(), IngestOptions::default(), Some(tls.clone())).await
}

/// Sends an event to a server that must show this certificate.
async fn deliver(listening: &Listening, certificate: &CertificateDer<'static>) -> Option<String> {
    send(listening, certificate, signed("msg_1", EVENT)).await
}

async fn send(
    listening: &Listening,
    certificate: &CertificateDer<'static>,
    request: Request<Body>,
) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(listening.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.ok()?;
    let (head, body) = wire(request).await;
    stream.write_all(&[head, body].concat()).await.unwrap();
    let mut bytes = vec![0; 4_096];
    let read = within(10, stream.read(&mut bytes)).await.unwrap();
    Some(String::from_utf8(bytes[..read].to_vec()).unwrap())
}

#[tokio::test]
async fn events_are_taken_over_tls() {
    let files = Files::new();
    let certificate = files.renew();
    let listening = listen(&files.open().unwrap()).await;
    let reply = deliver(&listening, &certificate).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert_eq!(listening.server.log().await[0].payload, EVENT);
}

#[tokio::test]
async fn a_session_that_begins_over_tls_has_a_cookie_for_tls_alone() {
    let files = Files::new();
    let certificate = files.renew();
    let listening = listen(&files.open().unwrap()).await;
    let mut request = post("/sign-in", format!("token={ADMIN_TOKEN}"));
    request.headers_mut().insert("origin", "https://localhost".parse().unwrap());
    let reply = send(&listening, &certificate, request).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 303"), "{reply}");
    assert!(reply.contains("set-cookie: __Host-deskbell_session=dbt_"), "{reply}");
    assert!(reply.contains("; SameSite=Strict; Secure"), "{reply}");
}

#[tokio::test]
async fn a_new_certificate_is_taken_and_a_wrong_one_is_not() {
    let files = Files::new();
    let first = files.renew();
    let tls = files.open().unwrap();
    let listening = listen(&tls).await;
    assert!(!tls.reload().unwrap(), "nothing has changed");
    let second = files.renew();
    assert!(tls.reload().unwrap());
    assert!(deliver(&listening, &second).await.is_some());
    assert!(deliver(&listening, &first).await.is_none());
    std::fs::write(&files.files.cert, "-----BEGIN CERTIFICATE-----\nAAAA").unwrap();
    tls.reload().unwrap_err();
    assert!(deliver(&listening, &second).await.is_some(), "it stays");
}

#[tokio::test]
async fn the_files_are_looked_at_by_and_by() {
    let files = Files::new();
    files.renew();
    let tls = files.open().unwrap();
    let (log, _guard) = Log::start();
    let listening = listen(&tls).await;
    let second = files.renew();
    // The files are read by another thread while an event goes there and back.
    let is_taken = async || deliver(&listening, &second).await.is_some();
    assert!(at_a_look(&is_taken).await, "the new one is taken");
    std::fs::remove_file(&files.files.key).unwrap();
    let is_told = async || {
        deliver(&listening, &second).await;
        log.lines().iter().any(|line| line.contains("ERROR"))
    };
    assert!(at_a_look(&is_told).await, "what is wrong is told");
    let line = log.line("ERROR");
    assert!(line.contains("cannot read the private key"), "{line}");
    assert!(deliver(&listening, &second).await.is_some(), "it stays");
}

/// Whether this is so after one of the next looks at the files.
async fn at_a_look(is_so: &impl AsyncFn() -> bool) -> bool {
    for _ in 0..500 {
        after(Duration::from_secs(10)).await;
        if is_so().await {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_mistake_in_the_files_names_the_file() {
    let files = Files::new();
    let error = |files: &Files| files.open().unwrap_err().to_string();
    assert!(error(&files).contains("certificate") && error(&files).contains("cert.pem"));
    files.renew();
    std::fs::write(&files.files.key, "no key").unwrap();
    let text = error(&files);
    assert!(text.contains("key.pem") && text.contains("no private key in PEM"), "{text}");
    std::fs::write(&files.files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let text = error(&files);
    assert!(text.contains("do not belong together"), "{text}");
    assert!(text.contains("cert.pem") && text.contains("key.pem"), "{text}");
    std::fs::write(&files.files.cert, "").unwrap();
    assert!(error(&files).contains("no certificate in PEM"), "{}", error(&files));
    assert!(Path::new(files.directory.path()).exists());
}

#[tokio::test]
async fn who_says_nothing_in_a_handshake_is_let_go() {
    let files = Files::new();
    files.renew();
    let listening = listen(&files.open().unwrap()).await;
    let mut silent = TcpStream::connect(listening.address).await.unwrap();
    // The server has accepted it once a later connection is answered.
    let plain = async {
        let mut plain = TcpStream::connect(listening.address).await.unwrap();
        plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        plain.read_to_end(&mut Vec::new()).await
    };
    let _ = within(10, plain).await;
    after(Duration::from_secs(10)).await;
    let mut rest = Vec::new();
    let _ = within(5, silent.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn a_stopping_server_waits_for_no_handshake() {
    let files = Files::new();
    let certificate = files.renew();
    let mut listening = listen(&files.open().unwrap()).await;
    let _silent = TcpStream::connect(listening.address).await.unwrap();
    // The server has accepted the silent one once a later connection is answered.
    assert!(deliver(&listening, &certificate).await.is_some());
    let started = Instant::now();
    listening.shutdown.cancel();
    within(10, listening.running.join_next()).await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}
