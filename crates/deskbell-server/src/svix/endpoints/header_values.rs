//! Headers that a client sets.

use std::collections::BTreeMap;

use deskbell_admin::SealedSecret;
use http::{HeaderName, HeaderValue};

use crate::svix::errors::{ApiError, Part};

/// Bytes of a header's name, and of its value.
const NAME_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 4096;

/// These headers, if they can be sent.
pub(super) fn checked(
    headers: BTreeMap<String, SealedSecret>,
) -> Result<BTreeMap<String, SealedSecret>, ApiError> {
    let headers = headers.into_iter().map(|(name, value)| (name, Some(value))).collect();
    let checked = checked_changes(headers)?;
    Ok(checked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

/// These headers, with a value or without one, if they can be sent. Names are in lower case.
pub(super) fn checked_changes(
    headers: BTreeMap<String, Option<SealedSecret>>,
) -> Result<BTreeMap<String, Option<SealedSecret>>, ApiError> {
    let mut checked = BTreeMap::new();
    for (name, value) in headers {
        let at = format!("headers.{name}");
        let known = name.parse::<HeaderName>().ok().filter(|_| name.len() <= NAME_BYTES_MAX);
        let known = known.ok_or_else(|| invalid(&at, "expected the name of a header"))?;
        if let Some(value) = &value {
            check_value(&at, &value.0)?;
        }
        if checked.insert(known.as_str().to_owned(), value).is_some() {
            return Err(invalid(&at, "expected each header once"));
        }
    }
    Ok(checked)
}

fn check_value(at: &str, value: &str) -> Result<(), ApiError> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(invalid(at, format!("expected at most {VALUE_BYTES_MAX} bytes")));
    }
    match HeaderValue::from_str(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid(at, "expected a text without control characters")),
    }
}

fn invalid(name: &str, message: impl Into<String>) -> ApiError {
    ApiError::invalid(Part::Body, name, message)
}
