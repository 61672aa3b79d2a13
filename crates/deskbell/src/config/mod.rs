//! The config: one TOML file, read whole and checked before anything else happens.
//!
//! [`Config`] is the index of its sections, and each has its keys beside what it configures. Any value may be `"env:NAME"` or
//! `"file:NAME"`. Unknown keys are errors.

mod alerts;
mod check;
mod default_mirror;
mod destination;
mod endpoints;
mod load;
mod mirror;
mod read_destination;
mod sections;

pub(crate) use deskbell_config::nearest;
pub use deskbell_config::{
    ConfigError, DatabaseUrl, Duration, Environment, HttpUrl, PostgresUrl, RateLimit, RateUnit,
    SecretText, SecretUrl, SmtpUrl, SqliteUrl, TemplateText,
};
pub use deskbell_server::{
    BackendKey, BackfillMode, Network, SenderConfig, ServerConfig, SigningSecret, SourceConfig,
    SourceMode, TlsConfig,
};
pub use deskbell_store::{RetentionConfig, StoreConfig};

pub use alerts::{AlertsConfig, ReconcileInterval};
pub use destination::{
    AllowedHost, CaCertificates, ColumnValue, ColumnValues, DatabaseConfig, DeliveryConfig,
    DestinationConfig, DestinationKind, DestinationType, EmailConfig, EmailPreset, EmailProvider,
    EndpointSecret, EndpointSecrets, Expressions, HeaderFamily, Headers, HttpConfig, Line,
    LookupConfig, LoopsConfig, OnDelete, OnRowDelete, Ordering, RetryPolicy, SignatureVersion,
    SlackConfig, Stale, StartFrom, StatementConfig, TableConfig,
};
pub use endpoints::EndpointsConfig;
pub(crate) use endpoints::key_file;
pub use load::{DEFAULT_FILE, Loaded};
pub use mirror::MirrorConfig;
pub use sections::Config;
