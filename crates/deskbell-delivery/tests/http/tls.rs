//! TLS: certificates that are trusted, and all the others.

use std::sync::Arc;

use bytes::Bytes;
use deskbell_config::FileText;
use deskbell_delivery::{CaCertificates, HttpChannel, HttpConfig, Outcome};
use http_body_util::Full;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::support::{LONG, Receiver, attempt, config, retry_reason};

/// An authority of our own.
struct Authority {
    certificates: CaCertificates,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let text = params.self_signed(&key).unwrap().pem();
        let certificates = CaCertificates::new(FileText { text, file: "ca.pem".into() }).unwrap();
        Self { certificates, issuer: Issuer::new(params, key) }
    }

    /// A server with a certificate for this name, changed like this.
    fn acceptor(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        acceptor(certificate, &key)
    }
}

fn self_signed() -> TlsAcceptor {
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    acceptor(params.self_signed(&key).unwrap().der().clone(), &key)
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config).into()
}

/// Serves HTTP/2 over TLS; the requests' versions and targets.
async fn serving(acceptor: TlsAcceptor) -> (Receiver, mpsc::UnboundedReceiver<String>) {
    let (sender, seen) = mpsc::unbounded_channel();
    let receiver = Receiver::start(move |stream| {
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(|request: hyper::Request<_>| {
                let _: &hyper::body::Incoming = request.body();
                let _ = sender.send(format!("{:?} {}", request.version(), request.uri()));
                let response = hyper::Response::new(Full::new(Bytes::from_static(b"by h2")));
                async { Ok::<_, std::convert::Infallible>(response) }
            });
            let server = http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    (receiver, seen)
}

fn channel(receiver: &Receiver, ca_certificates: Option<CaCertificates>) -> HttpChannel {
    let url = format!("https://localhost:{}/hooks?token=t0ken", receiver.address.port());
    HttpChannel::new(&HttpConfig { ca_certificates, ..config(&url) }).unwrap()
}

#[tokio::test]
async fn http_2_by_one_connection() {
    let authority = Authority::new("ours");
    let (receiver, mut seen) = serving(authority.acceptor("localhost", |_| ())).await;
    let channel = channel(&receiver, Some(authority.certificates));
    for _ in 0..3 {
        let attempt = attempt(&channel, LONG).await;
        assert_eq!(attempt.outcome, Outcome::Delivered);
        assert_eq!(&attempt.reply[..], b"by h2");
        let line = seen.recv().await.unwrap();
        assert!(line.starts_with("HTTP/2.0 https://localhost:"), "{line}");
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn certificates_that_are_not_trusted() {
    let ours = Authority::new("ours");
    let expired = |params: &mut CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 1);
    };
    let early =
        |params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(3000, 1, 1);
    let untrusted = "the receiver's TLS certificate is not trusted: ";
    for (acceptor, words) in [
        (self_signed(), format!("{untrusted}no trusted authority issued it")),
        (
            Authority::new("theirs").acceptor("localhost", |_| ()),
            format!("{untrusted}no trusted authority issued it"),
        ),
        (ours.acceptor("localhost", expired), format!("{untrusted}it has expired")),
        (
            ours.acceptor("localhost", early),
            format!("{untrusted}it is not valid yet (or this machine's clock is wrong)"),
        ),
        (
            ours.acceptor("other.example", |_| ()),
            "the receiver's TLS certificate is not for localhost".to_owned(),
        ),
    ] {
        let (receiver, mut seen) = serving(acceptor).await;
        let attempt = attempt(&channel(&receiver, Some(ours.certificates.clone())), LONG).await;
        assert_eq!(retry_reason(&attempt), words);
        assert!(seen.try_recv().is_err(), "nothing is sent to it");
    }
}

#[tokio::test]
async fn what_is_not_tls() {
    let plain = Receiver::start(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    assert_eq!(
        retry_reason(&attempt(&channel(&plain, None), LONG).await),
        "the TLS handshake failed: the receiver does not speak TLS at that port"
    );
    let closing = Receiver::start(|stream| async move { drop(stream) }).await;
    let attempt = attempt(&channel(&closing, None), LONG).await;
    assert!(
        [
            "the receiver closed the connection during the handshake",
            "the receiver reset the connection while it was being made"
        ]
        .contains(&retry_reason(&attempt)),
        "{attempt:?}"
    );
}
