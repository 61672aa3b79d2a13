//! What is sent and what is answered is JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SenderAnswerError;

/// Reads an answer; an error does not repeat it.
pub(crate) fn parsed<T: DeserializeOwned>(json: &[u8]) -> Result<T, SenderAnswerError> {
    serde_json::from_slice(json).map_err(|_| SenderAnswerError)
}

/// The body of a request.
pub(crate) fn body(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and lists are JSON")
}
