//! Ids are put into paths: only what can be an id of Clerk's is.

use crate::error::InvalidId;

const BYTES_MAX: usize = 256;

/// The id, if it can stand in a path.
pub(crate) fn checked(id: &str) -> Result<&str, InvalidId> {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.is_empty() || id.len() > BYTES_MAX || !id.bytes().all(is_valid) {
        return Err(InvalidId(id.chars().take(BYTES_MAX).collect()));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_lead_to_another_path() {
        for (id, expected) in [
            ("user_29w83sxmDNGwOuEthce5gg56FcC", true),
            ("acme-inc", true),
            ("", false),
            ("..", false),
            ("a/b", false),
            ("a?b=c", false),
            ("a%2fb", false),
            ("ä", false),
            (&"a".repeat(257), false),
        ] {
            assert_eq!(checked(id).is_ok(), expected, "{id}");
        }
    }
}
