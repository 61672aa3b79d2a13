//! A body of JSON, whose unknown members and wrong types are named.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::errors::{ApiError, Part};

/// The body of a request. One that is empty is read as `{}`.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes =
            Bytes::from_request(request, state).await.map_err(|rejection| {
                match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large("the body is too large"),
                    _ => ApiError::invalid(Part::Body, "", "expected a whole body"),
                }
            })?;
        read(&bytes).map(Self)
    }
}

pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, message) = (error.path().to_string(), error.inner().to_string());
        ApiError::invalid(Part::Body, path.trim_start_matches('.'), message)
    })?;
    json.end().map_err(|error| ApiError::invalid(Part::Body, "", error.to_string()))?;
    Ok(value)
}

/// A member that may be left out, and may be null: the outer `None` where it was left out.
pub(super) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default, deserialize_with = "given")]
        uid: Option<Option<String>>,
        #[serde(default)]
        types: Vec<String>,
    }

    fn loc_of(body: &str) -> Vec<String> {
        match read::<Sample>(body.as_bytes()) {
            Err(ApiError::Invalid(error)) => error.loc,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn an_error_names_the_member() {
        assert_eq!(loc_of(r#"{"uid": 1}"#), ["body", "uid"]);
        assert_eq!(loc_of(r#"{"types": ["a", 2]}"#), ["body", "types[1]"]);
        assert_eq!(loc_of(r#"{"typs": []}"#), ["body", "typs"]);
        assert_eq!(loc_of("{"), ["body"]);
        assert_eq!(loc_of("{} {}"), ["body"]);
    }

    #[test]
    fn null_is_not_the_same_as_left_out() {
        for (body, expected) in [
            ("", None),
            ("{}", None),
            (r#"{"uid": null}"#, Some(None)),
            (r#"{"uid": "a"}"#, Some(Some("a".to_owned()))),
        ] {
            let sample: Sample = read(body.as_bytes()).unwrap();
            assert_eq!(sample.uid, expected, "{body}");
            assert!(sample.types.is_empty());
        }
    }
}
