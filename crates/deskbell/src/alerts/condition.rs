//! The conditions that alerts are about, and their texts.

use std::collections::BTreeMap;
use std::fmt;

use deskbell_delivery::shown_time;
use serde::{Deserialize, Serialize};

/// The names are what receivers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ConditionKind {
    #[serde(rename = "destination.failing")]
    DestinationFailing,
    #[serde(rename = "destination.disabled")]
    DestinationDisabled,
    #[serde(rename = "delivery.dead_letters")]
    DeliveryDeadLetters,
    #[serde(rename = "mirror.dead_letters")]
    MirrorDeadLetters,
    #[serde(rename = "mirror.away")]
    MirrorAway,
    #[serde(rename = "mirror.blocked")]
    MirrorBlocked,
    #[serde(rename = "mirror.stuck")]
    MirrorStuck,
    #[serde(rename = "mirror.repaired")]
    MirrorRepaired,
    #[serde(rename = "mirror.other_instance")]
    MirrorOtherInstance,
    #[serde(rename = "source.refused")]
    SourceRefused,
    #[serde(rename = "source.silent")]
    SourceSilent,
    #[serde(rename = "source.endpoint")]
    SourceEndpoint,
    #[serde(rename = "source.pull")]
    SourcePull,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AlertTarget {
    Destination(String),
    Source {
        name: String,
        /// Why its requests are refused, or what is wrong with its endpoint, where the alert is about that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
    },
}

/// What one round says about one key.
pub(super) enum Observation {
    /// Nothing is known now: an open condition stays open.
    Unknown,
    /// The condition, if there is one.
    State(Option<Condition>),
    /// A condition that is alerted about once it has been seen in every round for a while.
    Persisting(Option<Persisting>),
    /// A count that only grows while somebody has to look at it.
    Counter(Counter),
    /// A count that is alerted about when it grows fast.
    Rate(Rate),
}

#[derive(Debug)]
pub(super) struct Condition {
    pub(super) kind: ConditionKind,
    pub(super) target: AlertTarget,
    /// By the store's clock, in milliseconds since the Unix epoch.
    pub(super) since_ms: i64,
    /// How far it has gone: a greater step is alerted about again.
    pub(super) step: u32,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) counts: BTreeMap<String, u64>,
}

/// A condition whose beginning is not recorded anywhere.
pub(super) struct Persisting {
    pub(super) after_ms: i64,
    /// From the time since which it has been seen.
    pub(super) condition: Box<dyn Fn(i64) -> Condition + Send>,
}

/// From the number of new ones, whether they are the first, and since when there are any.
pub(super) type ConditionFn = Box<dyn Fn(u64, bool, i64) -> Condition + Send>;

pub(super) struct Counter {
    /// How many there are, or ever were: what is added is new.
    pub(super) count: u64,
    /// Whether any is left to look at.
    pub(super) is_left: bool,
    pub(super) condition: ConditionFn,
}

pub(super) struct Rate {
    pub(super) count: u64,
    /// This many in the interval of a digest are alerted about.
    pub(super) count_min: u64,
    pub(super) condition: ConditionFn,
}

impl ConditionKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::DestinationFailing => "destination.failing",
            Self::DestinationDisabled => "destination.disabled",
            Self::DeliveryDeadLetters => "delivery.dead_letters",
            Self::MirrorDeadLetters => "mirror.dead_letters",
            Self::MirrorAway => "mirror.away",
            Self::MirrorBlocked => "mirror.blocked",
            Self::MirrorStuck => "mirror.stuck",
            Self::MirrorRepaired => "mirror.repaired",
            Self::MirrorOtherInstance => "mirror.other_instance",
            Self::SourceRefused => "source.refused",
            Self::SourceSilent => "source.silent",
            Self::SourceEndpoint => "source.endpoint",
            Self::SourcePull => "source.pull",
        }
    }

    /// What is the case while it is open, in a sentence.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::DestinationFailing => "every attempt to deliver fails",
            Self::DestinationDisabled => "nothing is sent to it any more, because it kept failing",
            Self::DeliveryDeadLetters => "deliveries failed permanently",
            Self::MirrorDeadLetters => "the database rejected rows",
            Self::MirrorAway => "the mirror waits for its database",
            Self::MirrorBlocked => "a table or a statement is rejected whatever the row",
            Self::MirrorStuck => "deletes that the database rejects are retried",
            Self::MirrorRepaired => "the mirror differed from Clerk and was repaired",
            Self::MirrorOtherInstance => "events belong to another Clerk instance",
            Self::SourceRefused => "requests fail verification",
            Self::SourceSilent => "no events arrive",
            Self::SourceEndpoint => "the endpoint in Clerk is not as it should be",
            Self::SourcePull => "messages cannot be fetched from Clerk's sender",
        }
    }

    /// The subject and the text for its end.
    pub(super) fn resolved(self, target: &AlertTarget, since_ms: i64) -> (String, String) {
        let since = shown_time(since_ms);
        match self {
            Self::DestinationFailing => (
                format!("{target} works again"),
                format!(
                    "The destination {target} is no longer failing. It had failed since {since}."
                ),
            ),
            Self::DestinationDisabled => (
                format!("{target} is enabled again"),
                format!(
                    "Deskbell delivers to the destination {target} again, pending deliveries first."
                ),
            ),
            Self::DeliveryDeadLetters | Self::MirrorDeadLetters => (
                format!("{target}: no dead letters are left"),
                format!("The destination {target} has no dead letters. It had some since {since}."),
            ),
            Self::MirrorAway | Self::MirrorBlocked => (
                format!("{target}: the mirror has resumed"),
                format!(
                    "The mirror {target} applies events again. It had not, or not all of them, \
                     since {since}."
                ),
            ),
            Self::MirrorStuck => (
                format!("{target}: no rows are waiting"),
                format!(
                    "The database of the mirror {target} has accepted or rejected every row that \
                     was waiting since {since}."
                ),
            ),
            Self::MirrorRepaired => (
                format!("{target}: the mirror is the same as Clerk"),
                format!(
                    "The last comparison of the mirror {target} with Clerk found no difference. \
                     It had found some since {since}."
                ),
            ),
            Self::MirrorOtherInstance => (
                format!("{target}: all sources belong to one Clerk instance"),
                format!(
                    "Since {since} one source of the mirror {target} belonged to another \
                         instance."
                ),
            ),
            Self::SourceRefused => (
                format!("{target}: few requests are rejected now"),
                format!("Many requests were rejected since {since}."),
            ),
            Self::SourceSilent => {
                (format!("{target}: events arrive again"), silence_ended(target, &since))
            }
            Self::SourceEndpoint => (
                format!("{target}: this is over at the endpoint in Clerk"),
                format!(
                    "What was wrong with the endpoint in Clerk's sender since {since} is over."
                ),
            ),
            Self::SourcePull => (
                format!("{target}: events are fetched again"),
                format!(
                    "Messages could not be fetched since {since}. Those of that time are fetched too."
                ),
            ),
        }
    }
}

fn silence_ended(target: &AlertTarget, since: &str) -> String {
    format!(
        "The source {target} had received no event since {since}. If events of that time are still \
         missing, choose \"Replay missing messages\" at the endpoint in Clerk's dashboard."
    )
}

impl fmt::Display for AlertTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination(name) => f.write_str(name),
            Self::Source { name, cause: Some(cause) } => write!(f, "{name} ({cause})"),
            Self::Source { name, cause: None } => f.write_str(name),
        }
    }
}

pub(super) fn plural(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
