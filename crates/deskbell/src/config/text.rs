//! What the strings of a config mean: durations, addresses, secrets.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clerk_webhooks::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands in the place of a secret wherever a config is shown.
const REDACTED: &str = "<redacted>";

/// A duration such as `"30s"`, `"5m"`, `"72h"` or `"30d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration(pub std::time::Duration);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map(Self).map_err(|_| {
            serde::de::Error::custom(format_args!(
                "`{text}` is not a duration; write for example 30s, 5m, 72h or 30d"
            ))
        })
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

/// Where a database is: `sqlite://FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    path: PathBuf,
}

impl DatabaseUrl {
    /// The database in this file.
    #[must_use]
    pub fn sqlite(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        sqlite_path(text).map(|path| Self { path })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite://{}", self.path.display())
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The file of a `sqlite:` address. The text is not repeated in errors: it may bear a password.
fn sqlite_path(text: &str) -> Result<PathBuf, String> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let Some(rest) = text.strip_prefix("sqlite:") else {
        return Err(format!(
            "`{scheme}:` is not a database that this version knows; write sqlite://FILE"
        ));
    };
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.ends_with('/') {
        return Err("the file is missing; write sqlite://FILE, or sqlite:///DIRECTORY/FILE".into());
    }
    if path.contains('?') || path == ":memory:" {
        return Err("a database is a file here; write sqlite://FILE without options".into());
    }
    Ok(PathBuf::from(path))
}

/// A signing secret; it never shows.
#[derive(Debug, Clone)]
pub struct SigningSecret(pub Secret);

/// The admin token; it never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() {
            return Err(serde::de::Error::custom("the token is empty; leave the key out instead"));
        }
        Ok(Self(text))
    }
}

macro_rules! shown_as_redacted {
    ($($name:ty),+) => {
        $(impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(REDACTED)
            }
        })+
    };
}

shown_as_redacted!(SigningSecret, Token);
