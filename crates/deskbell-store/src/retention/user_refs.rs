//! References to users in a payload: user ids and email addresses.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::LogId;

/// What every user's id begins with.
const USER: &str = "user_";
/// A longer text is neither: an address has at most 254 bytes (RFC 5321). An index takes none that
/// is much longer.
const USER_REF_BYTES_MAX: usize = 320;

/// Each text in the payload that is a user id or an email address; addresses in lower case.
#[must_use]
pub fn user_refs_in(payload: &[u8]) -> BTreeSet<String> {
    let mut refs = BTreeSet::new();
    match serde_json::from_slice(payload) {
        Ok(value) => collect(&value, &mut refs),
        // Deeper than serde_json reads, or no JSON at all: every quoted text is checked.
        Err(_) => {
            let text = String::from_utf8_lossy(payload);
            text.split('"').for_each(|text| collect_text(text, &mut refs));
        }
    }
    refs
}

/// Whether this is an email address, of what [`user_refs_in`] finds.
#[must_use]
pub(crate) fn is_address(user_ref: &str) -> bool {
    user_ref.contains('@')
}

/// The key of a reference in this log's index: an id as it is, and an address as a digest.
///
/// When SQLite splits a page of an index, it may leave copies of rows in the page's free room, and
/// those are not overwritten with the rows themselves.
#[must_use]
pub(crate) fn index_key(user_ref: &str, log: LogId) -> String {
    if !is_address(user_ref) {
        return user_ref.to_owned();
    }
    let digest = Sha256::new().chain_update(log.to_string()).chain_update(user_ref).finalize();
    let half = digest.iter().take(16).fold(0, |half, byte| half << 8 | u128::from(*byte));
    format!("@{half:032x}")
}

fn collect(value: &Value, refs: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => collect_text(text, refs),
        Value::Array(elements) => elements.iter().for_each(|one| collect(one, refs)),
        Value::Object(members) => {
            for (name, value) in members {
                collect_text(name, refs);
                collect(value, refs);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn collect_text(text: &str, refs: &mut BTreeSet<String>) {
    if text.len() > USER_REF_BYTES_MAX {
        return;
    }
    let is_id = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    if text.strip_prefix(USER).is_some_and(is_id) {
        refs.insert(text.to_owned());
    } else if text.contains('@') && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        refs.insert(text.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_addresses_are_found_wherever_they_stand() {
        let deep = format!("{}\"user_deep\"{}", "[".repeat(200), "]".repeat(200));
        let long = format!(r#"["https://example.com/@{0}", "user_{0}"]"#, "a".repeat(3_000));
        let cases: [(&str, &[&str]); 8] = [
            (
                r#"{"data":{"id":"user_1","organization":{"created_by":"user_2"}}}"#,
                &["user_1", "user_2"],
            ),
            (
                r#"{"user_3":["Ada@Example.com"],"to":"\u0061da@example.com"}"#,
                &["ada@example.com", "user_3"],
            ),
            (r#"{"type":"user.created","object":"user","n":1,"last":null}"#, &[]),
            (r#"{"bio":"write to user_1 or ada@example.com"}"#, &[]),
            (r#"{"id":"user_","other":"user_1-2"}"#, &[]),
            (r#"["ada@\u0000example.com"]"#, &[]),
            (&long, &[]),
            (&deep, &["user_deep"]),
        ];
        for (payload, expected) in cases {
            let found: Vec<_> = user_refs_in(payload.as_bytes()).into_iter().collect();
            assert_eq!(found, expected, "{payload}");
        }
    }
}
