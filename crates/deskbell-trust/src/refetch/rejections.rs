//! What Clerk rejects of a source, logged once for each cause.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Mutex, PoisonError};

use crate::object_pages::ReadError;

/// The causes for which Clerk rejected the last requests for objects of each entity.
#[derive(Debug, Default)]
pub(super) struct Rejections {
    by_entity: Mutex<BTreeMap<&'static str, BTreeSet<Cause>>>,
}

/// A status, and Clerk's code of the error: its message may differ for each object.
type Cause = (Option<u16>, Option<String>);

impl Rejections {
    /// Logs each cause that is new to its entity. `answers` are of requests for objects of these entities,
    /// with the error of each that was rejected. An entity whose requests are all accepted has none.
    pub(super) fn report<'a>(
        &self,
        source: &str,
        answers: impl Iterator<Item = (&'static str, Option<&'a ReadError>)>,
    ) {
        let mut now: BTreeMap<_, BTreeMap<Cause, &ReadError>> = BTreeMap::new();
        for (entity, rejection) in answers {
            let causes = now.entry(entity).or_default();
            causes.extend(rejection.map(|error| (cause(error), error)));
        }
        let mut known = self.by_entity.lock().unwrap_or_else(PoisonError::into_inner);
        for (entity, causes) in now {
            let before = known.remove(entity).unwrap_or_default();
            for (cause, error) in &causes {
                let error = *error as &dyn Error;
                if before.contains(cause) {
                    tracing::debug!(source, entity, error, "Clerk still rejects reading objects");
                } else {
                    tracing::warn!(
                        source,
                        entity,
                        error,
                        "Clerk rejects reading objects; what their events say is written"
                    );
                }
            }
            known.insert(entity, causes.into_keys().collect());
        }
    }
}

fn cause(error: &ReadError) -> Cause {
    (error.status(), error.code().map(str::to_owned))
}
