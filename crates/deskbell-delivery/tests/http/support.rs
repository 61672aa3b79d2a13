//! Receivers on bare sockets, and a channel to them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clerk_webhooks::Secret;
use deskbell_delivery::{
    Attempt, Channel, Delivery, EndpointSecrets, HeaderOfOurs, Headers, HttpChannel, HttpConfig,
    Outcome,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use url::Url;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const SENT_AT: u64 = 1_700_000_000;
/// For attempts that are to end long before it.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// For attempts that are to end by it.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
/// What a busy machine may take beyond a deadline.
const MARGIN: Duration = Duration::from_secs(3);

/// Does with each connection what it was told to, and counts them.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Receiver {
    pub(crate) async fn start<F>(behave: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                open.spawn(behave(stream));
            }
        });
        Self { address, connections, _serving: serving }
    }

    /// Answers every request with these bytes.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::recording(answer).await.0
    }

    /// The same, with the requests.
    pub(crate) async fn recording(
        answer: impl Into<Vec<u8>>,
    ) -> (Self, mpsc::UnboundedReceiver<Request>) {
        let answer: Arc<[u8]> = answer.into().into();
        let (sender, requests) = mpsc::unbounded_channel();
        let receiver = Self::start(move |mut stream| {
            let (answer, sender) = (Arc::clone(&answer), sender.clone());
            async move {
                while let Some(request) = Request::read(&mut stream).await {
                    let _ = sender.send(request);
                    if stream.write_all(&answer).await.is_err() {
                        break;
                    }
                }
            }
        })
        .await;
        (receiver, requests)
    }

    /// Reads a request, writes these bytes, and then does nothing more.
    pub(crate) async fn stalling_after(answer: &'static [u8]) -> Self {
        Self::start(move |mut stream| async move {
            Request::read(&mut stream).await;
            stream.write_all(answer).await.unwrap();
            std::future::pending::<()>().await;
        })
        .await
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("http://{}/hooks?token=t0ken", self.address)).unwrap()
    }

    pub(crate) fn config(&self) -> HttpConfig {
        config(self.url().as_str())
    }

    pub(crate) fn channel(&self) -> HttpChannel {
        HttpChannel::new(&self.config()).unwrap()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(crate) fn config(url: &str) -> HttpConfig {
    let allow_hosts = ["127.0.0.1", "localhost"].map(|host| host.parse().unwrap()).to_vec();
    HttpConfig { allow_hosts, ..HttpConfig::new(url.parse().unwrap(), secrets(&[SECRET])) }
}

pub(crate) fn secrets(texts: &[&str]) -> EndpointSecrets {
    EndpointSecrets(texts.iter().map(|text| text.parse().unwrap()).collect())
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::parse(text).unwrap()
}

pub(crate) fn headers(pairs: &[(&'static str, &'static str)]) -> Result<Headers, HeaderOfOurs> {
    let mut headers = Headers::default();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value))?;
    }
    Ok(headers)
}

/// A request as it came.
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next one of this connection; `None` where it has been closed.
    pub(crate) async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let mut body = bytes.split_off(end);
        let mut lines = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut lines);
        assert!(head.parse(&bytes).unwrap().is_complete());
        let headers: HeaderMap = head
            .headers
            .iter()
            .map(|line| {
                let name = HeaderName::from_bytes(line.name.as_bytes()).unwrap();
                (name, HeaderValue::from_bytes(line.value).unwrap())
            })
            .collect();
        let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
        while body.len() < length {
            if stream.read_buf(&mut body).await.ok()? == 0 {
                return None;
            }
        }
        assert_eq!(body.len(), length, "nothing comes behind the body");
        Some(Self { target: head.path.unwrap().to_owned(), headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

pub(crate) fn delivery() -> Delivery {
    delivery_of("msg_1", br#"{"data":{"id":"user_1"},"object":"event","type":"user.created"}"#)
}

pub(crate) fn delivery_of(id: &str, body: &[u8]) -> Delivery {
    let event = testkit::event(id, "user.created").body(body).stored(1);
    Delivery {
        destination: "app".into(),
        event,
        attempt: 1,
        first_attempt_ago: None,
        sent_at_seconds: SENT_AT,
    }
}

/// One attempt, which must end by its deadline.
pub(crate) async fn attempt(channel: &HttpChannel, within: Duration) -> Attempt {
    attempt_at(channel, &delivery(), within).await
}

pub(crate) async fn attempt_at(
    channel: &HttpChannel,
    delivery: &Delivery,
    within: Duration,
) -> Attempt {
    let deadline = Instant::now() + within;
    timeout(within + MARGIN, channel.attempt(delivery, deadline))
        .await
        .unwrap_or_else(|_| panic!("the attempt goes on behind its deadline"))
}

/// Why the attempt is to be made again; it panics where it is not.
pub(crate) fn retry_reason(attempt: &Attempt) -> &str {
    let Outcome::Retry { reason, .. } = &attempt.outcome else {
        panic!("it is no retry: {attempt:?}")
    };
    assert!(!reason.contains("t0ken"), "{reason}");
    reason
}
