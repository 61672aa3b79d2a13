//! URLs: web addresses and mail servers. What is secret in them never shows.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::secret_text::{REDACTED, SecretText};

/// What stands in the place of a part that is secret.
const HIDDEN: &str = "***";
/// The newtype's name, by which the reader knows a URL.
pub(crate) const NAME: &str = "UrlText";

/// A web address: `https://…` or `http://…`. Shown with `***` for a password, for the values in its
/// query, and for what looks like a secret in its path.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUrl(Url);

/// A web address that is a secret as a whole, such as that of a Slack webhook.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

/// A mail server: `smtp://USER:PASSWORD@HOST:PORT`, or `smtps://…` for TLS from the first byte.
/// Shown with `***` for the password, and for the values in its query.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(Url);

/// Services whose webhooks have their secret in the path: whoever knows the URL can post.
const SECRET_PATHS: &[&str] = &[
    "discord.com",
    "discordapp.com",
    "hooks.slack.com",
    "hooks.zapier.com",
    "make.com",
    "maker.ifttt.com",
    "pipedream.net",
    "webhook.office.com",
    "webhook.site",
];
/// A segment of a path that is as long, with digits and letters in it, is taken for a secret.
const TOKEN_CHARS_MIN: usize = 16;

/// Hides what is secret in the path: all of it at a service that is known for that, and elsewhere
/// each segment that looks like a token.
fn hide_path(url: &mut Url) {
    let host = url.host_str().unwrap_or_default();
    let is_of = |known: &str| {
        host == known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'))
    };
    let path = if SECRET_PATHS.iter().any(|known| is_of(known)) && url.path() != "/" {
        format!("/{HIDDEN}")
    } else {
        let hide = |segment| if is_token(segment) { HIDDEN } else { segment };
        url.path().split('/').map(hide).collect::<Vec<_>>().join("/")
    };
    url.set_path(&path);
}

fn is_token(segment: &str) -> bool {
    segment.len() >= TOKEN_CHARS_MIN
        && segment.contains(|c: char| c.is_ascii_digit())
        && segment.contains(|c: char| c.is_ascii_alphabetic())
}

/// The URL without what is secret in it.
fn shown(url: &Url) -> Url {
    let mut shown = url.clone();
    if shown.password().is_some() {
        // It fails where there is no host, and so no password.
        let _ = shown.set_password(Some(HIDDEN));
    }
    if url.query().is_some() {
        let hidden = url.query_pairs().map(|(name, _)| (name, HIDDEN));
        shown.query_pairs_mut().clear().extend_pairs(hidden);
    }
    shown
}

/// Whether a text in an error may show this URL whole.
pub(crate) fn is_public(text: &str) -> bool {
    let hides_nothing = |url: Url| {
        let mut hidden = url.clone();
        hide_path(&mut hidden);
        hidden == url
    };
    text.contains("://") && !text.contains(['@', '?']) && Url::parse(text).is_ok_and(hides_nothing)
}

/// A URL as it is written.
#[derive(Deserialize)]
pub(crate) struct UrlText(String);

impl UrlText {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// The text is not repeated in errors: it may bear a password.
fn parse(text: &str, schemes: &[&str], form: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim())
        .map_err(|error| format!("invalid URL ({error}); expected {form}"))?;
    if !schemes.contains(&url.scheme()) {
        return Err(format!("unexpected URL scheme; expected {form}"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(format!("the URL has no host; expected {form}"));
    }
    Ok(url)
}

macro_rules! urls {
    ($($name:ident, $schemes:expr, $form:literal, $written:ident, $shown:expr;)+) => {
        $(impl $name {
            /// The whole URL: with what is secret in it.
            #[must_use]
            pub fn expose_secrets(&self) -> &Url {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                parse(text, $schemes, $form).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let shown: fn(&Url) -> String = $shown;
                f.write_str(&shown(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let written = $written::deserialize(deserializer)?;
                written.expose().parse().map_err(D::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        })+
    };
}

urls! {
    HttpUrl, &["https", "http"], "https://HOST/PATH", UrlText, |url| {
        let mut shown = shown(url);
        hide_path(&mut shown);
        shown.to_string()
    };
    SecretUrl, &["https", "http"], "https://HOST/PATH", SecretText, |_| REDACTED.to_owned();
    SmtpUrl, &["smtp", "smtps"],
        "smtp://USER:PASSWORD@HOST:587, or smtps:// for TLS from the first byte, with %-codes for \
         special characters in the password",
        UrlText, |url| shown(url).to_string();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_never_shown_and_always_kept() {
        for (text, wanted) in [
            ("https://a:hunter2@b.example/c", "https://a:***@b.example/c"),
            ("https://b.example/c?token=hunter2", "https://b.example/c?token=***"),
            ("http://127.0.0.1:8080/hook", "http://127.0.0.1:8080/hook"),
            ("https://discord.com/api/webhooks/1234/hunter2", "https://discord.com/***"),
            ("https://hooks.zapier.com/hooks/catch/1/hunter2/", "https://hooks.zapier.com/***"),
            ("https://hook.eu1.make.com/hunter2", "https://hook.eu1.make.com/***"),
            (
                "https://acme.webhook.office.com/webhookb2/hunter2",
                "https://acme.webhook.office.com/***",
            ),
            (
                "https://n8n.example/webhook/hunter2-6f1c-4e0e-9a51",
                "https://n8n.example/webhook/***",
            ),
            (
                "https://api.example.com/v1/webhooks/clerk-users",
                "https://api.example.com/v1/webhooks/clerk-users",
            ),
            ("https://notdiscord.com/api/hook", "https://notdiscord.com/api/hook"),
        ] {
            let url: HttpUrl = text.parse().expect(text);
            assert_eq!((url.to_string(), url.expose_secrets().as_str()), (wanted.to_owned(), text));
            assert!(!format!("{url:?}").contains("hunter2"), "{url:?}");
        }
        let text = "smtps://me%40example.com:hunter2@mail.example";
        let url: SmtpUrl = text.parse().expect(text);
        assert_eq!(url.to_string(), "smtps://me%40example.com:***@mail.example");
        let url: SecretUrl = "https://hooks.slack.com/services/T0/B0/hunter2".parse().expect("it");
        assert_eq!(format!("{url} {url:?}"), "<redacted> SecretUrl(<redacted>)");
    }

    #[test]
    fn another_scheme_and_no_host_are_refused_without_repeating_the_text() {
        for text in ["ftp://hunter2/x", "smtp://mail.example", "data:hunter2", "hunter2", ""] {
            let error = text.parse::<HttpUrl>().expect_err(text);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
