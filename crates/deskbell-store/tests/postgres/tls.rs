//! TLS to the server, as far as the URL asks for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deskbell_store::conformance::event;
use deskbell_store::{EventLog, PostgresOpenError, PostgresOptions, PostgresStore, Seq, Store};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use testkit::PostgresDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What a client sends first when it asks for TLS:
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>, `SSLRequest`.
pub(crate) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A server at `localhost` that speaks nothing but TLS.
pub(crate) struct Encrypted {
    port: u16,
    /// The certificate of the authority that it is known by.
    authority: PathBuf,
    handshakes: Arc<AtomicUsize>,
    _directory: TempDir,
    _tasks: JoinSet<()>,
}

impl Encrypted {
    /// In front of the database's server, with a certificate for this name.
    pub(crate) async fn before(database: &PostgresDatabase, name: &str) -> Self {
        let (authority, acceptor) = certified(name);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("authority.pem");
        std::fs::write(&file, authority).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (host, server_port) = database.server().address();
        let server = (host.to_owned(), server_port);
        let handshakes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&handshakes);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = server.clone();
                connections.spawn(decrypt(client, acceptor.clone(), server, Arc::clone(&counted)));
            }
        });
        Self { port, authority: file, handshakes, _directory: directory, _tasks: tasks }
    }

    /// With these parameters of the URL.
    async fn open(
        &self,
        database: &PostgresDatabase,
        asked: &str,
    ) -> Result<PostgresStore, PostgresOpenError> {
        PostgresStore::open(&PostgresOptions::new(self.url(database, asked))).await
    }

    /// With these parameters.
    pub(crate) fn url(&self, database: &PostgresDatabase, asked: &str) -> String {
        format!("{}?{asked}", database.url_at(format!("localhost:{}", self.port)))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn handshakes(&self) -> usize {
        self.handshakes.load(Ordering::SeqCst)
    }

    pub(crate) fn trusted(&self, mode: &str) -> String {
        format!("sslmode={mode}&sslrootcert={}", self.authority.display())
    }
}

async fn decrypt(
    mut client: TcpStream,
    acceptor: TlsAcceptor,
    server: (String, u16),
    handshakes: Arc<AtomicUsize>,
) {
    let mut asked = [0; SSL_REQUEST.len()];
    // Whoever speaks in the clear is hung up on.
    if client.read_exact(&mut asked).await.is_err() || asked != SSL_REQUEST {
        return;
    }
    client.write_all(b"S").await.unwrap();
    client.set_nodelay(true).unwrap();
    let Ok(mut client) = acceptor.accept(client).await else { return };
    handshakes.fetch_add(1, Ordering::SeqCst);
    let mut server = TcpStream::connect(server).await.unwrap();
    // What a test finds slow is not for what is in between.
    server.set_nodelay(true).unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// An authority of our own in PEM, and a server that it knows by this name.
fn certified(name: &str) -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (authority, Arc::new(config).into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_works_over_tls() {
    let database = PostgresDatabase::new().await;
    let server = Encrypted::before(&database, "localhost").await;
    for (asked, place_in_log) in [("sslmode=require", 1), (&*server.trusted("verify-full"), 2)] {
        let before = server.handshakes();
        let store = server.open(&database, asked).await.unwrap();
        store.append(&[event(asked)]).await.unwrap();
        assert_eq!(store.head().await.unwrap(), Seq::new(place_in_log), "{asked}");
        store.close().await;
        assert!(server.handshakes() > before, "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_say_who_it_is_is_refused() {
    let database = PostgresDatabase::new().await;
    let server = Encrypted::before(&database, "db.example.com").await;
    // Its authority is known and its name is another one; and its authority is not known.
    for asked in [server.trusted("verify-full"), "sslmode=verify-ca".to_owned()] {
        let refused = server.open(&database, &asked).await.unwrap_err();
        let reason = chain(&refused);
        assert!(reason.contains("certificate"), "{asked}: {reason}");
    }
    server.open(&database, &server.trusted("verify-ca")).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_that_is_asked_for_is_never_done_without() {
    let database = PostgresDatabase::new().await;
    // It answers that it has no TLS.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut asked = [0; SSL_REQUEST.len()];
            client.read_exact(&mut asked).await.unwrap();
            assert_eq!(asked, SSL_REQUEST);
            client.write_all(b"N").await.unwrap();
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "it went on in the clear");
        }
    });
    let url = database.url_at(format!("localhost:{port}"));
    let options = PostgresOptions::new(format!("{url}?sslmode=require"));
    let refused = PostgresStore::open(&options).await.unwrap_err();
    assert!(chain(&refused).contains("TLS"), "{}", chain(&refused));
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut shown = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        shown = format!("{shown}: {error}");
        source = error.source();
    }
    shown
}
