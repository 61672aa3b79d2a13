//! Email: through Resend, or through a mail server (SMTP).

use async_trait::async_trait;
use deskbell_config::Fault;
use tokio::time::Instant;

use crate::api::{BadApiKey, ClientError};
use crate::attempt::Attempt;
use crate::channel::{Channel, Delivery};
use crate::filter::view;
use crate::notice::Notice;
use crate::off_workers::off_workers;
use crate::template::{CheckFailure, TemplateError};

mod address;
mod compose;
mod config;
mod resend;
mod smtp;
mod smtp_connection;
mod smtp_stream;
mod smtp_url;

use compose::Composer;
pub use config::{EmailConfig, EmailPreset, EmailProvider};
use resend::Resend;
use smtp::Smtp;
pub use smtp_url::SmtpUrlError;

/// Where Resend's API is.
const RESEND_BASE_URL: &str = "https://api.resend.com";

/// A config that no channel can be built of.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// Keys that do not fit together.
    #[error(transparent)]
    Config(#[from] Fault),
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A sender, a receiver or a `reply_to` that is no address.
    #[error("{0}")]
    Address(String),
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
    /// [`EmailError`] names what cannot be used.
    pub fn new(destination: &str, config: &EmailConfig) -> Result<Self, EmailError> {
        let carrier = match config.carrier()? {
            config::Carrier::Resend(api_key) => {
                let (base_url, proxy) = (config.base_url.as_ref(), config.proxy.as_ref());
                Carrier::Resend(Resend::new(api_key, base_url, proxy)?)
            }
            config::Carrier::Smtp(url) => {
                Carrier::Smtp(Smtp::new(url, config.ca_certificates.as_ref())?)
            }
        };
        Ok(Self { composer: Composer::new(destination, config)?, carrier })
    }
}

#[async_trait]
impl Channel for EmailChannel {
    fn check(&self, event_types: &[&str]) -> Vec<CheckFailure> {
        self.composer.check(event_types)
    }

    fn unknown_paths(&self, event_types: &[&str]) -> Vec<String> {
        self.composer.unknown_paths(event_types)
    }

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
