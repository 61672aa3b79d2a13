//! The server that requests go to: their credentials, and the form of the errors that it answers with.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::secret_key::{REDACTED, SecretKey};
use crate::token::Token;

/// The version of the API that this client is written for.
pub const API_VERSION: &str = "2026-05-12";
const API_VERSION_HEADER: HeaderName = HeaderName::from_static("clerk-api-version");

/// A server, with the credentials for it.
#[derive(Debug)]
pub(crate) enum Peer {
    /// Clerk's Backend API.
    Clerk(SecretKey),
    /// Clerk's sender before there is a session. The one-time token is in the body.
    SenderLogin(Token),
    /// Clerk's sender, with the token of a session.
    Sender(Token),
}

/// What an answer says of an error. All of it is somebody else's text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) trace_id: Option<String>,
}

impl Peer {
    /// The headers of every request.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match self {
            Self::Clerk(key) => {
                headers.insert(AUTHORIZATION, bearer(key.expose()));
                headers.insert(API_VERSION_HEADER, HeaderValue::from_static(API_VERSION));
            }
            Self::SenderLogin(_) => {}
            Self::Sender(token) => {
                headers.insert(AUTHORIZATION, bearer(token.expose()));
            }
        }
        headers
    }

    /// The text without the credentials, if they are in it.
    pub(crate) fn redact(&self, text: &str) -> String {
        let secret = match self {
            Self::Clerk(key) => key.expose(),
            Self::SenderLogin(token) | Self::Sender(token) => token.expose(),
        };
        text.replace(secret, REDACTED)
    }

    /// What the body of an answer says of an error; nothing if it has another form.
    pub(crate) fn said(&self, body: &[u8]) -> Said {
        match self {
            Self::Clerk(_) => said_by_clerk(body),
            Self::SenderLogin(_) | Self::Sender(_) => said_by_sender(body),
        }
    }
}

fn bearer(secret: &str) -> HeaderValue {
    let value = Zeroizing::new(format!("Bearer {secret}"));
    let mut value = HeaderValue::from_str(&value).expect("the characters were checked");
    value.set_sensitive(true);
    value
}

fn said_by_clerk(body: &[u8]) -> Said {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<Entry>,
        clerk_trace_id: Option<String>,
    }

    #[derive(Deserialize)]
    struct Entry {
        code: Option<String>,
        message: Option<String>,
        long_message: Option<String>,
    }

    let Ok(body) = serde_json::from_slice::<Body>(body) else { return Said::default() };
    let first = body.errors.into_iter().next();
    let (code, message) = first.map_or((None, None), |first| {
        (first.code, first.long_message.filter(|long| !long.is_empty()).or(first.message))
    });
    Said { code, message, trace_id: body.clerk_trace_id }
}

/// The sender has two forms: one with a code, and one for each value that is not valid.
fn said_by_sender(body: &[u8]) -> Said {
    #[derive(Deserialize)]
    struct Body {
        code: Option<String>,
        detail: Detail,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Detail {
        Text(String),
        Invalid(Vec<Invalid>),
    }

    #[derive(Deserialize)]
    struct Invalid {
        #[serde(default)]
        loc: Vec<String>,
        msg: String,
        r#type: Option<String>,
    }

    let Ok(body) = serde_json::from_slice::<Body>(body) else { return Said::default() };
    match body.detail {
        Detail::Text(message) => Said { code: body.code, message: Some(message), trace_id: None },
        Detail::Invalid(invalid) => {
            let code = body.code.or_else(|| invalid.first()?.r#type.clone());
            let messages = invalid.iter().map(|one| format!("{}: {}", one.loc.join("."), one.msg));
            let message = messages.collect::<Vec<_>>().join("; ");
            Said { code, message: Some(message), trace_id: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_sender(body: &str) -> (Option<String>, Option<String>) {
        let said = Peer::Sender(Token::parse("token".to_owned()).unwrap()).said(body.as_bytes());
        assert_eq!(said.trace_id, None);
        (said.code, said.message)
    }

    #[test]
    fn both_forms_of_the_senders_errors_are_read() {
        for (body, code, message) in [
            (
                r#"{"code": "not_found", "detail": "Entity not found"}"#,
                Some("not_found"),
                Some("Entity not found"),
            ),
            (
                r#"{"detail": [{"loc": ["body", "filterTypes"], "msg": "no a.b", "type": "value_error"}]}"#,
                Some("value_error"),
                Some("body.filterTypes: no a.b"),
            ),
            (r#"{"detail": []}"#, None, Some("")),
            (r#"{"detail": 7}"#, None, None),
            (r#"{"errors": [{"code": "of_clerk"}]}"#, None, None),
            ("<html>", None, None),
        ] {
            let expected = (code.map(str::to_owned), message.map(str::to_owned));
            assert_eq!(of_sender(body), expected, "{body}");
        }
    }

    #[test]
    fn credentials_are_in_their_header_alone() {
        let token = || Token::parse("Ab3Cd4".to_owned()).unwrap();
        let key = SecretKey::parse("sk_test_Ab3Cd4").unwrap();
        for (peer, is_sent) in [
            (Peer::Clerk(key), true),
            (Peer::SenderLogin(token()), false),
            (Peer::Sender(token()), true),
        ] {
            let headers = peer.headers();
            let sent = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap());
            assert_eq!(sent.is_some_and(|value| value.ends_with("Ab3Cd4")), is_sent, "{peer:?}");
            let is_clerk = matches!(peer, Peer::Clerk(_));
            assert_eq!(headers.contains_key(API_VERSION_HEADER), is_clerk, "{peer:?}");
            let shown =
                format!("{peer:?} {headers:?} {}", peer.redact("no sk_test_Ab3Cd4, Ab3Cd4!"));
            let expected = if is_clerk { 1 } else { 0 };
            assert_eq!(shown.matches("Ab3Cd4").count(), expected, "{shown}");
        }
    }
}
