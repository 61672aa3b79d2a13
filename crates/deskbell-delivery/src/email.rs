//! Email: through Resend, or through a mail server (SMTP).

use async_trait::async_trait;
use deskbell_config::{HttpUrl, SecretText};
use tokio::time::Instant;

use crate::api::{BadApiKey, ClientError};
use crate::attempt::Attempt;
use crate::channel::{Channel, Delivery};
use crate::filter::view;
use crate::notice::Notice;
use crate::off_workers::off_workers;
use crate::template::{CheckFailure, TemplateError, TemplateText};

mod address;
mod clerks_own;
mod compose;
mod resend;
mod smtp;
mod smtp_connection;
mod smtp_stream;
mod smtp_url;

use compose::Composer;
use resend::Resend;
use smtp::Smtp;
pub use smtp_url::SmtpUrlError;

/// What an email destination is.
///
/// Everything but the provider is a template. Those of `from`, `to` and `reply_to` each come to an
/// address (`ada@example.com`, or `Ada <ada@example.com>`), to several with commas between them, or to
/// none. Only the template can put commas there: one in somebody's name parts nothing. A name with a comma
/// stands between quotes, or before its address: `Acme, Inc. <hello@acme.example>`.
///
/// Without `subject`, `text` and `html` the destination carries alerts only.
#[derive(Debug, Clone)]
pub struct EmailOptions {
    /// Who carries it.
    pub provider: EmailProvider,
    /// The sender: one address.
    pub from: TemplateText,
    /// The receivers. An event for which there are none is given up on.
    pub to: Vec<TemplateText>,
    /// Where answers go; nothing for the sender.
    pub reply_to: Vec<TemplateText>,
    /// The subject; line breaks in it become spaces.
    pub subject: Option<TemplateText>,
    /// The body as plain text. With `html` too, the email has both.
    pub text: Option<TemplateText>,
    /// The body as HTML: values are escaped.
    pub html: Option<TemplateText>,
    /// Take only the emails that Clerk leaves to us (`delivered_by_clerk` is false), and give up on
    /// every other event.
    pub only_left_by_clerk: bool,
}

/// Who carries emails.
#[derive(Debug, Clone)]
pub enum EmailProvider {
    /// [Resend](https://resend.com/docs/api-reference/emails/send-email).
    Resend {
        /// Its API key.
        api_key: SecretText,
        /// Where its API is; `None` for [`RESEND_BASE_URL`].
        base_url: Option<HttpUrl>,
        /// The proxy to go through; `None` for none, whatever the environment says.
        proxy: Option<HttpUrl>,
    },
    /// A mail server.
    Smtp {
        /// `smtp://user:password@host:587` for STARTTLS, which the server then must offer;
        /// `smtps://…` for TLS from the start; `smtp://localhost:1025?tls=none` without. The user
        /// and password are percent-encoded. The ports are 587, 465 and 25 where none is given.
        url: SecretText,
        /// Certificates (PEM) that are trusted beside the well-known ones.
        ca_certificates: Option<String>,
    },
}

/// Where Resend's API is.
pub const RESEND_BASE_URL: &str = "https://api.resend.com";

/// Options that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmailOptionsError {
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A sender, a receiver or a `reply_to` that is no address.
    #[error("{0}")]
    Address(String),
    /// There is neither `text` nor `html`.
    #[error("an email needs `text`, `html`, or both")]
    NoBody,
    /// There is a body without a subject.
    #[error("an email needs a `subject`")]
    NoSubject,
    /// The API key.
    #[error(transparent)]
    ApiKey(#[from] BadApiKey),
    /// The mail server's URL.
    #[error(transparent)]
    Url(#[from] SmtpUrlError),
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Sends an email for an event.
///
/// With Resend, an email is sent once however often it is tried, for as long as Resend remembers
/// the idempotency key; later attempts are given up. A mail server remembers nothing: where its
/// answer is lost, an email may arrive twice, with one Message-ID.
#[derive(Debug)]
pub struct EmailChannel {
    composer: Composer,
    carrier: Carrier,
}

#[derive(Debug)]
enum Carrier {
    Resend(Resend),
    Smtp(Smtp),
}

impl EmailChannel {
    /// Compiles the templates and sets the client up. Nothing is sent yet.
    ///
    /// # Errors
    /// [`EmailOptionsError`] names what will not do.
    pub fn new(options: EmailOptions) -> Result<Self, EmailOptionsError> {
        let carrier = match &options.provider {
            EmailProvider::Resend { api_key, base_url, proxy } => {
                Carrier::Resend(Resend::new(api_key, base_url.as_ref(), proxy.as_ref())?)
            }
            EmailProvider::Smtp { url, ca_certificates } => {
                Carrier::Smtp(Smtp::new(url, ca_certificates.as_deref())?)
            }
        };
        Ok(Self { composer: Composer::new(options)?, carrier })
    }

    /// Renders the templates with the catalog's samples of these types, and tells what fails.
    #[must_use]
    pub fn check(&self, event_types: &[&str]) -> Vec<CheckFailure> {
        self.composer.check(event_types)
    }

    /// The templates' paths that no sample and no description of events of these types has, in words.
    #[must_use]
    pub fn unknown_paths(&self, event_types: &[&str]) -> Vec<String> {
        self.composer.unknown_paths(event_types)
    }
}

#[async_trait]
impl Channel for EmailChannel {
    async fn attempt(&self, delivery: &Delivery, deadline: Instant) -> Attempt {
        let email = match Notice::of(&delivery.event) {
            Some(notice) => self.composer.notice(&notice),
            None => off_workers(|| self.composer.email(&view(&delivery.event))),
        };
        let email = match email {
            Ok(email) => email,
            Err(reason) => return Attempt::rejected(reason),
        };
        match &self.carrier {
            Carrier::Resend(resend) => resend.attempt(delivery, &email, deadline).await,
            Carrier::Smtp(smtp) => smtp.attempt(delivery, &email, deadline).await,
        }
    }
}
