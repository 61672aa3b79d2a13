//! A mail server on a free port, with as much of SMTP as the tests need.

use std::sync::{Arc, Mutex};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How the server behaves.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    /// Offers STARTTLS with this certificate.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Begins with TLS in place of offering it.
    pub(crate) tls_from_the_start: bool,
    /// The argument of `AUTH PLAIN` that it wants.
    pub(crate) auth: Option<&'static str>,
    /// Answers commands that begin with this otherwise; `END` is the end of an email.
    pub(crate) replies: Vec<(&'static str, &'static str)>,
    /// Says nothing at the end of the first email, but tells of it here.
    pub(crate) silent_once: Option<Arc<Notify>>,
}

/// One email.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
    pub(crate) encrypted: bool,
    pub(crate) authenticated: bool,
    /// The number of the connection that it came by, from 1.
    pub(crate) connection: usize,
}

/// The server; dropped, it is gone.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    _tasks: JoinSet<()>,
}

impl MailServer {
    pub(crate) async fn start(rules: Rules) -> Self {
        super::provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let log = Arc::clone(&received);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            for number in 1.. {
                let Ok((stream, _)) = listener.accept().await else { break };
                let mut rules = rules.clone();
                if number > 1 {
                    rules.silent_once = None;
                }
                let email = Received { connection: number, ..Received::default() };
                let from_the_start = rules.tls_from_the_start;
                let stream = BufReader::new(Box::new(stream) as Box<dyn Stream>);
                let session = Session { stream, rules, email, log: Arc::clone(&log) };
                connections.spawn(async move {
                    let session =
                        if from_the_start { session.encrypted().await } else { Some(session) };
                    if let Some(session) = session {
                        session.run().await;
                    }
                });
            }
        });
        Self { port, received, _tasks: tasks }
    }

    /// The emails so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// A certificate of `localhost`, to serve with, and as PEM, to trust.
pub(crate) fn certificate() -> (TlsAcceptor, String) {
    super::provider();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), cert.pem())
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Session {
    stream: BufReader<Box<dyn Stream>>,
    rules: Rules,
    email: Received,
    log: Arc<Mutex<Vec<Received>>>,
}

impl Session {
    async fn run(mut self) {
        self.say("220 test").await;
        while let Some(line) = self.line().await {
            let line = line.trim_end().to_owned();
            if let Some(reply) = self.scripted(&line) {
                self.say(reply).await;
            } else if line == "STARTTLS" {
                self.say("220 go").await;
                let Some(encrypted) = self.encrypted().await else { return };
                self = encrypted;
            } else if line == "DATA" {
                self.say("354 go").await;
                self.data().await;
            } else {
                let reply = self.reply(&line);
                self.say(&reply).await;
            }
        }
    }

    fn reply(&mut self, line: &str) -> String {
        if line.starts_with("EHLO") {
            let starttls = self.rules.tls.is_some() && !self.email.encrypted;
            let offer = if starttls { "250-STARTTLS\r\n" } else { "" };
            return format!(
                "250-test\r\n{offer}250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN"
            );
        }
        if let Some(argument) = line.strip_prefix("AUTH PLAIN ") {
            self.email.authenticated = self.rules.auth == Some(argument);
            return if self.email.authenticated { "235 ok" } else { "535 wrong" }.to_owned();
        }
        if let Some(from) = line.strip_prefix("MAIL FROM:") {
            self.email.from = from.split(' ').next().unwrap().to_owned();
            self.email.to.clear();
        } else if let Some(to) = line.strip_prefix("RCPT TO:") {
            self.email.to.push(to.to_owned());
        }
        "250 ok".to_owned()
    }

    fn scripted(&self, line: &str) -> Option<&'static str> {
        let rule = self.rules.replies.iter().find(|(command, _)| line.starts_with(command));
        rule.map(|(_, reply)| *reply)
    }

    async fn data(&mut self) {
        self.email.data.clear();
        while let Some(line) = self.line().await {
            if line == ".\r\n" {
                break;
            }
            self.email.data += line.strip_prefix('.').unwrap_or(&line);
        }
        if let Some(silent) = self.rules.silent_once.take() {
            silent.notify_one();
            return;
        }
        let reply = self.scripted("END").unwrap_or("250 taken");
        if reply.starts_with("250") {
            self.log.lock().unwrap().push(self.email.clone());
        }
        self.say(reply).await;
    }

    /// `None` where the client does not trust the certificate.
    async fn encrypted(self) -> Option<Self> {
        let acceptor = self.rules.tls.clone().unwrap();
        let stream = acceptor.accept(self.stream.into_inner()).await.ok()?;
        let stream = BufReader::new(Box::new(stream) as Box<dyn Stream>);
        Some(Self { stream, email: Received { encrypted: true, ..self.email }, ..self })
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let bytes = self.stream.read_line(&mut line).await.unwrap_or(0);
        (bytes > 0).then_some(line)
    }

    async fn say(&mut self, reply: &str) {
        // The client may have gone.
        let _ = self.stream.write_all(format!("{reply}\r\n").as_bytes()).await;
        let _ = self.stream.flush().await;
    }
}
