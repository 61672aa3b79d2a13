//! A mail server that takes everything.

use std::sync::Arc;

use mail_parser::{Address, ContentType, Message, MessageParser, MessagePart, MimeHeaders};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::program::support::within;

/// One email.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Email {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    /// As `mailbox.py` prints it.
    pub(super) printed: String,
}

/// Dropped, it is gone.
pub(super) struct Mailbox {
    pub(super) url: String,
    emails: watch::Receiver<Vec<Email>>,
    _tasks: JoinSet<()>,
}

impl Mailbox {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://127.0.0.1:{}?tls=none", listener.local_addr().unwrap().port());
        let (sender, emails) = watch::channel(Vec::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let (mut connections, sender) = (JoinSet::new(), Arc::new(sender));
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(take(stream, Arc::clone(&sender)));
            }
        });
        Self { url, emails, _tasks: tasks }
    }

    /// The emails, once there are that many.
    pub(super) async fn emails(&self, count: usize) -> Vec<Email> {
        let mut emails = self.emails.clone();
        let emails = within(emails.wait_for(|emails| emails.len() >= count)).await.unwrap();
        emails.clone()
    }
}

/// Plays the server's part until the client goes.
async fn take(stream: TcpStream, emails: Arc<watch::Sender<Vec<Email>>>) {
    let mut stream = BufReader::new(stream);
    let mut reply = "220 mailbox";
    let mut email: Option<String> = None;
    while stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_ok() {
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            match (&mut email, line.as_str()) {
                (Some(data), ".\r\n") => {
                    emails.send_modify(|emails| emails.push(read(data)));
                    (email, reply) = (None, "250 taken");
                    break;
                }
                (Some(data), line) => *data += line.strip_prefix('.').unwrap_or(line),
                (None, "DATA\r\n") => {
                    (email, reply) = (Some(String::new()), "354 go on");
                    break;
                }
                (None, _) => {
                    reply = "250 mailbox";
                    break;
                }
            }
        }
    }
}

fn read(data: &str) -> Email {
    let message = MessageParser::new().parse(data.as_bytes()).unwrap();
    let to = shown(message.to());
    let subject = message.subject().unwrap_or_default().to_owned();
    let (text, html) = (part(&message, "plain"), part(&message, "html"));
    let mut printed = format!("From: {}\nTo: {to}\nSubject: {subject}", shown(message.from()));
    for (kind, part) in [("text/plain", &text), ("text/html", &html)] {
        if !part.is_empty() {
            printed += &format!("\n--- {kind}\n{part}");
        }
    }
    Email { to, subject, text, html, printed }
}

fn shown(address: Option<&Address<'_>>) -> String {
    let address = address.and_then(Address::first).unwrap();
    match (&address.name, &address.address) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (_, address) => address.as_deref().unwrap_or_default().to_owned(),
    }
}

/// The part of this kind as it was written; empty where there is none.
fn part(message: &Message<'_>, kind: &str) -> String {
    let is_it =
        |part: &&MessagePart<'_>| part.content_type().and_then(ContentType::subtype) == Some(kind);
    let part = message.parts.iter().find(is_it);
    let text = part.and_then(MessagePart::text_contents).unwrap_or_default();
    text.replace("\r\n", "\n").trim().to_owned()
}
