//! Email: through Resend, or through a mail server (SMTP).

use std::sync::Arc;

use async_trait::async_trait;
use deskbell_config::Fault;
use deskbell_store::deliveries::StartFrom;
use tokio::time::Instant;

use crate::api::receiver;
use crate::attempt::Attempt;
use crate::channel::{Channel, ChannelConfig, ChannelError, Delivery};
use crate::delivery_config::DeliveryConfig;
use crate::filter::view;
use crate::notice::Notice;
use crate::off_workers::off_workers;
use crate::template::CheckFailure;

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

impl ChannelConfig for EmailConfig {
    fn set_defaults(&self, delivery: &mut DeliveryConfig) {
        if self.preset == Some(EmailPreset::Clerk) {
            delivery.events.get_or_insert_with(|| vec!["email.created".to_owned()]);
            delivery.when.get_or_insert_with(|| "data.delivered_by_clerk == false".to_owned());
        }
    }

    fn validate(&self, delivery: &DeliveryConfig) -> Result<(), Fault> {
        self.check(delivery.is_for_alerts_alone())
    }

    fn start(&self) -> StartFrom {
        self.start
    }

    fn receiver(&self) -> String {
        match (&self.url, &self.base_url) {
            (Some(url), _) => receiver(url.expose_secrets()),
            (None, Some(url)) => receiver(url.expose_secrets()),
            (None, None) => "Resend".to_owned(),
        }
    }

    fn channel(&self, destination: &str) -> Result<Arc<dyn Channel>, ChannelError> {
        Ok(Arc::new(EmailChannel::new(destination, self)?))
    }
}

impl EmailChannel {
    /// Compiles the templates and sets the client up. Nothing is sent yet.
    ///
    /// # Errors
    /// What of the config cannot be used.
    pub fn new(destination: &str, config: &EmailConfig) -> Result<Self, ChannelError> {
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
