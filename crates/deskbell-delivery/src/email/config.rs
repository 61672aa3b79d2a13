//! `type = "email"`.

use deskbell_config::{Fault, HttpUrl, SecretText, SmtpUrl, Step, TemplateText};
use deskbell_store::deliveries::StartFrom;
use serde::{Deserialize, Serialize};

use crate::ca_certificates::CaCertificates;

/// An email. Everything that it says is a template.
///
/// Those of `from`, `to` and `reply_to` each come to an address (`ada@example.com`, or
/// `Ada <ada@example.com>`), to several with commas between them, or to none. Only the template can
/// put commas there: one in somebody's name parts nothing. A name with a comma is between quotes, or
/// before its address: `Acme, Inc. <hello@acme.example>`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct EmailConfig {
    /// Who carries it.
    pub provider: EmailProvider,
    /// Resend's API key, `re_…`; it never shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SecretText>,
    /// Where Resend's API is. Default: `None`, which is Resend's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<HttpUrl>,
    /// The proxy to go through to Resend, `http://USER:PASSWORD@HOST:PORT`. Default: `None`, and the
    /// environment's (`HTTP_PROXY`) is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<HttpUrl>,
    /// The mail server: `smtp://user:password@host:587` for STARTTLS, which the server then must
    /// offer; `smtps://…` for TLS from the start; `smtp://localhost:1025?tls=none` without. The user
    /// and password are percent-encoded. Default ports: 587, 465 and 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<SmtpUrl>,
    /// A PEM file of certificate authorities to trust beside the well-known ones for the mail server;
    /// a path relative to the config file. Default: `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificates: Option<CaCertificates>,
    /// What the keys that are not set are taken from. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<EmailPreset>,
    /// The sender: one address.
    pub from: String,
    /// The recipients. An event for which there are none is dead-lettered. With a `preset` empty by
    /// default: the preset says who.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Where replies go. Default: to the sender.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reply_to: Vec<String>,
    /// The subject; line breaks in it become spaces. Required but with a `preset`, and where `events`
    /// is for alerts alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The body as plain text. Where a `subject` is required, at least one of `text` and `html` is too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TemplateText>,
    /// The body as HTML: values are escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<TemplateText>,
    /// Where in the log it begins when it is new. Default: `now`.
    #[serde(default)]
    pub start: StartFrom,
}

/// Who carries emails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailProvider {
    /// [Resend](https://resend.com/docs/api-reference/emails/send-email), with an `api_key`.
    Resend,
    /// The mail server at `url`.
    Smtp,
}

/// A provider with what it needs at least.
pub(super) enum Carrier<'a> {
    Resend(&'a SecretText),
    Smtp(&'a SmtpUrl),
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

fn at(key: &'static str, message: impl Into<String>) -> Fault {
    Fault::at(vec![Step::Key(key)], message)
}

fn missing(key: &'static str, help: &str) -> Fault {
    at(key, format!("the key `{key}` is missing here")).with_help(help)
}

impl EmailConfig {
    /// An email from this sender by this provider, with none of the other keys.
    #[must_use]
    pub fn new(provider: EmailProvider, from: impl Into<String>) -> Self {
        Self {
            provider,
            api_key: None,
            base_url: None,
            proxy: None,
            url: None,
            ca_certificates: None,
            preset: None,
            from: from.into(),
            to: Vec::new(),
            reply_to: Vec::new(),
            subject: None,
            text: None,
            html: None,
            start: StartFrom::default(),
        }
    }

    /// The provider with its key: it has the keys of this provider, and no others.
    pub(super) fn carrier(&self) -> Result<Carrier<'_>, Fault> {
        let Self { api_key, base_url, proxy, url, ca_certificates, .. } = self;
        let of_resend = [
            ("api_key", api_key.is_some()),
            ("base_url", base_url.is_some()),
            ("proxy", proxy.is_some()),
        ];
        let of_smtp = [("url", url.is_some()), ("ca_certificates", ca_certificates.is_some())];
        let (others, other) = match self.provider {
            EmailProvider::Resend => (&of_smtp[..], "smtp"),
            EmailProvider::Smtp => (&of_resend[..], "resend"),
        };
        if let Some((key, _)) = others.iter().find(|(_, is_set)| *is_set) {
            return Err(at(key, format!("`{key}` is a key of provider = \"{other}\"")));
        }
        match self.provider {
            EmailProvider::Resend => {
                let help = "api_key = \"env:RESEND_API_KEY\"";
                api_key.as_ref().map(Carrier::Resend).ok_or_else(|| missing("api_key", help))
            }
            EmailProvider::Smtp => {
                let help = "url = \"env:SMTP_URL\", which holds smtp://USER:PASSWORD@HOST:587";
                url.as_ref().map(Carrier::Smtp).ok_or_else(|| missing("url", help))
            }
        }
    }

    /// Whether there is all that an email needs; one for alerts alone needs no text of its own.
    pub(super) fn check(&self, is_for_alerts_alone: bool) -> Result<(), Fault> {
        self.check_sender()?;
        if self.preset.is_none() {
            if self.to.is_empty() {
                return Err(missing("to", "for example to = \"{{ user.primary_email_address }}\""));
            }
            if !is_for_alerts_alone {
                self.check_message()?;
            }
        }
        self.carrier().map(drop)
    }

    /// `from` is where a destination begins in other types, and the sender here.
    fn check_sender(&self) -> Result<(), Fault> {
        let from = self.from.trim();
        if from.contains('@') || from.contains("{{") {
            return Ok(());
        }
        let help = match from {
            "now" | "beginning" => format!(
                "here `from` is the sender; where it begins in the log is start = \"{from}\""
            ),
            _ => "write from = \"Acme <hello@acme.example>\"".to_owned(),
        };
        Err(at("from", format!("`{from}` is not an email address")).with_help(help))
    }

    /// Whether there is all that an email needs.
    fn check_message(&self) -> Result<(), Fault> {
        if self.subject.is_none() {
            return Err(missing(
                "subject",
                "for example subject = \"Welcome, {{ user.first_name }}\"",
            ));
        }
        if self.text.is_none() && self.html.is_none() {
            return Err(at("text", "set `text`, `html`, or both")
                .with_help("each is a template, or names a file: html = \"file:welcome.html\""));
        }
        Ok(())
    }

    /// As [`check_message`](Self::check_message), where it is not known whether it is for alerts alone.
    pub(super) fn check_parts(&self) -> Result<(), Fault> {
        let has_parts = self.subject.is_some() || self.text.is_some() || self.html.is_some();
        if has_parts && self.preset.is_none() { self.check_message() } else { Ok(()) }
    }
}
