//! The form of an HTTP destination: what it shows, and what it says.

use deskbell_admin::{AdminError, EndpointSettings};
use maud::{Markup, html};

use crate::form;
use crate::params::Params;
use crate::reply::Failure;

/// What was wrong with what was sent: a field of the form, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    field: &'static str,
    message: String,
}

/// The fields, and their labels.
const LABELS: &[(&str, &str)] = &[
    ("url", "URL"),
    ("description", "Description"),
    ("events", "Types of event"),
    ("when", "Condition"),
    ("rate_limit", "Requests a second"),
    ("source", "Source"),
    ("secret", "Signing secret"),
];

impl Mistake {
    /// What can be put right in the form; anything else is no page of a form.
    pub(super) fn of(error: AdminError) -> Result<Self, Failure> {
        match error {
            AdminError::Invalid { field, message } => Ok(Self { field: own_name(field), message }),
            AdminError::Conflict(message) => Ok(Self { field: "destination", message }),
            error => Err(error.into()),
        }
    }

    fn label(&self) -> &str {
        label(self.field)
    }
}

/// The form's name of a field that Svix's API names otherwise.
fn own_name(field: &'static str) -> &'static str {
    match field {
        "eventTypes" => "events",
        "rateLimit" => "rate_limit",
        field => field,
    }
}

fn label(field: &str) -> &str {
    LABELS.iter().find(|(name, _)| *name == field).map_or(field, |(_, label)| label)
}

/// What the form's fields have: what is set, or what somebody typed, right or wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typed {
    url: String,
    description: String,
    events: String,
    when: String,
    rate_limit: String,
    disabled: bool,
}

impl From<&EndpointSettings> for Typed {
    fn from(settings: &EndpointSettings) -> Self {
        Self {
            url: settings.url.clone(),
            description: settings.description.clone(),
            events: settings.events.as_deref().unwrap_or_default().join("\n"),
            when: settings.when.clone().unwrap_or_default(),
            rate_limit: settings.rate_limit.map(|rate| rate.to_string()).unwrap_or_default(),
            disabled: settings.disabled,
        }
    }
}

impl From<&Params> for Typed {
    fn from(params: &Params) -> Self {
        let text = |name: &str| params.owned(name).unwrap_or_default();
        Self {
            url: text("url"),
            description: text("description"),
            events: text("events"),
            when: text("when"),
            rate_limit: text("rate_limit"),
            disabled: params.one("disabled").is_some(),
        }
    }
}

impl Typed {
    /// The settings. What the form has no field for stays as it was.
    pub(super) fn settings(&self, before: EndpointSettings) -> Result<EndpointSettings, Mistake> {
        let events = self.events.split([',', ' ', '\n', '\r']).filter(|event| !event.is_empty());
        let events: Vec<_> = events.map(str::to_owned).collect();
        Ok(EndpointSettings {
            url: self.url.clone(),
            description: self.description.clone(),
            events: (!events.is_empty()).then_some(events),
            when: (!self.when.is_empty()).then(|| self.when.clone()),
            disabled: self.disabled,
            rate_limit: self.rate()?,
            ..before
        })
    }

    fn rate(&self) -> Result<Option<u32>, Mistake> {
        if self.rate_limit.is_empty() {
            return Ok(None);
        }
        match self.rate_limit.parse() {
            Ok(rate @ 1..) => Ok(Some(rate)),
            _ => Err(Mistake {
                field: "rate_limit",
                message: "expected a whole number of requests a second, at least 1".to_owned(),
            }),
        }
    }
}

pub(super) fn fields(typed: &Typed, mistake: Option<&Mistake>) -> Markup {
    let wrong = |name: &str| mistake.is_some_and(|one| one.field == name).then_some("true");
    html! {
        @if let Some(mistake) = mistake {
            div.notice.bad role="alert" { span { strong { (mistake.label()) } ": " (mistake.message) } }
        }
        (form::field("url", label("url"), "Requests go here, signed. Private addresses are refused.", &html! {
            input id="url" type="url" name="url" value=(typed.url) required placeholder="https://app.example.com/webhooks"
                aria-describedby="url-help" aria-invalid=[wrong("url")];
        }))
        (form::field("description", label("description"), "", &html! {
            input id="description" type="text" name="description" value=(typed.description) maxlength="500"
                aria-invalid=[wrong("description")];
        }))
        (form::field("events", label("events"), "One a line, or patterns such as user.*; empty for all but one-time codes.", &html! {
            textarea id="events" name="events" rows="4" spellcheck="false" aria-describedby="events-help"
                aria-invalid=[wrong("events")] { (typed.events) }
        }))
        (form::field("when", label("when"), "CEL over the event, such as data.banned == true. Empty for every event.", &html! {
            input id="when" type="text" name="when" value=(typed.when) spellcheck="false"
                aria-describedby="when-help" aria-invalid=[wrong("when")];
        }))
        (form::field("rate_limit", label("rate_limit"), "At most; empty for no limit.", &html! {
            input id="rate_limit" type="text" inputmode="numeric" name="rate_limit" value=(typed.rate_limit)
                aria-describedby="rate_limit-help" aria-invalid=[wrong("rate_limit")];
        }))
        div.check {
            input id="disabled" type="checkbox" name="disabled" value="1" checked[typed.disabled];
            label for="disabled" { "Disabled: nothing is sent to it" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> EndpointSettings {
        EndpointSettings { uid: Some("crm".to_owned()), ..EndpointSettings::default() }
    }

    #[test]
    fn a_form_says_what_an_endpoint_is() {
        let params = Params::parse(
            b"url=https%3A%2F%2Fa.example%2Fx&events=user.*%0D%0Asession.created%2C&when=&rate_limit=5",
        )
        .unwrap();
        let typed = Typed::from(&params);
        let settings = typed.settings(before()).unwrap();
        let events = vec!["user.*".to_owned(), "session.created".to_owned()];
        let expected = EndpointSettings {
            url: "https://a.example/x".to_owned(),
            events: Some(events),
            rate_limit: Some(5),
            ..before()
        };
        assert_eq!(settings, expected);
        let shown = Typed::from(&settings);
        assert_eq!(shown.settings(before()), Ok(expected));
    }

    #[test]
    fn no_types_are_all_types_and_a_wrong_rate_is_named() {
        let read_form =
            |text: &str| Typed::from(&Params::parse(text.as_bytes()).unwrap()).settings(before());
        assert_eq!(read_form("url=x&events=+").unwrap().events, None);
        for wrong in ["rate_limit=0", "rate_limit=many", "rate_limit=-1"] {
            assert_eq!(read_form(wrong).unwrap_err().field, "rate_limit", "{wrong}");
        }
    }
}
