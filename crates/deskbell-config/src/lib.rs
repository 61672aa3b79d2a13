//! What the sections of the config share: reading the file, the types of its values, and errors that
//! point into it.
//!
//! Any value may be `"env:NAME"` or `"file:NAME"`. A value is known to be secret by the type that it is
//! read as, and everything of the file that was not read as something public is redacted in errors.

mod database_url;
mod duration;
mod endpoint_url;
mod environment;
mod error;
mod event_types;
mod file;
mod lookup;
pub mod nearest;
mod rate_limit;
mod reader;
mod secret_text;
mod template;

pub use database_url::{DatabaseUrl, PostgresUrl, SqliteUrl};
pub use duration::{Duration, or_never};
pub use endpoint_url::{HttpUrl, SecretUrl, SmtpUrl};
pub use environment::{Environment, EnvironmentFiles, SetVariable, listed as listed_variables};
pub use error::{ConfigError, Fault, Span, Step};
pub use event_types::{NOTICE_SOURCE, NOTICE_TYPE, ONE_TIME_CODES, takes_type};
pub use file::ConfigFile;
pub use rate_limit::{RateLimit, RateUnit};
pub use reader::{KEYS_HERE, Node, ReadError, keys_of};
pub use secret_text::{NAME as SECRET, REDACTED, SecretText};
pub use template::{FileText, TemplateText};
