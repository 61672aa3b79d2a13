//! Decides which destinations get which events of a batch, and why the others do not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deskbell_config::NOTICE_SOURCE;
use deskbell_expr::EventView;
use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{DeliveryKey, FilteredOut, NewDelivery};
use deskbell_store::{Origin, Seq, StoredEvent};

use super::Route;
use crate::filter::{Decision, view};

/// After this time a batch ends with the current event and is committed, so that events with expensive
/// conditions delay the others by no more. It is checked between events.
const BATCH_TIME_MAX: Duration = Duration::from_millis(250);
/// A condition that takes longer is logged and counted. The limit is one of work, not of time: a slow
/// machine changes no decision.
const SLOW_EVALUATION: Duration = Duration::from_millis(50);

const SLOW: &str = "deskbell_filter_slow_total";
const FAILURES: &str = "deskbell_filter_failures_total";

pub(super) struct Decided {
    /// How many of the events were decided, from the first; at least one.
    pub(super) count: usize,
    pub(super) deliveries: Vec<NewDelivery>,
    pub(super) filtered_out: Vec<(Seq, Vec<FilteredOut>)>,
}

/// Decides events until the time is up.
pub(super) fn decide(routes: &[&Route], events: &[StoredEvent]) -> Decided {
    let started = Instant::now();
    let mut decided = Decided { count: 0, deliveries: Vec::new(), filtered_out: Vec::new() };
    for event in events {
        decided.add(routes, event);
        if started.elapsed() > BATCH_TIME_MAX {
            break;
        }
    }
    decided
}

impl Decided {
    fn add(&mut self, routes: &[&Route], event: &StoredEvent) {
        self.count += 1;
        let deliveries_before = self.deliveries.len();
        let (mut ignored, mut unjudged) = (Vec::new(), Vec::new());
        let view = view(event);
        for route in routes {
            let destination = Arc::clone(&route.destination);
            match timed(route, event, &view) {
                Decision::Deliver => self.deliveries.push(NewDelivery {
                    key: DeliveryKey { destination, seq: event.seq },
                    subject: event.subject.clone(),
                }),
                Decision::Ignore(reason) => ignored.push(FilteredOut { destination, reason }),
                Decision::Unjudged(reason) => {
                    metrics::counter!(FAILURES, "destination" => destination.to_string())
                        .increment(1);
                    unjudged.push(FilteredOut { destination, reason });
                }
            }
        }
        let is_wanted = self.deliveries.len() > deliveries_before;
        let is_routed = event.origin.is_message() || event.origin == Origin::Api;
        let is_sent_to_all = is_routed && *event.source != *NOTICE_SOURCE;
        if !is_wanted && is_sent_to_all {
            ignored.append(&mut unjudged);
            self.filtered_out.push((event.seq, ignored));
        } else if !unjudged.is_empty() {
            // Others take it; that it could not be decided here is kept all the same.
            self.filtered_out.push((event.seq, unjudged));
        }
    }
}

fn timed(route: &Route, event: &StoredEvent, view: &EventView<'_>) -> Decision {
    if route.filter.when.is_none() {
        return route.decide(event, view);
    }
    let started = Instant::now();
    let decision = route.decide(event, view);
    let took = started.elapsed();
    if took > SLOW_EVALUATION {
        let destination = route.destination.to_string();
        tracing::warn!(
            event.id = event.message_id,
            destination,
            duration_ms = whole_ms(took),
            "`when` took long to evaluate"
        );
        metrics::counter!(SLOW, "destination" => destination).increment(1);
    }
    decision
}

#[cfg(test)]
mod tests {
    use deskbell_expr::Expression;
    use serde_json::json;

    use super::*;
    use crate::filter::Filter;

    fn event(seq: i64, elements: usize) -> StoredEvent {
        let data = json!({ "l": vec![1; elements] });
        testkit::event(&format!("msg_{seq}"), "user.updated").data(&data).stored(seq)
    }

    fn route(condition: &str) -> Route {
        let when = Some(Expression::compile(condition).unwrap());
        let filter = Filter { when, ..Filter::default() };
        Route { destination: "crm".into(), filter, takes_notices: false, takes_api_messages: false }
    }

    #[test]
    fn a_batch_of_expensive_events_is_cut_short() {
        let route = route("data.l.all(x, x == 1)");
        let events: Vec<_> = (1..=1_000).map(|seq| event(seq, 10_000)).collect();
        let decided = decide(&[&route], &events);
        assert!((1..1_000).contains(&decided.count), "{}", decided.count);
        assert_eq!(decided.deliveries.len(), decided.count);
        let cheap: Vec<_> = (1..=200).map(|seq| event(seq, 1)).collect();
        assert_eq!(decide(&[&route], &cheap).count, 200);
    }

    #[test]
    fn why_an_event_could_not_be_judged_is_kept_where_others_want_it() {
        let (failing, wanting) = (route("data.l[0].startsWith('x')"), route("data.l[0] == 1"));
        let decided = decide(&[&failing, &wanting], &[event(1, 1)]);
        assert_eq!(decided.deliveries.len(), 1);
        let [(seq, filtered_out)] = decided.filtered_out.as_slice() else {
            panic!("nothing was kept")
        };
        assert_eq!((*seq, filtered_out.len()), (Seq::new(1), 1));
        assert!(filtered_out[0].reason.contains("failed"), "{}", filtered_out[0].reason);
        let decided = decide(&[&route("data.l[0] == 2"), &wanting], &[event(1, 1)]);
        assert!(decided.filtered_out.is_empty(), "what is false is not kept where others want it");
    }
}
