//! What became of an event at a destination with a queue.

use deskbell_config::NOTICE_SOURCE;
use deskbell_store::deliveries::DeliveryState;
use deskbell_store::{Outcome, OutcomeKind, Seq, StoredEvent};

use crate::filter::{Decision, view};
use crate::router::Route;

/// Why there is no delivery of an event that the destination wants now.
const CAME_BEFORE: &str =
    "it arrived before the destination was added, or before its filter matched";

/// What the store has about an event at a destination.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoredOutcome<'a> {
    pub delivery: Option<&'a DeliveryState>,
    /// Why the router made no delivery, if that was kept.
    pub filtered_out: Option<&'a str>,
    /// The destination's checkpoint; `None` if it was never started.
    pub routed: Option<Seq>,
}

/// What became of this event at a destination. `route` is `None` if the destination is no longer in
/// the config.
#[must_use]
pub fn event_outcome(
    event: &StoredEvent,
    route: Option<&Route>,
    stored: &StoredOutcome<'_>,
) -> Outcome {
    if let Some(delivery) = stored.delivery {
        return of_delivery(delivery);
    }
    if let Some(reason) = stored.filtered_out {
        return Outcome::new(OutcomeKind::Filtered, reason);
    }
    let Some(routed) = stored.routed else {
        return Outcome::new(OutcomeKind::Pending, "the destination was never started");
    };
    if event.seq > routed {
        return Outcome::new(OutcomeKind::Pending, "it has not been routed yet");
    }
    let reason =
        route.and_then(|route| why_not(event, route)).unwrap_or_else(|| CAME_BEFORE.to_owned());
    Outcome::new(OutcomeKind::Filtered, reason)
}

/// Why the destination does not take the event, as far as that is still known.
fn why_not(event: &StoredEvent, route: &Route) -> Option<String> {
    if event.is_pruned() && *event.source != *NOTICE_SOURCE {
        return match route.filter.condition(event) {
            Err(reason) => Some(reason),
            Ok(Some(when)) => Some(format!(
                "its payload was pruned, so the result of `{}` is no longer known",
                when.text()
            )),
            Ok(None) => None,
        };
    }
    match route.decide(event, &view(event)) {
        Decision::Ignore(reason) | Decision::Unjudged(reason) => Some(reason),
        Decision::Deliver => None,
    }
}

fn of_delivery(delivery: &DeliveryState) -> Outcome {
    match delivery {
        DeliveryState::Pending { due_at_ms: due_at_ms @ Some(_) } => {
            Outcome::from(OutcomeKind::Pending).at(*due_at_ms)
        }
        DeliveryState::Pending { due_at_ms: None } => {
            Outcome::new(OutcomeKind::Pending, "it waits for an earlier one about the same subject")
        }
        DeliveryState::Delivered { at_ms } => {
            Outcome::from(OutcomeKind::Delivered).at(Some(*at_ms))
        }
        DeliveryState::DeadLettered { at_ms, reason } => {
            Outcome::new(OutcomeKind::DeadLettered, &**reason).at(Some(*at_ms))
        }
    }
}

#[cfg(test)]
mod tests {
    use deskbell_expr::Expression;
    use serde_json::json;

    use super::*;
    use crate::filter::Filter;

    fn event(seq: i64) -> StoredEvent {
        testkit::event("msg_1", "user.created").data(&json!({ "id": "user_1" })).stored(seq)
    }

    fn route(events: &str) -> Route {
        let filter = Filter { events: Some(vec![events.to_owned()]), ..Filter::default() };
        Route { destination: "crm".into(), filter, takes_notices: false, takes_api_messages: false }
    }

    fn outcome(seq: i64, events: &str, stored: StoredOutcome<'_>) -> (OutcomeKind, Option<i64>) {
        let outcome = event_outcome(&event(seq), Some(&route(events)), &stored);
        (outcome.kind, outcome.at_ms)
    }

    #[test]
    fn a_delivery_tells_where_there_is_one() {
        let reason = "gone".to_owned();
        for (delivery, wanted) in [
            (DeliveryState::Pending { due_at_ms: Some(5) }, (OutcomeKind::Pending, Some(5))),
            (DeliveryState::Pending { due_at_ms: None }, (OutcomeKind::Pending, None)),
            (DeliveryState::Delivered { at_ms: 5 }, (OutcomeKind::Delivered, Some(5))),
            (
                DeliveryState::DeadLettered { at_ms: 5, reason },
                (OutcomeKind::DeadLettered, Some(5)),
            ),
        ] {
            let stored = StoredOutcome { delivery: Some(&delivery), ..StoredOutcome::default() };
            assert_eq!(outcome(1, "organization.*", stored), wanted, "whatever the filter");
        }
    }

    #[test]
    fn without_one_the_router_and_the_filter_tell() {
        let routed = StoredOutcome { routed: Some(Seq::new(3)), ..StoredOutcome::default() };
        let (filtered, pending) = ((OutcomeKind::Filtered, None), (OutcomeKind::Pending, None));
        assert_eq!(outcome(1, "user.*", StoredOutcome::default()), pending, "never started");
        assert_eq!(outcome(4, "organization.*", routed), pending, "not routed yet");
        assert_eq!(outcome(3, "organization.*", routed), filtered);
        assert_eq!(outcome(3, "user.*", routed), filtered, "it arrived before the destination");
        let kept = StoredOutcome { filtered_out: Some("it was so"), ..routed };
        let kept = event_outcome(&event(3), Some(&route("user.*")), &kept);
        assert_eq!(kept.reason.as_deref(), Some("it was so"));
        let reason = event_outcome(&event(3), Some(&route("organization.*")), &routed).reason;
        assert_eq!(reason.as_deref(), Some("`events` does not include user.created"));
    }

    #[test]
    fn where_the_payload_is_gone_only_what_it_does_not_say_is_told() {
        let routed = StoredOutcome { routed: Some(Seq::new(3)), ..StoredOutcome::default() };
        let mut pruned = event(3);
        pruned.payload = Default::default();
        let reason = |events: &str, when: Option<&str>| {
            let mut route = route(events);
            route.filter.when = when.map(|text| Expression::compile(text).unwrap());
            event_outcome(&pruned, Some(&route), &routed).reason.unwrap()
        };
        let condition = Some("data.id == 'user_1'");
        assert_eq!(reason("organization.*", condition), "`events` does not include user.created");
        assert_eq!(
            reason("user.*", condition),
            "its payload was pruned, so the result of `data.id == 'user_1'` is no longer known"
        );
        assert_eq!(reason("user.*", None), CAME_BEFORE);
    }
}
