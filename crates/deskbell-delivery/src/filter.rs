//! Which events a destination takes, and why not the others.

use deskbell_config::{ONE_TIME_CODES, takes_type};
use deskbell_expr::{Condition, EventParts, EventView, Expression};
use deskbell_store::StoredEvent;

#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The names of the sources whose events it takes; `None` for all.
    pub sources: Option<Vec<String>>,
    /// Types, or patterns such as `user.*`; `None` for all but [`ONE_TIME_CODES`].
    pub events: Option<Vec<String>>,
    pub when: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Deliver,
    /// With the reason.
    Ignore(String),
    /// The condition failed on the event, or needs more work than is allowed. The event is not
    /// delivered.
    Unjudged(String),
}

impl Filter {
    #[must_use]
    pub fn decide(&self, event: &StoredEvent, view: &EventView<'_>) -> Decision {
        match self.condition(event) {
            Err(reason) => Decision::Ignore(reason),
            Ok(None) => Decision::Deliver,
            Ok(Some(when)) => judge(when, view),
        }
    }

    /// The condition that decides about this event, if there is one; or why the destination does not
    /// take it, whatever its payload is.
    pub(crate) fn condition(&self, event: &StoredEvent) -> Result<Option<&Expression>, String> {
        if let Some(sources) = &self.sources
            && !sources.iter().any(|source| **source == *event.source)
        {
            return Err(format!("`sources` does not include {}", event.source));
        }
        if !self.takes_type(&event.event_type) {
            return Err(self.why_not_type(&event.event_type));
        }
        Ok(self.when.as_ref())
    }

    fn takes_type(&self, event_type: &str) -> bool {
        match &self.events {
            None => !ONE_TIME_CODES.contains(&event_type),
            Some(events) => takes_type(events, event_type),
        }
    }

    fn why_not_type(&self, event_type: &str) -> String {
        if ONE_TIME_CODES.contains(&event_type) {
            return format!(
                "{event_type} carries one-time codes and is sent only if `events` names it"
            );
        }
        format!("`events` does not include {event_type}")
    }
}

fn judge(when: &Expression, view: &EventView<'_>) -> Decision {
    match when.holds(view) {
        Ok(Condition::True) => Decision::Deliver,
        Ok(Condition::False { missing: None }) => {
            Decision::Ignore(format!("`{}` is false", when.text()))
        }
        Ok(Condition::False { missing: Some(path) }) => {
            Decision::Ignore(format!("`{}` is false: {path} is missing", when.text()))
        }
        Err(error) => Decision::Unjudged(format!("`{}` failed: {error}", when.text())),
    }
}

/// The event as expressions and templates see it.
#[must_use]
pub fn view(event: &StoredEvent) -> EventView<'_> {
    let parts = EventParts {
        id: &event.message_id,
        event_type: &event.event_type,
        source: &event.source,
        subject: event.subject.as_deref(),
        occurred_at_ms: event.occurred_at_ms,
        instance_id: event.instance_id.as_deref(),
    };
    EventView::of_body(parts, &event.payload)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decide(filter: &Filter, event_type: &str) -> Decision {
        let data = json!({ "id": "user_1", "public_metadata": { "plan": "pro" } });
        let event = testkit::event("msg_1", event_type).data(&data).stored(1);
        filter.decide(&event, &view(&event))
    }

    fn of_events(events: &[&str]) -> Filter {
        let events = events.iter().map(|&name| name.to_owned()).collect();
        Filter { events: Some(events), ..Filter::default() }
    }

    #[test]
    fn types_and_patterns() {
        for (events, event_type, wanted) in [
            (&["user.created"][..], "user.created", true),
            (&["user.created"], "user.created.twice", false),
            (&["user.*"], "user.deleted", true),
            (&["user.*"], "username.changed", false),
            (&["organization.created", "user.*"], "user.created", true),
            (&["*"], "anything.at.all", true),
            (&["*"], "email.created", false),
            (&["email.*"], "email.created", false),
            (&["sms*"], "sms.created", false),
            (&["email.created"], "email.created", true),
            (&[], "user.created", false),
        ] {
            let deliver = decide(&of_events(events), event_type) == Decision::Deliver;
            assert_eq!(deliver, wanted, "{events:?} and {event_type}");
        }
    }

    #[test]
    fn all_but_one_time_codes_is_the_default() {
        let default = |event_type| decide(&Filter::default(), event_type);
        assert_eq!(default("user.created"), Decision::Deliver);
        assert_eq!(default("some.future.type"), Decision::Deliver);
        for event_type in ONE_TIME_CODES {
            assert!(
                matches!(default(event_type), Decision::Ignore(why) if why.contains("one-time"))
            );
        }
    }

    #[test]
    fn a_reason_is_given() {
        let when = |text: &str| {
            let when = Expression::compile(text).ok();
            decide(&Filter { when, ..Filter::default() }, "user.created")
        };
        assert_eq!(when("data.public_metadata.plan == 'pro'"), Decision::Deliver);
        for (text, said) in [
            ("data.public_metadata.plan == 'free'", "is false"),
            ("data.public_metadata.tier == 'pro'", "data.public_metadata.tier is missing"),
        ] {
            let Decision::Ignore(why) = when(text) else { panic!("{text} holds") };
            assert!(why.contains(said), "{why}");
        }
        let Decision::Unjudged(why) = when("data.public_metadata.plan") else {
            panic!("it is judged")
        };
        assert!(why.contains("failed"), "{why}");
        let other = Filter { sources: Some(vec!["other".into()]), ..Filter::default() };
        assert!(
            matches!(decide(&other, "user.created"), Decision::Ignore(why) if why.contains("clerk"))
        );
        assert!(matches!(decide(&of_events(&["a.*"]), "user.created"), Decision::Ignore(_)));
    }
}
