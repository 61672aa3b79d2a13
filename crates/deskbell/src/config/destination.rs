//! `[[destination]]`: where events go. The keys of a type are beside what they configure; this is
//! their index.

use std::fmt;

pub use clerk_webhooks::HeaderFamily;
use deskbell_config::{Fault, Node, ReadError};
use deskbell_delivery::ChannelConfig;
pub use deskbell_delivery::{
    AllowedHost, CaCertificates, DeliveryConfig, EmailConfig, EmailPreset, EmailProvider,
    EndpointSecret, EndpointSecrets, Headers, HttpConfig, LoopsConfig, RetryPolicy,
    SignatureVersion, SlackConfig,
};
use deskbell_server::SourceConfig;
pub use deskbell_store::deliveries::{Ordering, StartFrom};
use deskbell_sync::{MirrorOptions, SourceRule};
use serde::{Deserialize, Serialize};

pub use deskbell_sync::{
    ColumnValue, ColumnValues, DatabaseConfig, Expressions, Line, LookupConfig, OnDelete,
    OnRowDelete, Stale, StatementConfig, TableConfig,
};

/// One destination: what every type has, and what its own has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct DestinationConfig {
    /// Its name, under which it keeps its checkpoint: renaming it makes it start anew.
    pub name: String,
    /// What it is, by its `type`, with the keys that only this type has.
    #[serde(flatten, skip_deserializing)]
    pub kind: DestinationKind,
    /// Whether it is started. Default: `true`. One that is not keeps its checkpoint.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The names of the sources whose events it takes. Default: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<String>>,
    /// How deliveries to it are made; `None` for a `database`, which has none of these keys.
    #[serde(flatten, skip_deserializing)]
    pub delivery: Option<DeliveryConfig>,
    /// Whether somebody paused it through the admin API. The file does not say.
    #[serde(skip)]
    pub is_paused: bool,
}

/// What a destination is, with the keys of its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DestinationKind {
    /// A mirror of Clerk's entities in a database, mapped tables and statements.
    Database(DatabaseConfig),
    /// A signed request to a web address.
    Http(HttpConfig),
    /// An email.
    Email(Box<EmailConfig>),
    /// A message to a Slack channel.
    Slack(SlackConfig),
    /// Contacts of Loops, and events for them.
    Loops(LoopsConfig),
}

/// The types of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`DestinationKind` says what each is")]
pub enum DestinationType {
    Database,
    Http,
    Email,
    Slack,
    Loops,
}

impl DestinationType {
    /// Every type.
    pub(super) const ALL: [Self; 5] =
        [Self::Database, Self::Http, Self::Email, Self::Slack, Self::Loops];

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

    /// Reads the keys of this type.
    pub(super) fn read(self, node: Node<'_>) -> Result<DestinationKind, ReadError> {
        match self {
            Self::Database => Deserialize::deserialize(node).map(DestinationKind::Database),
            Self::Http => Deserialize::deserialize(node).map(DestinationKind::Http),
            Self::Email => Deserialize::deserialize(node).map(DestinationKind::Email),
            Self::Slack => Deserialize::deserialize(node).map(DestinationKind::Slack),
            Self::Loops => Deserialize::deserialize(node).map(DestinationKind::Loops),
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

    /// What its channel is built of; `None` for a `database`.
    #[must_use]
    pub fn channel_config(&self) -> Option<&dyn ChannelConfig> {
        match self {
            Self::Database(_) => None,
            Self::Http(http) => Some(http),
            Self::Email(email) => Some(&**email),
            Self::Slack(slack) => Some(slack),
            Self::Loops(loops) => Some(loops),
        }
    }
}

impl Default for DestinationKind {
    fn default() -> Self {
        Self::Database(DatabaseConfig::default())
    }
}

impl DestinationConfig {
    /// A destination with the defaults of every key that all types have.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: DestinationKind) -> Self {
        let delivery = kind.channel_config().map(|_| DeliveryConfig::default());
        let name = name.into();
        let mut new = Self { name, kind, enabled: true, sources: None, delivery, is_paused: false };
        new.set_defaults();
        new
    }

    /// Whether the keys of its type fit together. A fault's path begins at the destination; gives
    /// warnings.
    pub(crate) fn validate(&self) -> Result<Vec<Fault>, Fault> {
        if let DestinationKind::Database(database) = &self.kind {
            return database.validate();
        }
        let (Some(channel), Some(delivery)) = (self.kind.channel_config(), &self.delivery) else {
            return Ok(Vec::new());
        };
        channel.validate(delivery)?;
        delivery.validate()
    }

    /// The options of its mirror, which takes the events of these sources; `None` where it is no
    /// database.
    pub(crate) fn mirror_options(&self, sources: &[SourceConfig]) -> Option<MirrorOptions> {
        let DestinationKind::Database(database) = &self.kind else { return None };
        let rules = sources.iter().filter(|source| self.takes(source)).map(|source| {
            (source.name.clone(), SourceRule { instance_id: source.instance_id.clone() })
        });
        let options = MirrorOptions::new(&self.name, database.clone());
        Some(MirrorOptions { sources: rules.collect(), ..options })
    }

    /// Whether it gets messages that are made through the admin API: programs alone, and no people.
    pub(crate) fn takes_api_messages(&self) -> bool {
        matches!(self.kind, DestinationKind::Http(_))
    }

    /// Whether it is started: a mirror that somebody paused is not, and still needs the log.
    pub(crate) fn runs(&self) -> bool {
        self.enabled && !self.is_paused
    }

    /// Whether it takes events of this source.
    pub(crate) fn takes(&self, source: &SourceConfig) -> bool {
        self.sources.as_ref().is_none_or(|names| names.contains(&source.name))
    }

    /// Fills in the delivery keys that are not set, by what its type is.
    pub(super) fn set_defaults(&mut self) {
        if let (Some(channel), Some(delivery)) = (self.kind.channel_config(), &mut self.delivery) {
            channel.set_defaults(delivery);
            delivery.ordering.get_or_insert_default();
        }
    }
}

impl Default for DestinationConfig {
    /// The default mirror, in `sqlite://clerk.db`.
    fn default() -> Self {
        Self::new("mirror", DestinationKind::default())
    }
}

fn yes() -> bool {
    true
}
