//! From a destination as the config has it to its channel.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clerk_webhooks::HeaderFamily;
use deskbell_delivery::{
    Channel, DeliveryConfig, EmailChannel, EmailOptions, EmailOptionsError, EmailProvider,
    HttpChannel, HttpChannelError, HttpOptions, LoopsChannel, LoopsError, RotatingSecret,
    SlackChannel, SlackError, TemplateText,
};
use reqwest::header::{HeaderName, HeaderValue};

use crate::config::event_types;
use crate::config::{
    self, DestinationConfig, DestinationKind, EmailConfig, EmailPreset, EndpointSecret, HttpConfig,
    SlackConfig, SlackMessage,
};

/// A channel that cannot be made of the config.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// An `http` destination.
    #[error(transparent)]
    Http(#[from] HttpChannelError),
    /// An `email` destination.
    #[error(transparent)]
    Email(#[from] EmailOptionsError),
    /// A `slack` destination.
    #[error(transparent)]
    Slack(#[from] SlackError),
    /// A `loops` destination.
    #[error(transparent)]
    Loops(#[from] LoopsError),
    /// A template that fails on a sample of an event that the destination takes.
    #[error("with a sample of {event_type}: {reason}")]
    Sample {
        /// The event's type.
        event_type: String,
        /// What fails.
        reason: String,
    },
}

/// A channel, and warnings about its templates.
pub(crate) struct MadeChannel {
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) warnings: Vec<String>,
}

/// The channel of a destination with these delivery keys; `None` where it is a database.
pub(crate) fn channel(
    destination: &DestinationConfig,
    delivery: &DeliveryConfig,
) -> Result<Option<MadeChannel>, ChannelError> {
    let name = &destination.name;
    let events = delivery.events.as_deref();
    let (types, known) = (event_types::delivered(events), event_types::known_only(events));
    let made = |channel, warnings| Some(MadeChannel { channel, warnings });
    Ok(match &destination.kind {
        DestinationKind::Database(_) => None,
        DestinationKind::Http(http) => {
            let options = http_options(http);
            options.check_localhost()?;
            made(Arc::new(HttpChannel::new(options)?), Vec::new())
        }
        DestinationKind::Email(email) => {
            let channel = EmailChannel::new(email_options(name, email))?;
            accept(channel.check(&types))?;
            let warnings = channel.unknown_paths(&known);
            made(Arc::new(channel), warnings)
        }
        DestinationKind::Slack(slack) => {
            let channel = SlackChannel::new(name, slack)?;
            accept(channel.check(&types))?;
            let warnings = channel.unknown_paths(&known);
            made(Arc::new(channel), warnings)
        }
        DestinationKind::Loops(loops) => {
            let channel = LoopsChannel::new(name, loops)?;
            accept(channel.check(&types))?;
            let warnings = channel.unknown_paths(&known);
            made(Arc::new(channel), warnings)
        }
    })
}

fn accept(failures: Vec<deskbell_delivery::CheckFailure>) -> Result<(), ChannelError> {
    match failures.into_iter().next() {
        Some(failure) => {
            Err(ChannelError::Sample { event_type: failure.event_type, reason: failure.reason })
        }
        None => Ok(()),
    }
}

fn http_options(config: &HttpConfig) -> HttpOptions {
    let header = |(name, value): &(String, config::SecretText)| {
        // Both were looked at when the config was read.
        let mut value = HeaderValue::try_from(value.expose()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    };
    HttpOptions {
        url: config.url.expose_secrets().clone(),
        secrets: config.secrets.iter().map(rotating).collect(),
        header_family: match config.header_family {
            config::HeaderFamily::Svix => HeaderFamily::Svix,
            config::HeaderFamily::Webhook => HeaderFamily::Webhook,
        },
        headers: config.headers.0.iter().filter_map(header).collect(),
        allow_private: config.allow_private,
        allow_hosts: config.allow_hosts.clone(),
        proxy: config.proxy.clone(),
        extra_authorities: Vec::new(),
    }
}

fn rotating(secret: &EndpointSecret) -> RotatingSecret {
    let until = secret.until.map(|until| -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(until.as_millis()).unwrap_or(0))
    });
    RotatingSecret { secret: secret.secret.0.clone(), until }
}

fn email_options(destination: &str, config: &EmailConfig) -> EmailOptions {
    let provider = match &config.provider {
        config::EmailProvider::Resend { api_key, base_url, proxy } => EmailProvider::Resend {
            api_key: api_key.clone(),
            base_url: base_url.clone(),
            proxy: proxy.clone(),
        },
        config::EmailProvider::Smtp { url } => {
            EmailProvider::Smtp { url: url.expose_secrets().as_str().into(), ca_certificates: None }
        }
    };
    let named = |key: &str, text: &str| TemplateText::new(format!("{destination}/{key}"), text);
    let from = named("from", &config.from);
    if config.preset == Some(EmailPreset::Clerk) {
        return EmailOptions::clerk(provider, from);
    }
    let list = |key: &str, texts: &[String]| texts.iter().map(|text| named(key, text)).collect();
    let body = |key, text: &Option<config::TemplateText>| {
        text.as_ref().map(|text| body(destination, key, text))
    };
    EmailOptions {
        provider,
        from,
        to: list("to", &config.to),
        reply_to: list("reply_to", &config.reply_to),
        subject: config.subject.as_deref().map(|text| named("subject", text)),
        text: body("text", &config.text),
        html: body("html", &config.html),
        only_left_by_clerk: false,
    }
}

/// A text that may stand in a file: mistakes are found there.
fn body(destination: &str, key: &str, template: &config::TemplateText) -> TemplateText {
    let name = match &template.file {
        Some(file) => file.display().to_string(),
        None => format!("{destination}/{key}"),
    };
    TemplateText::new(name, &*template.text)
}
