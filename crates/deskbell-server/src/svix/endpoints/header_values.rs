//! Headers that a client sets.

use std::collections::BTreeMap;

use deskbell_admin::SealedSecret;
use http::{HeaderName, HeaderValue};

use super::secret_text::SecretText;
use crate::svix::errors::{ApiError, Part};

/// Headers that an endpoint can have.
const HEADERS_MAX: usize = 50;

/// These headers, if they can be sent.
pub(super) fn checked(
    headers: BTreeMap<String, SecretText>,
) -> Result<BTreeMap<String, SealedSecret>, ApiError> {
    let headers = headers.into_iter().map(|(name, value)| (name, Some(value))).collect();
    let checked = checked_changes(headers)?.into_iter();
    Ok(checked.filter_map(|(name, value)| Some((name, value?))).collect())
}

/// These headers, with a value or without one, if they can be sent. Names are in lower case.
pub(super) fn checked_changes(
    headers: BTreeMap<String, Option<SecretText>>,
) -> Result<BTreeMap<String, Option<SealedSecret>>, ApiError> {
    if headers.len() > HEADERS_MAX {
        return Err(invalid("headers", format!("expected at most {HEADERS_MAX} headers")));
    }
    let mut checked = BTreeMap::new();
    for (name, value) in headers {
        let at = format!("headers.{name}");
        let known: HeaderName =
            name.parse().map_err(|_| invalid(&at, "expected the name of a header"))?;
        if value.as_ref().is_some_and(|value| HeaderValue::from_str(&value.0).is_err()) {
            return Err(invalid(&at, "expected a text without control characters"));
        }
        if checked.insert(known.as_str().to_owned(), value.map(Into::into)).is_some() {
            return Err(invalid(&at, "expected each header once"));
        }
    }
    Ok(checked)
}

fn invalid(name: &str, message: impl Into<String>) -> ApiError {
    ApiError::invalid(Part::Body, name, message)
}
