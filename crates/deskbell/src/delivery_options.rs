//! From a destination as the config has it to its channel.

use std::sync::Arc;

use deskbell_delivery::{
    Channel, ChannelConfig, DeliveryConfig, EmailChannel, EmailOptions, EmailOptionsError,
    EmailProvider, LoopsChannel, LoopsError, SlackChannel, SlackError, TemplateText,
};

use crate::config::event_types;
use crate::config::{self, DestinationConfig, DestinationKind, EmailConfig, EmailPreset};

/// A channel that cannot be made of the config.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// An `http` destination.
    #[error(transparent)]
    Http(#[from] deskbell_delivery::ChannelError),
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
        DestinationKind::Http(http) => made(http.channel(name)?, Vec::new()),
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
