//! The delivery keys of a destination, and how its worker goes by them.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use deskbell_config::{Duration, Fault, NOTICE_TYPE, RateLimit, Step};
use deskbell_expr::{Kind, event_types, in_config};
use deskbell_store::deliveries::Ordering;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::breaker::ProbePolicy;
use crate::health::HealthPolicy;
use crate::retry::RetryPolicy;

/// The most deliveries of one destination that may be in flight at once.
const IN_FLIGHT_MAX: usize = 1024;
/// The shortest and the longest time that an attempt may be given, in seconds.
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 1..=300;

/// The keys of every destination that deliveries are made to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct DeliveryConfig {
    /// The types of event that it takes, such as `user.created` or `user.*`; an empty list for one
    /// that takes alerts alone. Default: all but `email.created` and `sms.created`, which only
    /// their literal names match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// A condition in CEL: it takes the events for which this is true. Default: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The most deliveries in flight at once, from 1 to 1024; the others wait. Default: 16.
    #[serde(deserialize_with = "in_flight")]
    pub max_in_flight: usize,
    /// The most attempts that may begin in a time; the others wait. Default: no limit; `5/s` for
    /// `loops`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// The time that an attempt is given, from `1s` to `5m`: from the connection to the last byte of
    /// the reply. Then it has failed. Default: `15s`.
    #[serde(deserialize_with = "timeout")]
    pub timeout: Duration,
    /// Whether deliveries about the same subject wait for one another. Default: `none`;
    /// `subject` for `loops`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordering: Option<Ordering>,
    /// When a delivery that failed is tried again.
    pub retry: RetryPolicy,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            events: None,
            when: None,
            max_in_flight: 16,
            rate_limit: None,
            timeout: Duration::new(StdDuration::from_secs(15)),
            ordering: None,
            retry: RetryPolicy::default(),
        }
    }
}

impl DeliveryConfig {
    /// Whether it takes alerts alone.
    #[must_use]
    pub fn is_for_alerts_alone(&self) -> bool {
        self.events.as_ref().is_some_and(|events| events.iter().all(|event| event == NOTICE_TYPE))
    }

    /// Whether events are named that there are, and the condition can be evaluated on them. A fault's
    /// path begins at the destination.
    ///
    /// # Errors
    /// The first fault; else warnings.
    pub fn validate(&self) -> Result<Vec<Fault>, Fault> {
        let mut warnings = Vec::new();
        for (number, event_type) in self.events.iter().flatten().enumerate() {
            let at = vec![Step::Key("events"), Step::Index(number)];
            event_types::check_delivered(event_type, at, &mut warnings)?;
        }
        if let Some(when) = &self.when {
            self.check_when(when, &mut warnings)?;
        }
        Ok(warnings)
    }

    /// Compiles the condition, and tries it on a sample of every type of event that it is for.
    fn check_when(&self, text: &str, warnings: &mut Vec<Fault>) -> Result<(), Fault> {
        let what = "the condition `when`";
        let at = || vec![Step::Key("when")];
        let events = self.events.as_deref();
        let known = event_types::known_only(events);
        let expression = in_config::check(what, text, &known, at(), warnings)?;
        warnings.extend(in_config::absent_root(what, &expression, &known, at()));
        let checked = expression.check(&event_types::delivered(events));
        if let Some(kind) = checked.kinds.iter().find(|kind| **kind != Kind::Bool) {
            return Err(Fault::at(at(), format!("{what} gives {kind}"))
                .with_help("it must give true or false: compare the value with another"));
        }
        match checked.failures.first() {
            Some((event_type, error)) if checked.kinds.is_empty() => {
                let message = format!("{what} fails on a sample of {event_type}");
                Err(Fault::at(at(), message).with_help(error.to_string()))
            }
            _ => Ok(()),
        }
    }
}

fn in_flight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        count @ 1..=IN_FLIGHT_MAX => Ok(count),
        count => Err(D::Error::custom(format_args!(
            "expected a number from 1 to {IN_FLIGHT_MAX}, found {count}"
        ))),
    }
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let timeout = Duration::deserialize(deserializer)?;
    let (min, max) = (*TIMEOUT_SECONDS.start(), *TIMEOUT_SECONDS.end());
    if (StdDuration::from_secs(min)..=StdDuration::from_secs(max)).contains(&timeout.0) {
        return Ok(timeout);
    }
    Err(D::Error::custom(format_args!("expected a time from {min}s to {max}s, found {timeout}")))
}

/// What a worker goes by.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    pub destination: Arc<str>,
    pub delivery: DeliveryConfig,
    /// How long attempts may go on once the program stops.
    pub grace: StdDuration,
    pub health: HealthPolicy,
    /// How it is probed while it fails.
    pub probe: ProbePolicy,
    /// How often the store is asked, whatever its hints say.
    pub poll_every: StdDuration,
}

impl WorkerOptions {
    /// The defaults, for this destination.
    #[must_use]
    pub fn new(destination: &str) -> Self {
        Self {
            destination: destination.into(),
            delivery: DeliveryConfig::default(),
            grace: StdDuration::from_secs(10),
            health: HealthPolicy::default(),
            probe: ProbePolicy::default(),
            poll_every: StdDuration::from_secs(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_alone_are_named_and_matched_by_no_pattern() {
        let is_for_alerts_alone = |events: &[&str]| {
            let events = Some(events.iter().map(|&event| event.to_owned()).collect());
            DeliveryConfig { events, ..DeliveryConfig::default() }.is_for_alerts_alone()
        };
        assert!(is_for_alerts_alone(&[NOTICE_TYPE]) && is_for_alerts_alone(&[]));
        assert!(!is_for_alerts_alone(&["user.*", NOTICE_TYPE]) && !is_for_alerts_alone(&["*"]));
        assert!(!DeliveryConfig::default().is_for_alerts_alone());
    }
}
