//! `[alerts]`: who hears of what goes wrong.

use std::time::Duration as StdDuration;

use deskbell_config::{Duration, Fault, Step, or_never};
use deskbell_trust::silence::SilenceAfter;
use serde::{Deserialize, Serialize};

/// The shortest time: alerts look at what there is once a second.
const TIME_MIN: StdDuration = StdDuration::from_secs(1);

/// What goes wrong, and who hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsConfig {
    /// The names of the `email`, `slack` and `http` destinations that alerts are sent to, whatever
    /// their `events`. Default: none.
    pub to: Vec<String>,
    /// A destination every attempt of which has failed for this long is disabled; `None`, written
    /// `"never"`, where none ever is. Default: `5d`.
    #[serde(with = "or_never")]
    pub disable_after: Option<Duration>,
    /// An alert is sent about a destination every attempt of which has failed for this long.
    /// Default: `15m`.
    pub failing_after: Duration,
    /// An alert is sent about a mirror that has waited for its database, or has had a blocked table
    /// or statement or waiting rows, for this long. Default: `5m`.
    pub mirror_after: Duration,
    /// An alert is sent about a source that has had no event for this long; `"auto"` where its rhythm
    /// does not explain the silence, `"never"` for no alert. Default: `"auto"`.
    pub silence_after: SilenceAfter,
    /// Of what comes in numbers, such as dead letters, the first is alerted about at once, and what
    /// comes then at most once in this time. Default: `1h`.
    pub digest_every: Duration,
    /// How often mirrors that were filled are compared with Clerk and mended. Default: `daily`.
    pub reconcile: ReconcileInterval,
}

/// How often mirrors are compared with Clerk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReconcileInterval {
    #[default]
    Daily,
    Hourly,
    Never,
}

impl ReconcileInterval {
    /// The interval; `None` for never.
    pub(crate) fn interval(self) -> Option<StdDuration> {
        match self {
            Self::Daily => Some(StdDuration::from_secs(24 * 3_600)),
            Self::Hourly => Some(StdDuration::from_secs(3_600)),
            Self::Never => None,
        }
    }
}

impl Default for AlertsConfig {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::new(StdDuration::from_secs(minutes * 60));
        Self {
            to: Vec::new(),
            disable_after: Some(Duration::days(5)),
            failing_after: minutes(15),
            mirror_after: minutes(5),
            silence_after: SilenceAfter::Auto,
            digest_every: minutes(60),
            reconcile: ReconcileInterval::default(),
        }
    }
}

impl AlertsConfig {
    /// Whether there is time to see that something lasts, and that more has come. A fault's path
    /// begins at the section.
    pub(super) fn validate(&self) -> Result<(), Fault> {
        let silence_after = match self.silence_after {
            SilenceAfter::After(time) => Some(time),
            SilenceAfter::Auto | SilenceAfter::Never => None,
        };
        for (key, time) in [
            ("disable_after", self.disable_after),
            ("failing_after", Some(self.failing_after)),
            ("mirror_after", Some(self.mirror_after)),
            ("silence_after", silence_after),
            ("digest_every", Some(self.digest_every)),
        ] {
            if time.is_some_and(|time| time.0 < TIME_MIN) {
                let message = format!("`{key}` is shorter than a second");
                return Err(Fault::at(vec![Step::Key(key)], message)
                    .with_help("write a time of 1s or longer"));
            }
        }
        Ok(())
    }
}
