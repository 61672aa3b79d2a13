//! What a page is asked with: the query of its address, or a form.

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use url::form_urlencoded;

use crate::reply::Failure;

/// A form of more bytes is refused.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// A form or an address with more names and values is refused.
const PARAMS_MAX: usize = 100;

/// Names and values, in their order. A name can come more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Failure> {
        let pairs = form_urlencoded::parse(text).into_owned();
        let pairs: Vec<_> = pairs.take(PARAMS_MAX + 1).collect();
        if pairs.len() > PARAMS_MAX {
            let message = format!("expected at most {PARAMS_MAX} fields, found more");
            return Err(Failure::BadRequest(message));
        }
        Ok(Self(pairs))
    }

    /// The first value of this name that is not blank, trimmed.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of this name that is not blank, trimmed.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.one(name).map(str::to_owned)
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.one(name).and_then(|value| value.parse().ok())
    }

    /// The value of a field that a form must have.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.one(name).ok_or_else(|| Failure::BadRequest(format!("`{name}` is empty")))
    }
}

/// The query of the address.
pub(crate) struct Query(pub(crate) Params);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        Params::parse(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

/// A form's fields.
pub(crate) struct Form(pub(crate) Params);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let too_long = || format!("expected a form of at most {FORM_BYTES_MAX} bytes");
        let bytes: Bytes = to_bytes(request.into_body(), FORM_BYTES_MAX)
            .await
            .map_err(|_| Failure::BadRequest(too_long()))?;
        Params::parse(&bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_values_are_no_values_and_names_can_repeat() {
        let params =
            Params::parse(b"type=user.*&type=+&type=session.created&text=&n=7&q=a%20b").unwrap();
        assert_eq!(params.all("type").collect::<Vec<_>>(), ["user.*", "session.created"]);
        assert_eq!((params.one("text"), params.one("q")), (None, Some("a b")));
        assert_eq!((params.number::<u32>("n"), params.number::<u32>("q")), (Some(7), None));
    }

    #[test]
    fn a_form_is_read_whole_or_refused() {
        let long = "ü".repeat(20_000);
        let params = Params::parse(format!("q={long}").as_bytes()).unwrap();
        assert_eq!(params.one("q"), Some(long.as_str()));
        let of = |fields: usize| Params::parse("type=user.*&".repeat(fields).as_bytes());
        assert_eq!(of(PARAMS_MAX).unwrap().all("type").count(), PARAMS_MAX);
        assert!(of(PARAMS_MAX + 1).is_err());
    }
}
