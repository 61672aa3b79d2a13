//! URLs of databases. A password in one never shows.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::endpoint_url::UrlText;

/// What stands in the place of a password.
const HIDDEN: &str = "***";
/// The members of a URL's query that are secrets.
const SECRET_OPTIONS: &[&str] = &["password", "sslpassword"];
/// Characters that end a password in a URL, and what is written instead.
const ESCAPES: &str = "%40 for @, %2F for /, %3F for ?, %23 for #, %25 for %";
/// What `sslmode` may be.
const SSL_MODES: &[&str] = &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/// A scheme in an error is shown up to this length: longer ones are no schemes.
const SCHEME_BYTES_MAX: usize = 20;
/// The port of a PostgreSQL URL that names none.
const POSTGRES_PORT: u16 = 5432;

/// A SQLite database: `sqlite://FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteUrl {
    path: PathBuf,
}

/// A PostgreSQL database: `postgres://USER:PASSWORD@HOST/DATABASE`. Shown with `***` for the
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

/// A database that can hold a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://FILE`.
    Sqlite(SqliteUrl),
    /// `postgres://…` or `postgresql://…`.
    Postgres(PostgresUrl),
}

impl SqliteUrl {
    /// The database in this file.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, however its path is written: `./a.db`, `b/../a.db` and a link to it are `a.db`.
    fn location(&self) -> PathBuf {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let in_directory = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
        path.canonicalize().ok().or_else(in_directory).unwrap_or(path)
    }
}

impl DatabaseUrl {
    /// The SQLite database in this file.
    #[must_use]
    pub fn sqlite(path: &Path) -> Self {
        Self::Sqlite(SqliteUrl::new(path))
    }

    /// The whole URL, for a driver: with its password.
    #[must_use]
    pub fn with_password(&self) -> String {
        match self {
            Self::Sqlite(url) => url.to_string(),
            Self::Postgres(url) => url.0.to_string(),
        }
    }

    /// Whether both lead to the same database, whoever signs in there.
    #[must_use]
    pub fn is_same_database(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => one.location() == other.location(),
            (Self::Postgres(one), Self::Postgres(other)) => one.location() == other.location(),
            _ => false,
        }
    }
}

impl PostgresUrl {
    /// The host or the socket's directory, the port, and the database, as the driver reads them: options
    /// go before the rest of the URL, and later ones before earlier ones.
    fn location(&self) -> (String, u16, String) {
        let Self(url) = self;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let options: Vec<_> = url.query_pairs().collect();
        let named = |wanted: &'static [&str]| {
            let options = options.iter().filter(|(name, _)| wanted.contains(&&**name));
            options.map(|(_, value)| value.clone().into_owned())
        };
        let hosts = url.host_str().map(decoded).into_iter().chain(named(&["host", "hostaddr"]));
        let (sockets, hosts): (Vec<_>, Vec<_>) = hosts.partition(|host| host.starts_with('/'));
        let socket = sockets.last().map(|socket| socket.trim_end_matches('/').to_owned());
        let host = || hosts.last().map(|host| host.to_ascii_lowercase());
        let port = named(&["port"]).next_back().and_then(|port| port.parse().ok()).or(url.port());
        let user = || named(&["user"]).next_back().unwrap_or_else(|| decoded(url.username()));
        let path =
            Some(decoded(url.path().trim_start_matches('/'))).filter(|path| !path.is_empty());
        (
            socket.or_else(host).unwrap_or_default(),
            port.unwrap_or(POSTGRES_PORT),
            named(&["dbname"]).next_back().or(path).unwrap_or_else(user),
        )
    }

    /// The URL without what is secret in it.
    fn shown(&self) -> Url {
        let mut url = self.0.clone();
        if url.password().is_some() {
            // It fails where there is no host, and so no password.
            let _ = url.set_password(Some(HIDDEN));
        }
        let secret = |name: &str| SECRET_OPTIONS.contains(&name);
        if self.0.query_pairs().any(|(name, _)| secret(&name)) {
            url.query_pairs_mut().clear().extend_pairs(self.0.query_pairs().map(
                |(name, value)| {
                    let value = if secret(&name) { HIDDEN.into() } else { value };
                    (name, value)
                },
            ));
        }
        url
    }
}

impl FromStr for SqliteUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match scheme(text) {
            "sqlite" => sqlite_path(text).map(|path| Self { path }),
            other => Err(format!("{}; expected sqlite://FILE", other_scheme(other))),
        }
    }
}

impl FromStr for PostgresUrl {
    type Err = String;

    /// The text is not repeated in errors: it may bear a password.
    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| {
            let what = match text.split('?').next().is_some_and(|hosts| hosts.contains(',')) {
                true => "expected one host, found several hosts".to_owned(),
                false => format!("invalid URL ({error})"),
            };
            format!(
                "{what}; write postgres://USER:PASSWORD@HOST/DATABASE, with %-codes for special \
                 characters in the password: {ESCAPES}"
            )
        })?;
        // Behind an unescaped `/`, `?` or `#` the rest of a password is no part of the password.
        let database = url.path().trim_start_matches('/');
        if database.contains(['@', '/']) || url.fragment().is_some() {
            return Err(format!(
                "a special character in the password, or in another part of this URL, is not \
                 escaped: write {ESCAPES}"
            ));
        }
        let is_mode = |name: &str| matches!(name, "sslmode" | "ssl-mode");
        let mut modes = url.query_pairs().filter(|(name, _)| is_mode(name));
        if modes.any(|(_, mode)| !SSL_MODES.contains(&&*mode.to_ascii_lowercase())) {
            return Err(
                "this URL has an `sslmode` that is not known; write disable, prefer, require \
                        (TLS, whoever the server is), verify-ca or verify-full"
                    .to_owned(),
            );
        }
        Ok(Self(url))
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match scheme(text) {
            "sqlite" => text.parse().map(Self::Sqlite),
            "postgres" | "postgresql" => text.parse().map(Self::Postgres),
            other => Err(format!(
                "{}; expected sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE",
                other_scheme(other)
            )),
        }
    }
}

impl fmt::Display for SqliteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite://{}", self.path.display())
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(url) => url.fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

macro_rules! written_as_text {
    ($($name:ty),+) => {
        $(impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let written = UrlText::deserialize(deserializer)?;
                written.expose().parse().map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        })+
    };
}

written_as_text!(SqliteUrl, DatabaseUrl);

/// Says that a text with this scheme is no database's. What a scheme cannot be is not repeated.
fn other_scheme(scheme: &str) -> String {
    let is_scheme = |scheme: &str| {
        scheme.len() <= SCHEME_BYTES_MAX
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    match scheme {
        _ if is_scheme(scheme) => {
            format!("`{scheme}:` is not a supported database")
        }
        quoted if quoted.starts_with(['"', '\'']) => {
            "the URL has quotes around it; remove them".to_owned()
        }
        _ => "this is not a database URL".to_owned(),
    }
}

fn scheme(text: &str) -> &str {
    text.split_once(':').map_or("", |(scheme, _)| scheme)
}

/// The file of a `sqlite:` address. The text is not repeated in errors: it may bear a password.
fn sqlite_path(text: &str) -> Result<PathBuf, String> {
    let rest = text.strip_prefix("sqlite:").unwrap_or(text);
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.ends_with('/') {
        return Err(
            "the URL names no file; expected sqlite://FILE or sqlite:///DIRECTORY/FILE".into()
        );
    }
    if path.contains('?') || path == ":memory:" {
        return Err("options and :memory: are not supported; expected sqlite://FILE".into());
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown_and_always_given_to_the_driver() {
        let cases = [
            ("postgres://app:hunter2@db/app", "postgres://app:***@db/app"),
            (
                "postgresql://app:hunter2@db:6432/app?sslmode=require",
                "postgresql://app:***@db:6432/app?sslmode=require",
            ),
            (
                "postgres://db/app?user=app&password=hunter2",
                "postgres://db/app?user=app&password=***",
            ),
            ("postgres://app@db/app", "postgres://app@db/app"),
            ("postgres:///app?host=/run/postgresql", "postgres:///app?host=/run/postgresql"),
        ];
        for (text, shown) in cases {
            let url: DatabaseUrl = text.parse().expect(text);
            assert_eq!(url.to_string(), shown);
            assert_eq!(url.with_password(), text);
            assert!(!format!("{url:?}").contains("hunter2"), "{url:?}");
        }
    }

    #[test]
    fn what_is_no_database_says_what_to_do_and_repeats_no_password() {
        let cases = [
            ("postgres://me:hunter2@b/c@127.0.0.1:5432/app", "%40 for @, %2F for /"),
            ("postgres://me:hun#ter2@db/app", "%23 for #"),
            ("postgres://me:hunter2?x@db/app", "%3F for ?"),
            ("postgres://me:1234#hunter2@db/app", "%23 for #"),
            ("postgres://me:hunter2@a:5433,b:5432/app", "several hosts"),
            ("\"postgres://me:hunter2@db/app\"", "quotes around it"),
            ("postgres://me:hunter2@db/app?sslmode=no-verify", "write disable, prefer, require"),
            ("host=db password=hunter2:x dbname=app", "this is not a database URL"),
            ("host=db password=hunter2", "this is not a database URL"),
            ("", "this is not a database URL"),
            ("jdbc:postgresql://db/app?password=hunter2", "`jdbc:` is not a supported database"),
            (
                "postgresql+psycopg2://me:hunter2@db/app",
                "`postgresql+psycopg2:` is not a supported database",
            ),
        ];
        for (text, wanted) in cases {
            let error = text.parse::<DatabaseUrl>().expect_err(text);
            assert!(error.contains(wanted), "{text}: {error}");
            assert!(!error.contains("hunter2") && !error.contains("ter2"), "{text}: {error}");
        }
        "postgres://db/app?sslmode=Verify-Full".parse::<DatabaseUrl>().expect("in any case");
        for text in [" postgres://me:x@db/app", "postgres://me:x@db/app\n", "sqlite://a.db "] {
            let url: DatabaseUrl = text.parse().expect(text);
            assert_eq!(url.with_password(), text.trim());
        }
        // What is escaped, and an `@` in the password, which is the last one's.
        for text in ["postgres://me:a%40b%2Fc%3Fd%23@db/app", "postgres://me:a@b@db/app"] {
            text.parse::<DatabaseUrl>().expect(text);
        }
    }

    #[test]
    fn the_same_database_is_recognised_however_its_url_is_written() {
        let same = |one: &str, other: &str| {
            let parse = |text: &str| text.parse::<DatabaseUrl>().expect(text);
            parse(one).is_same_database(&parse(other))
        };
        assert!(same("postgres://a:x@db/app", "postgresql://b:y@db:5432/app"));
        assert!(!same("postgres://a:x@db/app", "postgres://a:x@db/other"));
        assert!(same("postgres://a:x@db/app", "postgres://DB/app?sslmode=require"));
        assert!(same("postgres:///app?host=/run/pg", "postgres:///app?host=/run/pg&port=5432"));
        assert!(!same("postgres:///app?host=/run/pg", "postgres://localhost/app"));
        assert!(!same("postgres://db/app", "postgres://db:5433/app"));
        assert!(same("postgres://a@db", "postgres://a@db/a"));
        assert!(same("postgres://db/my_app", "postgres://db/my%5Fapp"));
        assert!(same("postgres://%2Frun%2Fpg/app", "postgres:///app?host=/run/pg/"));
        assert!(same("postgres://%64b/app", "postgres:///app?host=DB"));
        assert!(same("postgres://db/app?port=5433", "postgres://db:5433/app"));
        assert!(same(
            "postgres:///?port=1&host=db&dbname=x",
            "postgres:///?dbname=x&host=db&port=1"
        ));
        assert!(same("postgres://a%40b@db", "postgres://db/?user=a%40b"));
        assert!(same("postgres://db/app?hostaddr=10.0.0.1", "postgres://10.0.0.1/app"));
        assert!(same("postgres://db/app?dbname=other", "postgres://db/other"), "options go first");
        assert!(!same("postgres://db/app?dbname=other", "postgres://db/app"));
        assert!(!same("postgres://db/App", "postgres://db/app"), "names have a case");
        assert!(!same("postgres://localhost/app", "postgres://127.0.0.1/app"));
        assert!(same("sqlite://a.db", "sqlite:a.db"));
        assert!(same("sqlite://a.db", "sqlite://./a.db"));
        assert!(same("sqlite://src/../a.db", "sqlite://a.db"));
        assert!(!same("sqlite://a.db", "sqlite://b/a.db"));
        assert!(!same("sqlite://a.db", "postgres://a.db/a"));
    }
}
