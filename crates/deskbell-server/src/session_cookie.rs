//! The cookie of a browser's session.

use deskbell_store::AccessToken;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// A browser takes a cookie of this prefix only over TLS, for one host, and from nobody else:
/// <https://www.rfc-editor.org/rfc/rfc6265bis>.
const SECURE_NAME: &str = "__Host-deskbell_session";
const PLAIN_NAME: &str = "deskbell_session";

/// The session's secret that the request shows, in the cookie for TLS or the one for plain HTTP.
pub(crate) fn secret(headers: &HeaderMap, is_secure: bool) -> Option<AccessToken> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(name, _)| name.trim() == name_of(is_secure));
    found.find_map(|(_, value)| value.trim().parse().ok())
}

/// Has the browser keep the secret until the session ends.
pub(crate) fn set(
    secret: &AccessToken,
    max_age_seconds: i64,
    is_secure: bool,
) -> Option<HeaderValue> {
    cookie(secret.expose(), max_age_seconds, is_secure)
}

/// Has the browser forget the secret.
pub(crate) fn cleared(is_secure: bool) -> Option<HeaderValue> {
    cookie("", 0, is_secure)
}

fn cookie(value: &str, max_age_seconds: i64, is_secure: bool) -> Option<HeaderValue> {
    let name = name_of(is_secure);
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!(
        "{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn name_of(is_secure: bool) -> &'static str {
    if is_secure { SECURE_NAME } else { PLAIN_NAME }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn showing(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, line.parse().unwrap())).collect()
    }

    #[test]
    fn the_cookie_is_found_among_others_and_only_by_the_name_of_its_transport() {
        let secret_text = format!("dbt_{}", "0f".repeat(32));
        let plain = format!("theme=dark; deskbell_session={secret_text}");
        let secure = format!("__Host-deskbell_session={secret_text}; theme=dark");
        let expected = Some(secret_text.parse().unwrap());
        assert_eq!(secret(&showing(&["a=b", &plain]), false), expected);
        assert_eq!(secret(&showing(&[&secure]), true), expected);
        assert_eq!(secret(&showing(&[&plain]), true), None);
        assert_eq!(secret(&showing(&[&secure]), false), None);
        for other in ["deskbell_session=", "deskbell_session=x", "deskbell_session", "x=y", ""] {
            assert_eq!(secret(&showing(&[other]), false), None, "{other}");
        }
    }

    #[test]
    fn scripts_and_other_sites_do_not_get_it() {
        let secret: AccessToken = format!("dbt_{}", "0f".repeat(32)).parse().unwrap();
        let plain = set(&secret, 60, false).unwrap();
        let text = plain.to_str().unwrap().to_owned();
        assert!(text.starts_with("deskbell_session=dbt_0f") && plain.is_sensitive());
        assert!(text.ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"), "{text}");
        let secure = set(&secret, 60, true).unwrap();
        let text = secure.to_str().unwrap();
        assert!(text.starts_with("__Host-deskbell_session=dbt_") && text.ends_with("; Secure"));
        let cleared = cleared(false).unwrap();
        assert!(cleared.to_str().unwrap().starts_with("deskbell_session=; Path=/; Max-Age=0"));
    }
}
