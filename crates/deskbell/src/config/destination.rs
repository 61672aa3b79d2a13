//! `[[destination]]`: where events go. One file a type.

mod check;
mod database;
mod delivery;
mod email;
mod endpoint_secret;
mod headers;
mod http;
mod loops;
mod read;
mod retry;
mod show;
mod slack;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(super) use self::check::check;
pub use self::database::{DatabaseConfig, OnDelete};
pub use self::delivery::{Ordering, StartFrom};
pub use self::email::{EmailConfig, EmailPreset, EmailProvider};
pub use self::endpoint_secret::{EndpointSecret, SignatureVersion};
pub use self::headers::Headers;
pub use self::http::{HeaderFamily, HttpConfig};
pub use self::loops::LoopsConfig;
pub(super) use self::read::read;
pub use self::retry::RetryConfig;
pub use self::slack::{SlackConfig, SlackMessage};
use super::{Duration, RateLimit};

/// One destination: what every type has, and what its own has.
///
/// Those from `events` to `ordering` are about deliveries. A `database` has none, and none of these
/// keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationConfig {
    /// Its name, under which it keeps its checkpoint: renaming it makes it start anew.
    pub name: String,
    /// Whether it is started. Default: `true`. One that is not keeps its checkpoint.
    pub enabled: bool,
    /// The names of the sources whose events it takes. Default: all of them.
    pub sources: Option<Vec<String>>,
    /// The types of event that it takes, such as `user.created` or `user.*`; an empty list for one
    /// that takes alerts alone. Default: all but `email.created` and `sms.created`, which only
    /// their literal names match.
    pub events: Option<Vec<String>>,
    /// A condition in CEL: it takes the events for which this is true. Default: all of them.
    pub when: Option<String>,
    /// Where in the log it begins when it is new. Default: `now`. The key is `from`; on an `email`,
    /// whose `from` is the sender, it is `start`.
    pub from: StartFrom,
    /// The most deliveries in flight at once, from 1 to 1024; the others wait. Default: 16.
    pub max_in_flight: usize,
    /// The most attempts that may begin in a time; the others wait. Default: no limit; `5/s` for
    /// `loops`.
    pub rate_limit: Option<RateLimit>,
    /// When a delivery that failed is tried again. Default: that of [`RetryConfig`].
    pub retry: RetryConfig,
    /// The time that an attempt is given, from `1s` to `5m`; then it has failed. Default: `15s`.
    pub timeout: Duration,
    /// Whether deliveries about the same subject wait for one another. Default: `none`;
    /// `subject` for `loops`.
    pub ordering: Ordering,
    /// What it is, by its `type`, with the keys that only this type has.
    pub kind: DestinationKind,
}

/// What a destination is, with the keys of its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DestinationKind {
    /// `type = "database"`.
    Database(DatabaseConfig),
    /// `type = "http"`.
    Http(HttpConfig),
    /// `type = "email"`.
    Email(EmailConfig),
    /// `type = "slack"`.
    Slack(SlackConfig),
    /// `type = "loops"`.
    Loops(LoopsConfig),
}

/// The types of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DestinationType {
    /// A mirror of Clerk's entities in a database, mapped tables and statements.
    Database,
    /// A signed request to a web address.
    Http,
    /// An email.
    Email,
    /// A message to a Slack channel.
    Slack,
    /// Contacts of Loops, and events for them.
    Loops,
}

impl DestinationType {
    /// Every type.
    const ALL: [Self; 5] = [Self::Database, Self::Http, Self::Email, Self::Slack, Self::Loops];

    /// Its name in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Http => "http",
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Loops => "loops",
        }
    }
}

impl fmt::Display for DestinationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl DestinationKind {
    /// Which it is.
    #[must_use]
    pub fn destination_type(&self) -> DestinationType {
        match self {
            Self::Database(_) => DestinationType::Database,
            Self::Http(_) => DestinationType::Http,
            Self::Email(_) => DestinationType::Email,
            Self::Slack(_) => DestinationType::Slack,
            Self::Loops(_) => DestinationType::Loops,
        }
    }
}

impl DestinationConfig {
    /// A destination with the defaults of every key that all types have.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: DestinationKind) -> Self {
        Self::with_delivery(name.into(), kind, delivery::DeliveryKeys::default())
    }

    fn with_delivery(name: String, kind: DestinationKind, keys: delivery::DeliveryKeys) -> Self {
        Self {
            name,
            enabled: true,
            sources: None,
            events: keys.events,
            when: keys.when,
            from: StartFrom::Now,
            max_in_flight: keys.max_in_flight,
            rate_limit: keys.rate_limit,
            retry: keys.retry,
            timeout: keys.timeout,
            ordering: keys.ordering,
            kind,
        }
    }
}

impl Default for DestinationConfig {
    /// The mirror in `sqlite://clerk.db`.
    fn default() -> Self {
        Self::new("mirror", DestinationKind::Database(DatabaseConfig::default()))
    }
}
