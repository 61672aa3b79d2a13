//! The emails that Clerk leaves to us to send: `email.created` with `delivered_by_clerk: false`.

use super::{EmailOptions, EmailProvider};
use crate::template::TemplateText;

impl EmailOptions {
    /// The type of the events that carry Clerk's own emails: a destination must name it.
    pub const CLERK_EVENTS: &'static [&'static str] = &["email.created"];
    /// The condition by which a destination takes those that Clerk does not send itself.
    pub const CLERK_WHEN: &'static str = "data.delivered_by_clerk == false";

    /// Sends Clerk's own emails as Clerk composed them: its receiver, subject, HTML and text.
    #[must_use]
    pub fn clerk(provider: EmailProvider, from: TemplateText) -> Self {
        let template = |name: &str, text: &str| TemplateText::new(format!("clerk/{name}"), text);
        Self {
            provider,
            from,
            to: vec![template("to", "{{ data.to_email_address }}")],
            reply_to: Vec::new(),
            subject: Some(template("subject", "{{ data.subject }}")),
            text: Some(template("text", "{{ data.body_plain }}")),
            // It is HTML already, and comes from Clerk under its signature.
            html: Some(template("html", "{{ data.body | safe }}")),
            only_left_by_clerk: true,
        }
    }
}
