//! Keeping out of JSON text what no database reads: depth, and numbers beyond every range.

use std::borrow::Cow;

use super::scan::{end_of_string, end_of_value};

/// How deep lists and objects may nest in JSON that a database keeps; one that stands deeper is null.
/// SQLite's functions read no deeper, and PostgreSQL's stack ends somewhere above.
pub const STORED_DEPTH_MAX: usize = 1_000;
/// The digits that a number may have before its point; one with more is null. PostgreSQL's numeric
/// holds no more.
const WHOLE_DIGITS_MAX: i64 = 131_072;
/// The digits that a number may have behind its point; one with more is null, likewise.
const FRACTION_DIGITS_MAX: i64 = 16_383;
/// A shorter exponent, sign aside, makes no number too long.
const EXPONENT_DIGITS_MIN: usize = 5;

/// The text with null for each list and object that stands too deep and each number that is too long;
/// all else stays as it was written.
pub(super) fn bounded(written: &str) -> Cow<'_, str> {
    let bytes = written.as_bytes();
    if !may_be_too_deep(bytes) && !may_have_long_number(bytes) {
        return Cow::Borrowed(written);
    }
    let (mut out, mut kept, mut depth, mut at) = (String::new(), 0, 0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'{' | b'[' if depth < STORED_DEPTH_MAX => {
                depth += 1;
                at += 1;
                continue;
            }
            b'{' | b'[' => end_of_value(bytes, at),
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'-' | b'0'..=b'9' => {
                let end = end_of_value(bytes, at);
                if fits(&written[at..end]) {
                    at = end;
                    continue;
                }
                end
            }
            other => {
                depth = depth.saturating_sub(usize::from(matches!(other, b'}' | b']')));
                at += 1;
                continue;
            }
        };
        out.push_str(&written[kept..at]);
        out.push_str("null");
        (kept, at) = (end, end);
    }
    if kept == 0 {
        return Cow::Borrowed(written);
    }
    out.push_str(&written[kept..]);
    Cow::Owned(out)
}

/// A quick look: whether enough opens to be too deep.
fn may_be_too_deep(bytes: &[u8]) -> bool {
    bytes.len() > 2 * STORED_DEPTH_MAX
        && memchr::memchr2_iter(b'{', b'[', bytes).nth(STORED_DEPTH_MAX).is_some()
}

/// A quick look: whether there is room for that many digits, or an exponent that is long.
fn may_have_long_number(bytes: &[u8]) -> bool {
    let exponent_behind = |at: usize| {
        let digits = bytes[at + 1..].iter().skip_while(|byte| matches!(byte, b'+' | b'-'));
        digits.take_while(|byte| byte.is_ascii_digit()).count() >= EXPONENT_DIGITS_MIN
    };
    let is_exponent = |at: usize| at > 0 && bytes[at - 1].is_ascii_digit() && exponent_behind(at);
    i64::try_from(bytes.len()).is_ok_and(|length| length > FRACTION_DIGITS_MAX)
        || may_have_exponent(bytes) && memchr::memchr2_iter(b'e', b'E', bytes).any(is_exponent)
}

/// Whether an exponent of two digits or more can be anywhere. Few documents have what looks like one,
/// and `e` is everywhere: without branches this takes a third of the time of a search for each `e`.
fn may_have_exponent(bytes: &[u8]) -> bool {
    bytes.windows(4).fold(false, |found, window| {
        found
            | window[0].is_ascii_digit()
                & matches!(window[1], b'e' | b'E')
                & matches!(window[2], b'0'..=b'9' | b'+' | b'-')
                & window[3].is_ascii_digit()
    })
}

fn fits(number: &str) -> bool {
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (Ok(exponent), Ok(whole), Ok(fraction)) =
        (exponent.parse::<i64>(), i64::try_from(whole.len()), i64::try_from(fraction.len()))
    else {
        return false;
    };
    whole.saturating_add(exponent) <= WHOLE_DIGITS_MAX
        && fraction.saturating_sub(exponent) <= FRACTION_DIGITS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_database_reads_is_null_alone() {
        let nested = |depth: usize, inside: &str| {
            format!(r#"{{"a":{}{inside}{},"b":"[1"}}"#, "[".repeat(depth), "]".repeat(depth))
        };
        let most = STORED_DEPTH_MAX - 1;
        for (written, expected) in [
            (nested(most, "1"), nested(most, "1")),
            (nested(most + 1, "1"), nested(most, "null")),
            (nested(100_000, "\"]\""), nested(most, "null")),
            (nested(most, r#"{"x":1},[],2"#), nested(most, "null,null,2")),
        ] {
            assert_eq!(bounded(&written), expected);
        }
        for (written, expected) in [
            ("[1e999999,2]", "[null,2]"),
            ("[1e-999999, -1.5E+131072 ,-0.5e99999999999999999999]", "[null, null ,null]"),
            (
                "[1e400,1.5e131071,1e-16383,\"1e999999\",29.99]",
                "[1e400,1.5e131071,1e-16383,\"1e999999\",29.99]",
            ),
            ("[1e131072,1e-16384]", "[null,null]"),
        ] {
            assert_eq!(bounded(written), expected, "{written}");
        }
        let digits = |count: usize| format!("[{},0]", "9".repeat(count));
        assert_eq!(bounded(&digits(131_072)), digits(131_072));
        assert_eq!(bounded(&digits(131_073)), "[null,0]");
        assert_eq!(bounded(&format!("0.{}", "1".repeat(16_384))), "null");
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends(text in "[\\[\\]{},:\"\\\\e1.-]{0,40}") {
            let _ = bounded(&format!("1e99999{text}"));
        }
    }
}
