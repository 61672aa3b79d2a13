//! The form of an HTTP destination: what it shows, and what it says.

use deskbell_admin::EndpointSettings;
use maud::{Markup, html};

use crate::form;
use crate::params::Params;

/// What was wrong with what was sent: the field, and why.
pub(super) type Mistake = (String, String);

/// What the form says. What it has no field for stays as it was.
pub(super) fn read(params: &Params, before: EndpointSettings) -> Result<EndpointSettings, Mistake> {
    let events: Vec<_> = params
        .one("events")
        .unwrap_or_default()
        .split([',', ' ', '\n', '\r'])
        .filter(|event| !event.is_empty())
        .map(str::to_owned)
        .collect();
    let rate_limit = match params.one("rate_limit") {
        None => None,
        Some(text) => match text.parse() {
            Ok(rate @ 1..) => Some(rate),
            _ => {
                let message = "expected a whole number of requests a second, at least 1";
                return Err(("rate_limit".to_owned(), message.to_owned()));
            }
        },
    };
    Ok(EndpointSettings {
        url: params.owned("url").unwrap_or_default(),
        description: params.owned("description").unwrap_or_default(),
        events: (!events.is_empty()).then_some(events),
        when: params.owned("when"),
        disabled: params.one("disabled").is_some(),
        rate_limit,
        ..before
    })
}

pub(super) fn fields(settings: &EndpointSettings, mistake: Option<&Mistake>) -> Markup {
    let events = settings.events.as_deref().unwrap_or_default().join("\n");
    let rate = settings.rate_limit.map(|rate| rate.to_string());
    let wrong = |name: &str| mistake.is_some_and(|(field, _)| field == name).then_some("true");
    html! {
        @if let Some((field, message)) = mistake {
            div.notice.bad role="alert" { span { strong { (field) } ": " (message) } }
        }
        (form::field("url", "URL", "Requests go here, signed. Private addresses are refused.", &html! {
            input id="url" type="url" name="url" value=(settings.url) required placeholder="https://app.example.com/webhooks"
                aria-describedby="url-help" aria-invalid=[wrong("url")];
        }))
        (form::field("description", "Description", "", &html! {
            input id="description" type="text" name="description" value=(settings.description) maxlength="500";
        }))
        (form::field("events", "Types of event", "One a line, or patterns such as user.*; empty for all but one-time codes.", &html! {
            textarea id="events" name="events" rows="4" spellcheck="false" aria-describedby="events-help"
                aria-invalid=[wrong("events")] { (events) }
        }))
        (form::field("when", "Condition", "CEL over the event, such as data.banned == true. Empty for every event.", &html! {
            input id="when" type="text" name="when" value=[settings.when.as_deref()] spellcheck="false"
                aria-describedby="when-help" aria-invalid=[wrong("when")];
        }))
        (form::field("rate_limit", "Requests a second", "At most; empty for no limit.", &html! {
            input id="rate_limit" type="text" inputmode="numeric" name="rate_limit" value=[rate]
                aria-describedby="rate_limit-help" aria-invalid=[wrong("rate_limit")];
        }))
        div.check {
            input id="disabled" type="checkbox" name="disabled" value="1" checked[settings.disabled];
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
        let settings = read(&params, before()).unwrap();
        let events = vec!["user.*".to_owned(), "session.created".to_owned()];
        let expected = EndpointSettings {
            url: "https://a.example/x".to_owned(),
            events: Some(events),
            rate_limit: Some(5),
            ..before()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn no_types_are_all_types_and_a_wrong_rate_is_named() {
        let read_form = |text: &str| read(&Params::parse(text.as_bytes()).unwrap(), before());
        assert_eq!(read_form("url=x&events=+").unwrap().events, None);
        for wrong in ["rate_limit=0", "rate_limit=many", "rate_limit=-1"] {
            assert_eq!(read_form(wrong).unwrap_err().0, "rate_limit", "{wrong}");
        }
    }
}
