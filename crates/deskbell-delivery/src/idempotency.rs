//! Keys by which a service recognises a message that it has already got.

use std::fmt::Write as _;

/// The hash before a key that had to be changed, and the `-` after it.
const HASH_CHARS: usize = 17;

/// The key of a message to a destination: `<destination>/<message id>`, in visible ASCII and at most
/// `chars_max` long. One that must be cut or cleaned begins with a hash of the whole, so that keys
/// stay different.
pub(crate) fn key(destination: &str, message_id: &str, chars_max: usize) -> String {
    let whole = format!("{destination}/{message_id}");
    if whole.len() <= chars_max && whole.bytes().all(|byte| byte.is_ascii_graphic()) {
        return whole;
    }
    let mut key = format!("{:016x}-", fnv_1a(whole.as_bytes()));
    let clean = whole.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' });
    key.extend(clean.take(chars_max.saturating_sub(HASH_CHARS)));
    key
}

/// A Message-ID as in RFC 5322: the same at every attempt.
pub(crate) fn message_id(destination: &str, message_id: &str, domain: &str) -> String {
    let mut id = format!("<{:016x}.", fnv_1a(destination.as_bytes()));
    for byte in message_id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            id.push(char::from(byte));
        } else {
            let _ = write!(id, "={byte:02x}");
        }
    }
    format!("{id}@{domain}>")
}

/// FNV-1a: the same in every version of this program. It is no protection against an attacker.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fit_and_differ() {
        assert_eq!(key("welcome", "msg_1", 100), "welcome/msg_1");
        let long = "d".repeat(300);
        let (one, two) = (key(&long, "msg_1", 256), key(&long, "msg_2", 256));
        assert!(one.len() == 256 && two.len() == 256 && one != two, "{one} {two}");
        let (one, two) = (key("ä", "msg_1", 100), key("ö", "msg_1", 100));
        assert!(one != two && one.is_ascii(), "{one} {two}");
        assert!(key("a\r\nb", "m", 100).bytes().all(|byte| byte.is_ascii_graphic()));
    }

    #[test]
    fn message_ids_are_stable_and_clean() {
        assert_eq!(fnv_1a(b"a"), 0xaf63_dc4c_8601_ec8c, "the published value");
        let id = message_id("welcome", "msg_2a", "acme.example");
        assert_eq!(id, "<a82cf0058e96a413.msg_2a@acme.example>");
        assert_eq!(
            message_id("welcome", "a>\r\nX: y", "acme.example"),
            "<a82cf0058e96a413.a=3e=0d=0aX=3a=20y@acme.example>"
        );
    }
}
