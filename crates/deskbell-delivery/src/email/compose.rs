//! An email, composed from an event or a notice.

use deskbell_config::TemplateText;
use deskbell_expr::EventView;
use lettre::message::Mailbox;

use super::address::{self, BadAddresses};
use super::config::{EmailConfig, EmailPreset};
use crate::channel::ChannelError;
use crate::notice::Notice;
use crate::template::{CheckFailure, Escape, Template, TemplateError};
use crate::words::one_line;

/// Receivers of one email: what Resend takes.
const RECEIVERS_MAX: usize = 50;
/// The longest subject, in characters; a longer one is cut.
const SUBJECT_CHARS_MAX: usize = 500;

/// An email that is ready to go.
#[derive(Debug)]
pub(super) struct Email {
    pub(super) from: Mailbox,
    pub(super) to: Vec<Mailbox>,
    pub(super) reply_to: Vec<Mailbox>,
    pub(super) subject: String,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
}

/// The templates of an email.
#[derive(Debug)]
pub(super) struct Composer {
    from: Template,
    to: Vec<Template>,
    reply_to: Vec<Template>,
    /// `None` where only alerts are carried.
    subject: Option<Template>,
    text: Option<Template>,
    html: Option<Template>,
    only_left_by_clerk: bool,
}

impl Composer {
    pub(super) fn new(destination: &str, config: &EmailConfig) -> Result<Self, ChannelError> {
        config.check_parts()?;
        let composer = match config.preset {
            Some(EmailPreset::Clerk) => Self::clerk(destination, &config.from)?,
            None => Self::of_keys(destination, config)?,
        };
        composer.check_fixed_addresses()?;
        Ok(composer)
    }

    fn of_keys(destination: &str, config: &EmailConfig) -> Result<Self, TemplateError> {
        let named = |key: &str, text: &str, escape| {
            Template::compile(format!("{destination}/{key}"), text, escape)
        };
        let all = |key, texts: &[String]| {
            texts.iter().map(|text| named(key, text, Escape::Address)).collect::<Result<_, _>>()
        };
        let body = |key, text: &Option<TemplateText>, escape| {
            let text = text.as_ref();
            text.map(|text| Template::of_key(destination, key, text, escape)).transpose()
        };
        let subject = config.subject.as_ref();
        Ok(Self {
            from: named("from", &config.from, Escape::Address)?,
            to: all("to", &config.to)?,
            reply_to: all("reply_to", &config.reply_to)?,
            subject: subject.map(|text| named("subject", text, Escape::Text)).transpose()?,
            text: body("text", &config.text, Escape::Text)?,
            html: body("html", &config.html, Escape::Html)?,
            only_left_by_clerk: false,
        })
    }

    /// Clerk's own emails as Clerk composed them: its receiver, subject, HTML and text.
    fn clerk(destination: &str, from: &str) -> Result<Self, TemplateError> {
        let clerks =
            |key: &str, text, escape| Template::compile(format!("clerk/{key}"), text, escape);
        Ok(Self {
            from: Template::compile(format!("{destination}/from"), from, Escape::Address)?,
            to: vec![clerks("to", "{{ data.to_email_address }}", Escape::Address)?],
            reply_to: Vec::new(),
            subject: Some(clerks("subject", "{{ data.subject }}", Escape::Text)?),
            text: Some(clerks("text", "{{ data.body_plain }}", Escape::Text)?),
            // It is HTML already, and comes from Clerk under its signature.
            html: Some(clerks("html", "{{ data.body | safe }}", Escape::Html)?),
            only_left_by_clerk: true,
        })
    }

    pub(super) fn check(&self, event_types: &[&str]) -> Vec<CheckFailure> {
        let failures = self.templates().flat_map(|template| template.check(event_types));
        failures.chain(self.check_addresses(event_types)).collect()
    }

    /// Addresses that come from no event are judged at once.
    fn check_fixed_addresses(&self) -> Result<(), String> {
        for (template, is_one) in self.addresses().filter(|(template, _)| template.is_fixed()) {
            let Ok(rendered) = template.render(None) else { continue };
            judged(template.name(), &rendered, is_one)?;
        }
        Ok(())
    }

    /// What the samples of these types come to, where that is no address. One that comes to nothing says
    /// nothing: the address may stand in metadata, which samples do not have.
    fn check_addresses(&self, event_types: &[&str]) -> Vec<CheckFailure> {
        let mut failures = Vec::new();
        for (template, is_one) in self.addresses() {
            failures.extend(CheckFailure::all(event_types, |sample| {
                let rendered = template.render_sample(sample).ok()?;
                let is_empty = rendered.trim().is_empty();
                if is_empty { None } else { judged(template.name(), &rendered, is_one).err() }
            }));
        }
        failures
    }

    /// The templates of addresses, and whether each must come to one.
    fn addresses(&self) -> impl Iterator<Item = (&Template, bool)> {
        let several = self.to.iter().chain(&self.reply_to);
        [(&self.from, true)].into_iter().chain(several.map(|template| (template, false)))
    }

    pub(super) fn unknown_paths(&self, event_types: &[&str]) -> Vec<String> {
        self.templates().flat_map(|template| template.unknown_paths(event_types)).collect()
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let addresses = [&self.from].into_iter().chain(&self.to).chain(&self.reply_to);
        addresses.chain(&self.subject).chain(&self.text).chain(&self.html)
    }

    /// The email for an event, or why there can be none.
    pub(super) fn email(&self, view: &EventView<'_>) -> Result<Email, String> {
        let subject = self.subject.as_ref().ok_or("this destination takes only alerts")?;
        if self.only_left_by_clerk {
            left_by_clerk(view)?;
        }
        let view = Some(view);
        let to = addresses(&self.to, view)?;
        if to.is_empty() {
            return Err("no recipient: `to` is empty for this event".to_owned());
        }
        let body = |template: &Option<Template>| {
            let rendered = template.as_ref().map(|template| template.render(view)).transpose();
            let rendered = rendered.map_err(|error| error.to_string())?;
            Ok::<_, String>(rendered.filter(|text| !text.trim().is_empty()))
        };
        let (text, html) = (body(&self.text)?, body(&self.html)?);
        if text.is_none() && html.is_none() {
            return Err("the email's body is empty".to_owned());
        }
        Ok(Email {
            from: self.sender(view)?,
            to: not_too_many(to)?,
            reply_to: addresses(&self.reply_to, view)?,
            subject: header_text(&subject.render(view).map_err(|error| error.to_string())?),
            text,
            html,
        })
    }

    /// The email for a notice, in built-in words: it has no user, so that `from` and one of `to`
    /// must hold without an event.
    pub(super) fn notice(&self, notice: &Notice) -> Result<Email, String> {
        let to = self.to.iter().filter_map(|template| addresses([template], None).ok());
        let to: Vec<_> = to.flatten().collect();
        if to.is_empty() {
            let reason = "an alert requires an address in `to` that does not depend on an event";
            return Err(reason.to_owned());
        }
        Ok(Email {
            from: self.sender(None)?,
            to: not_too_many(to)?,
            reply_to: Vec::new(),
            subject: header_text(&format!("Deskbell: {}", notice.subject)),
            text: Some(format!("{}\n\n{}\n", notice.subject, notice.text)),
            html: None,
        })
    }

    fn sender(&self, view: Option<&EventView<'_>>) -> Result<Mailbox, String> {
        let mut from = addresses([&self.from], view)?;
        match (from.pop(), from.len()) {
            (Some(sender), 0) => Ok(sender),
            _ => Err("expected one address in `from`".to_owned()),
        }
    }
}

/// Whether the config's own text, or a sample, comes to addresses; what is wrong, with the text.
fn judged(name: &str, rendered: &str, is_one: bool) -> Result<(), String> {
    let expected = if is_one { "one address" } else { "addresses" };
    match address::list(rendered) {
        Ok(list) if !is_one || list.len() == 1 => Ok(()),
        _ => Err(format!(
            "`{name}`: expected {expected}, such as \"Acme, Inc.\" <hello@acme.example>, found `{rendered}`"
        )),
    }
}

/// What templates come to, as addresses.
fn addresses<'a>(
    templates: impl IntoIterator<Item = &'a Template>,
    view: Option<&EventView<'_>>,
) -> Result<Vec<Mailbox>, String> {
    let mut mailboxes = Vec::new();
    for template in templates {
        let rendered = template.render(view).map_err(|error| error.to_string())?;
        let list = address::list(&rendered).map_err(|BadAddresses { bad }| {
            format!("`{}` contains {bad} invalid email address(es)", template.name())
        })?;
        mailboxes.extend(list);
    }
    Ok(mailboxes)
}

fn not_too_many(to: Vec<Mailbox>) -> Result<Vec<Mailbox>, String> {
    if to.len() > RECEIVERS_MAX {
        return Err(format!("{} recipients are more than {RECEIVERS_MAX}", to.len()));
    }
    Ok(to)
}

/// Whether an event is an email that Clerk leaves to us.
fn left_by_clerk(view: &EventView<'_>) -> Result<(), String> {
    let data = view.root("data");
    let sent_by_clerk = data.as_ref().and_then(|data| data.get("delivered_by_clerk")?.as_bool());
    match sent_by_clerk {
        Some(false) => Ok(()),
        Some(true) => Err("Clerk sent this email itself".to_owned()),
        None => Err("not one of Clerk's emails: `delivered_by_clerk` is missing".to_owned()),
    }
}

/// A header's text: one line, without control characters.
fn header_text(text: &str) -> String {
    let spaced = one_line(text);
    let words: Vec<_> = spaced.split_whitespace().collect();
    words.join(" ").chars().take(SUBJECT_CHARS_MAX).collect()
}
