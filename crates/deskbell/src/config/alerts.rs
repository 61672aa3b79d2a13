//! `[alerts]`: who hears of what goes wrong.

use std::time::Duration as StdDuration;

use deskbell_config::or_never;
use deskbell_config::{Fault, Step};
use deskbell_delivery::ChannelConfig;
use serde::{Deserialize, Serialize};

use super::{Config, DestinationKind, Duration, LeftOut, nearest};

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
    /// Of what comes in numbers, such as dead letters, the first is alerted about at once, and what
    /// comes then at most once in this time. Default: `1h`.
    pub digest_every: Duration,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::new(StdDuration::from_secs(minutes * 60));
        Self {
            to: Vec::new(),
            disable_after: Some(Duration::days(5)),
            failing_after: minutes(15),
            mirror_after: minutes(5),
            digest_every: minutes(60),
        }
    }
}

/// Who can take alerts.
pub(super) const RECIPIENTS: &str =
    "name a destination of type = \"email\", type = \"slack\" or type = \"http\"";

/// Whether those who shall hear of it can.
pub(super) fn check(config: &Config, left_out: &[LeftOut]) -> Result<(), Fault> {
    check_times(&config.alerts)?;
    for (number, name) in config.alerts.to.iter().enumerate() {
        if left_out.iter().any(|one| one.name == *name) {
            continue;
        }
        let at = vec![Step::Key("alerts"), Step::Key("to"), Step::Index(number)];
        check_recipient(config, name, at)?;
    }
    Ok(())
}

/// Whether there is time to see that something lasts, and that more has come.
fn check_times(alerts: &AlertsConfig) -> Result<(), Fault> {
    for (key, time) in [
        ("disable_after", alerts.disable_after),
        ("failing_after", Some(alerts.failing_after)),
        ("mirror_after", Some(alerts.mirror_after)),
        ("digest_every", Some(alerts.digest_every)),
    ] {
        if time.is_some_and(|time| time.0 < TIME_MIN) {
            let at = vec![Step::Key("alerts"), Step::Key(key)];
            return Err(Fault::at(at, format!("`{key}` is shorter than a second"))
                .with_help("write a time of 1s or longer"));
        }
    }
    Ok(())
}

/// Whether this destination can take alerts.
pub(super) fn takes_alerts(kind: &DestinationKind) -> bool {
    kind.channel_config().is_some_and(ChannelConfig::takes_alerts)
}

fn check_recipient(config: &Config, name: &str, at: Vec<Step>) -> Result<(), Fault> {
    let Some(found) = config.destinations.iter().find(|one| one.name == name) else {
        let known: Vec<_> = config.destinations.iter().map(|one| &*one.name).collect();
        let help = nearest::suggest(name, &known, "the destinations are");
        return Err(Fault::at(at, format!("there is no destination `{name}`")).with_help(help));
    };
    if !takes_alerts(&found.kind) {
        let kind = found.kind.destination_type();
        let message = format!("`{name}` has type = \"{kind}\", which takes no alerts");
        return Err(Fault::at(at, message).with_help(RECIPIENTS));
    }
    if !found.enabled {
        return Err(Fault::at(at, format!("`{name}` has enabled = false"))
            .with_help("enable it, or take it from this list"));
    }
    Ok(())
}
