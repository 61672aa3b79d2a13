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

    /// Its paths that are missing in every sample of these types, where all of them are deletes that say
    /// little more than an id: `user.first_name` of `user.deleted`. None where another type is among them.
    #[must_use]
    pub fn absent_in_deletes<S: AsRef<str>>(&self, event_types: &[S]) -> Vec<String> {
        let mut absent: Option<Vec<String>> = None;
        for name in event_types {
            let missing = on_sample(name.as_ref(), |_, view| {
                view.is_deleted_object().then(|| self.missing_paths(view))
            });
            let Some(missing) = missing.flatten() else { return Vec::new() };
            match &mut absent {
                Some(absent) => absent.retain(|path| missing.contains(path)),
                None => absent = Some(missing),
            }
        }
        absent.unwrap_or_default()
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
