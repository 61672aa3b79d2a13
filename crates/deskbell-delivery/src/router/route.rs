//! Which events a destination gets.

use std::sync::Arc;

use deskbell_config::NOTICE_SOURCE;
use deskbell_expr::EventView;
use deskbell_store::{Origin, StoredEvent};

use crate::filter::{Decision, Filter};

/// A destination, and which events it takes.
#[derive(Debug, Clone)]
pub struct Route {
    pub destination: Arc<str>,
    pub filter: Filter,
    /// Whether it gets the engine's own notices, whatever its filter.
    pub takes_notices: bool,
    /// Whether it gets messages that were made through the admin API, where its filter takes them.
    pub takes_api_messages: bool,
}

impl Route {
    #[must_use]
    pub fn decide(&self, event: &StoredEvent, view: &EventView<'_>) -> Decision {
        if event.is_pruned() {
            return Decision::Ignore("its payload was pruned".to_owned());
        }
        if event.origin == Origin::Api {
            if self.takes_api_messages {
                return self.filter.decide(event, view);
            }
            return Decision::Ignore("it was made through the API, not sent by Clerk".to_owned());
        }
        if !event.origin.is_message() {
            return Decision::Ignore("it was made for chosen destinations".to_owned());
        }
        if *event.source != *NOTICE_SOURCE {
            return self.filter.decide(event, view);
        }
        // An alert about a destination that fails does not reach it.
        let is_about_it = event.subject.as_deref() == Some(&*self.destination);
        if self.takes_notices && !is_about_it {
            return Decision::Deliver;
        }
        Decision::Ignore("it takes no alerts, or the alert is about it".to_owned())
    }
}
