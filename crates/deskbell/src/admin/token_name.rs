//! Names of tokens.

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 64;

/// A name that fits into a line and a URL.
pub(crate) fn check(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(is_plain) {
        return Err(format!("use at most {NAME_BYTES_MAX} letters, digits, `-`, `.` and `_`"));
    }
    Ok(text.to_owned())
}
