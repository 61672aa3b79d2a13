//! `Expression::check`: what an expression gives on the catalog's samples.

use std::collections::BTreeSet;

use clerk_webhooks::{Envelope, catalog};

use crate::error::EvaluationError;
use crate::expression::Expression;
use crate::value::Kind;
use crate::view::{EventParts, EventView};

/// What an expression gives on samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The kinds of its values; where it is null on every sample, the one that is declared, if any is.
    pub kinds: BTreeSet<Kind>,
    /// Where it fails: the type of the event, and why. A missing path is no failure.
    pub failures: Vec<(&'static str, EvaluationError)>,
}

impl Expression {
    /// Evaluates the expression on the samples of types of events; one without a sample is left out.
    #[must_use]
    pub fn check<S: AsRef<str>>(&self, event_types: &[S]) -> Checked {
        let mut checked = Checked::default();
        for name in event_types {
            on_sample(name.as_ref(), |event_type, view| match self.evaluate(view) {
                Ok(value) => checked.kinds.extend(value.kind()),
                Err(error) => checked.failures.push((event_type, error)),
            });
        }
        if checked.kinds.is_empty() {
            checked.kinds.extend(self.declared_kind(event_types));
        }
        checked
    }
}

/// Shows the catalog's sample of a type, as the event that it would be; `None` for a type without
/// one.
pub fn on_sample<T>(
    event_type: &str,
    see: impl FnOnce(&'static str, &EventView<'_>) -> T,
) -> Option<T> {
    let entry = catalog::find(event_type)?;
    let envelope = Envelope::parse(entry.sample.as_bytes()).ok()?;
    let subject = envelope.subject();
    let parts = EventParts {
        id: "msg_sample",
        event_type: &envelope.event_type,
        source: "clerk",
        subject: subject.as_deref(),
        occurred_at_ms: envelope.occurred_at(0).as_millis(),
        instance_id: envelope.instance_id.as_deref(),
    };
    Some(see(entry.event_type.as_str(), &EventView::of_body(parts, entry.sample.as_bytes())))
}
