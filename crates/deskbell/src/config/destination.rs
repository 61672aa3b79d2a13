//! `[[destination]]`: where events go. One file a type.

mod check;
mod database;
mod email;
mod read;
mod show;

use std::fmt;

pub use clerk_webhooks::HeaderFamily;
pub use deskbell_delivery::{
    AllowedHost, EndpointSecret, EndpointSecrets, Headers, HttpConfig, LoopsConfig,
    SignatureVersion, SlackConfig,
};
use deskbell_delivery::{ChannelConfig, DeliveryConfig};
pub use deskbell_store::deliveries::{Ordering, StartFrom};
use serde::{Deserialize, Serialize};

pub(super) use self::check::check;
pub use self::database::{DatabaseConfig, OnDelete};
pub use self::email::{EmailConfig, EmailPreset, EmailProvider};
pub(super) use self::read::read;

/// One destination: what every type has, and what its own has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationConfig {
    /// Its name, under which it keeps its checkpoint: renaming it makes it start anew.
    pub name: String,
    /// Whether it is started. Default: `true`. One that is not keeps its checkpoint.
    pub enabled: bool,
    /// The names of the sources whose events it takes. Default: all of them.
    pub sources: Option<Vec<String>>,
    /// Where in the log it begins when it is new. Default: `now`. The key is `from`; on an `email`,
    /// whose `from` is the sender, it is `start`.
    pub from: StartFrom,
    /// What it is, by its `type`, with the keys that only this type has.
    pub kind: DestinationKind,
    /// How deliveries to it are made; `None` for a `database`, which has none of these keys.
    pub delivery: Option<DeliveryConfig>,
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

impl DestinationKind {
    /// The keys that its channel is built of.
    #[must_use]
    pub fn channel_config(&self) -> Option<&dyn ChannelConfig> {
        match self {
            Self::Http(http) => Some(http),
            Self::Slack(slack) => Some(slack),
            Self::Loops(loops) => Some(loops),
            _ => None,
        }
    }
}

impl DestinationConfig {
    /// A destination with the defaults of every key that all types have.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: DestinationKind) -> Self {
        let is_database = matches!(kind, DestinationKind::Database(_));
        let mut delivery = (!is_database).then(DeliveryConfig::default);
        let mut from = StartFrom::default();
        if let (Some(delivery), Some(channel)) = (&mut delivery, kind.channel_config()) {
            channel.set_defaults(delivery);
            from = channel.start();
        }
        Self { name: name.into(), enabled: true, sources: None, from, kind, delivery }
    }
}

impl Default for DestinationConfig {
    /// The mirror in `sqlite://clerk.db`.
    fn default() -> Self {
        Self::new("mirror", DestinationKind::Database(DatabaseConfig::default()))
    }
}
