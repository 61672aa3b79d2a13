//! Emails through a mail server.

use std::fmt;

use deskbell_config::SmtpUrl;
use deskbell_store::clock;
use lettre::Message;
use lettre::message::{MessageBuilder, MultiPart, SinglePart};
use lettre::transport::smtp::Error;
use tokio::time::{Instant, timeout_at};

use super::compose::Email;
use super::smtp_connection::{ConnectError, Connections};
use super::smtp_url::{Server, SmtpUrlError};
use crate::attempt::{Attempt, Outcome};
use crate::ca_certificates::CaCertificates;
use crate::channel::Delivery;
use crate::idempotency;
use crate::words::one_line;

/// Characters of the server's own words in a reason.
const WORDS_CHARS_MAX: usize = 300;

pub(super) struct Smtp {
    server: Server,
    connections: Connections,
}

enum Failure {
    /// Before the email: it is still pending, whatever the server says.
    Connection(ConnectError),
    /// About the email.
    Email(Error),
}

impl Smtp {
    pub(super) fn new(
        url: &SmtpUrl,
        ca_certificates: Option<&CaCertificates>,
    ) -> Result<Self, SmtpUrlError> {
        let server = Server::parse(url, ca_certificates)?;
        Ok(Self { server, connections: Connections::default() })
    }

    pub(super) async fn attempt(
        &self,
        delivery: &Delivery,
        email: &Email,
        deadline: Instant,
    ) -> Attempt {
        let Ok(message) = message(delivery, email) else {
            return Attempt::rejected("the email cannot be encoded");
        };
        match timeout_at(deadline, self.send(&message)).await {
            Ok(Ok(())) => Attempt::without_reply(Outcome::Delivered),
            Ok(Err(failure)) => failure.into(),
            Err(_) => Attempt::failed("the mail server did not answer in time"),
        }
    }

    async fn send(&self, message: &Message) -> Result<(), Failure> {
        let mut connection =
            self.connections.take(&self.server).await.map_err(Failure::Connection)?;
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        sent.map_err(Failure::Email)?;
        self.connections.give_back(connection);
        Ok(())
    }
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Connection(error) => {
                Self::failed(format!("the mail server cannot be used: {}", words(&error)))
            }
            Failure::Email(error) if error.is_permanent() || error.is_client() => {
                Self::rejected(format!("the mail server refused the email: {}", words(&error)))
            }
            Failure::Email(error) => {
                Self::failed(format!("the mail server did not accept the email: {}", words(&error)))
            }
        }
    }
}

fn words(error: &impl fmt::Display) -> String {
    one_line(&error.to_string()).chars().take(WORDS_CHARS_MAX).collect()
}

fn message(delivery: &Delivery, email: &Email) -> Result<Message, lettre::error::Error> {
    let domain = email.from.email.domain();
    let id = idempotency::message_id(&delivery.destination, &delivery.event.message_id, domain);
    let mut builder = Message::builder()
        .from(email.from.clone())
        .subject(&email.subject)
        .message_id(Some(id))
        .date(clock::now());
    for to in &email.to {
        builder = builder.to(to.clone());
    }
    for reply_to in &email.reply_to {
        builder = builder.reply_to(reply_to.clone());
    }
    with_body(builder, email)
}

fn with_body(builder: MessageBuilder, email: &Email) -> Result<Message, lettre::error::Error> {
    match (email.text.clone(), email.html.clone()) {
        (Some(text), Some(html)) => {
            builder.multipart(MultiPart::alternative_plain_html(text, html))
        }
        (None, Some(html)) => builder.singlepart(SinglePart::html(html)),
        (text, None) => builder.singlepart(SinglePart::plain(text.unwrap_or_default())),
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).finish_non_exhaustive()
    }
}
