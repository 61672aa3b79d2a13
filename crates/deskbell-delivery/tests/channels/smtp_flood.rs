//! Mail servers, or whoever stands between, that answer without end.

use deskbell_delivery::{EmailChannel, EmailConfig, EmailProvider};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::smtp::authorities;
use super::support::{attempt, certificate, delivery, kind, reason, user};

/// What the systems' buffers of a connection may hold beside what we read.
const SENT_BYTES_MAX: usize = 16 << 20;

/// Where the flood begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flood {
    /// A greeting that is one line without end.
    Greeting,
    /// A greeting of lines without end.
    Lines,
    /// The answer to `EHLO`.
    Hello,
    /// The answer to the email.
    Email,
    /// The first answer after STARTTLS.
    Encrypted,
    /// The greeting, with TLS from the start.
    EncryptedGreeting,
}

/// A server that floods one client; how many bytes of the flood it could send.
async fn flooding(flood: Flood, acceptor: TlsAcceptor) -> (u16, JoinSet<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut served = JoinSet::new();
    served.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if flood == Flood::EncryptedGreeting {
            return pour(&mut acceptor.accept(stream).await.unwrap(), b"x").await;
        }
        let mut stream = BufReader::new(stream);
        match flood {
            Flood::Greeting => return pour(&mut stream, b"x").await,
            Flood::Lines => return pour(&mut stream, b"220-hello\r\n").await,
            _ => say(&mut stream, "220 test").await,
        }
        loop {
            let command = line(&mut stream).await;
            match (command.get(..4).unwrap_or_default(), flood) {
                ("EHLO", Flood::Hello) => return pour(&mut stream, b"x").await,
                ("EHLO", _) => say(&mut stream, "250-test\r\n250 STARTTLS").await,
                ("STAR", _) => {
                    say(&mut stream, "220 go").await;
                    let mut stream =
                        BufReader::new(acceptor.accept(stream.into_inner()).await.unwrap());
                    line(&mut stream).await;
                    return pour(&mut stream, b"x").await;
                }
                ("DATA", _) => {
                    say(&mut stream, "354 go").await;
                    while line(&mut stream).await.trim_end() != "." {}
                    return pour(&mut stream, b"x").await;
                }
                _ => say(&mut stream, "250 ok").await,
            }
        }
    });
    (port, served)
}

async fn line(stream: &mut (impl AsyncBufReadExt + Unpin)) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), text: &str) {
    stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap();
}

/// Writes until the client has gone.
async fn pour(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), piece: &[u8]) -> usize {
    let (piece, mut sent) = (piece.repeat(16_384), 0);
    while sent < 4 * SENT_BYTES_MAX && stream.write_all(&piece).await.is_ok() {
        sent += piece.len();
    }
    sent
}

fn channel(url: &str, pem: &str) -> EmailChannel {
    let config = EmailConfig {
        url: Some(url.parse().unwrap()),
        ca_certificates: Some(authorities(pem).unwrap()),
        to: vec!["ops@acme.example".to_owned()],
        subject: Some("Welcome".to_owned()),
        text: Some("Hello".into()),
        ..EmailConfig::new(EmailProvider::Smtp, "hello@acme.example")
    };
    EmailChannel::new("mail", &config).unwrap()
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    for flood in [
        Flood::Greeting,
        Flood::Lines,
        Flood::Hello,
        Flood::Email,
        Flood::Encrypted,
        Flood::EncryptedGreeting,
    ] {
        let (acceptor, pem) = certificate();
        let (port, served) = flooding(flood, acceptor).await;
        let url = match flood {
            Flood::Encrypted => format!("smtp://localhost:{port}"),
            Flood::EncryptedGreeting => format!("smtps://localhost:{port}"),
            _ => format!("smtp://localhost:{port}?tls=none"),
        };
        let sent = attempt(&channel(&url, &pem), &delivery("user.created", &user("Mira"))).await;
        assert_eq!(kind(&sent.outcome), "retry", "{flood:?}: {sent:?}");
        let said = reason(&sent);
        assert!(!said.contains("in time"), "{flood:?}: {said}");
        let limit = if flood == Flood::Lines { "512 lines" } else { "32768 bytes" };
        assert!(said.contains(&format!("more than {limit}")), "{flood:?}: {said}");
        let sent = served.join_all().await[0];
        assert!(sent < SENT_BYTES_MAX, "{flood:?}: {sent} bytes were taken");
    }
}
