//! `type = "email"`: an email through Resend or a mail server.

use deskbell_config::{Node, ReadError};
use deskbell_delivery::DeliveryConfig;
use serde::{Deserialize, Serialize, Serializer};

use crate::config::{HttpUrl, SecretText, SmtpUrl, TemplateText};

/// An email. What it says are templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailConfig {
    /// Who carries it.
    pub provider: EmailProvider,
    /// The sender, such as `Acme <hello@acme.example>`; a template.
    pub from: String,
    /// The recipients; each a template that gives one address, or none. With a `preset` empty by
    /// default: the preset says who.
    pub to: Vec<String>,
    /// Where replies go; each a template. Default: to the sender.
    pub reply_to: Vec<String>,
    /// The subject; a template. `None` with a `preset`, and where `events` is empty.
    pub subject: Option<String>,
    /// The body as plain text. At least one of `text` and `html` is there, except as `subject` is
    /// not.
    pub text: Option<TemplateText>,
    /// The body as HTML.
    pub html: Option<TemplateText>,
    /// What the keys that are not there are taken from. Default: nothing.
    pub preset: Option<EmailPreset>,
}

/// Who carries emails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailProvider {
    /// `provider = "resend"`.
    Resend {
        /// The API key, `re_…`; it never shows.
        api_key: SecretText,
        /// Where its API is. Default: `None`, which is Resend's own address.
        base_url: Option<HttpUrl>,
        /// The proxy to go through, `http://USER:PASSWORD@HOST:PORT`. Default: `None`, and the
        /// environment's (`HTTP_PROXY`) is not used.
        proxy: Option<HttpUrl>,
    },
    /// `provider = "smtp"`.
    Smtp {
        /// The mail server.
        url: SmtpUrl,
    },
}

/// Emails that are known whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailPreset {
    /// Clerk's own emails, for those who send them themselves: recipient, subject and body are the
    /// event's. `events` is `["email.created"]` by default, and `when` is
    /// `data.delivered_by_clerk == false`.
    Clerk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum ProviderName {
    Resend,
    Smtp,
}

/// The keys as they stand in the file.
#[derive(Deserialize, Serialize)]
pub(super) struct EmailKeys {
    provider: ProviderName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key: Option<SecretText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base_url: Option<HttpUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proxy: Option<HttpUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<SmtpUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preset: Option<EmailPreset>,
    from: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reply_to: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<TemplateText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    html: Option<TemplateText>,
}

impl EmailConfig {
    /// Reads the keys of this type; the preset fills in those of the delivery.
    pub(super) fn read(node: Node<'_>, delivery: &mut DeliveryConfig) -> Result<Self, ReadError> {
        let keys = EmailKeys::deserialize(node)?;
        check_sender(node, &keys)?;
        match keys.preset {
            Some(EmailPreset::Clerk) => {
                delivery.events.get_or_insert_with(|| vec!["email.created".to_owned()]);
                delivery.when.get_or_insert_with(|| "data.delivered_by_clerk == false".to_owned());
            }
            None => check_message(node, &keys, delivery)?,
        }
        let provider = provider(node, &keys)?;
        let EmailKeys { from, to, reply_to, subject, text, html, preset, .. } = keys;
        Ok(Self { provider, from, to, reply_to, subject, text, html, preset })
    }
}

impl Serialize for EmailConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (provider, api_key, base_url, proxy, url) = match self.provider.clone() {
            EmailProvider::Resend { api_key, base_url, proxy } => {
                (ProviderName::Resend, Some(api_key), base_url, proxy, None)
            }
            EmailProvider::Smtp { url } => (ProviderName::Smtp, None, None, None, Some(url)),
        };
        let Self { provider: _, from, to, reply_to, subject, text, html, preset } = self.clone();
        let keys = EmailKeys {
            provider,
            api_key,
            base_url,
            proxy,
            url,
            preset,
            from,
            to,
            reply_to,
            subject,
            text,
            html,
        };
        keys.serialize(serializer)
    }
}

/// Who carries it, with the keys of that provider and no others.
fn provider(node: Node<'_>, keys: &EmailKeys) -> Result<EmailProvider, ReadError> {
    let refuse = |key: &str, provider: &str| match node.get(key) {
        Some(value) => {
            let message = format!("`{key}` is a key of provider = \"{provider}\"");
            Err(ReadError::new(message, value.bytes()))
        }
        None => Ok(()),
    };
    let missing = |message: &str, help: &str| {
        ReadError::new(message, node.bytes()).with_help(help.to_owned())
    };
    match keys.provider {
        ProviderName::Resend => {
            refuse("url", "smtp")?;
            let api_key = keys.api_key.clone().ok_or_else(|| {
                missing("the key `api_key` is missing here", "api_key = \"env:RESEND_API_KEY\"")
            })?;
            let (base_url, proxy) = (keys.base_url.clone(), keys.proxy.clone());
            Ok(EmailProvider::Resend { api_key, base_url, proxy })
        }
        ProviderName::Smtp => {
            refuse("api_key", "resend")?;
            refuse("base_url", "resend")?;
            refuse("proxy", "resend")?;
            let url = keys.url.clone().ok_or_else(|| {
                missing(
                    "the key `url` is missing here",
                    "url = \"env:SMTP_URL\", which holds smtp://USER:PASSWORD@HOST:587",
                )
            })?;
            Ok(EmailProvider::Smtp { url })
        }
    }
}

/// `from` is where a destination begins in other types, and the sender here.
fn check_sender(node: Node<'_>, keys: &EmailKeys) -> Result<(), ReadError> {
    let from = keys.from.trim();
    if from.contains('@') || from.contains("{{") {
        return Ok(());
    }
    let bytes = node.get("from").unwrap_or(node).bytes();
    let help = match from {
        "now" | "beginning" => {
            format!("here `from` is the sender; where it begins in the log is start = \"{from}\"")
        }
        _ => "write from = \"Acme <hello@acme.example>\"".to_owned(),
    };
    Err(ReadError::new(format!("`{from}` is no address to send from"), bytes).with_help(help))
}

/// Whether there is all that an email needs. One for alerts alone needs a recipient only.
fn check_message(
    node: Node<'_>,
    keys: &EmailKeys,
    delivery: &DeliveryConfig,
) -> Result<(), ReadError> {
    let missing = |what: &str, help: &str| {
        Err(ReadError::new(what.to_owned(), node.bytes()).with_help(help.to_owned()))
    };
    let is_for_alerts = delivery.is_for_alerts_alone();
    if keys.to.is_empty() {
        return missing(
            "the key `to` is missing here",
            "for example to = \"{{ user.primary_email_address }}\"",
        );
    }
    if is_for_alerts {
        return Ok(());
    }
    if keys.subject.is_none() {
        return missing(
            "the key `subject` is missing here",
            "for example subject = \"Welcome, {{ user.first_name }}\"",
        );
    }
    if keys.text.is_none() && keys.html.is_none() {
        return missing(
            "an email needs `text` or `html`, or both",
            "each is a template, or names a file: html = \"file:welcome.html\"",
        );
    }
    Ok(())
}
