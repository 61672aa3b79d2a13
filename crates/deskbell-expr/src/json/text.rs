//! JSON strings: reading them, and keeping out what a database cannot hold.

use std::borrow::Cow;
use std::str::Chars;

use super::bounds::bounded;

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// A text with every NUL as U+FFFD.
#[must_use]
pub fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text that a JSON string, given without its quotes, stands for.
#[must_use]
pub fn unescape(written: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', written.as_bytes()).is_none() {
        return Cow::Borrowed(written);
    }
    let mut text = String::with_capacity(written.len());
    let mut chars = written.chars();
    while let Some(char) = chars.next() {
        text.push(if char == '\\' { escaped(&mut chars) } else { char });
    }
    Cow::Owned(text)
}

/// JSON text as every database reads it: an escape of a NUL or of half a surrogate pair is `\ufffd`, and
/// what nests deeper than [`STORED_DEPTH_MAX`](super::STORED_DEPTH_MAX) and a number of more digits than
/// PostgreSQL holds are null. All else stays as it was written.
#[must_use]
pub fn clean(written: &str) -> Cow<'_, str> {
    match bounded(written) {
        Cow::Borrowed(written) => clean_escapes(written),
        Cow::Owned(bounded) => Cow::Owned(clean_escapes(&bounded).into_owned()),
    }
}

fn clean_escapes(written: &str) -> Cow<'_, str> {
    let mut cleaned = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &written.as_bytes()[at..]) {
        let start = at + found;
        let mut chars = written[start + 1..].chars();
        let unit = escaped(&mut chars);
        at = written.len() - chars.as_str().len();
        if unit == REPLACEMENT {
            cleaned.push_str(&written[kept..start]);
            cleaned.push_str("\\ufffd");
            kept = at;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(written);
    }
    cleaned.push_str(&written[kept..]);
    Cow::Owned(cleaned)
}

/// What the escape whose backslash has been read stands for.
fn escaped(chars: &mut Chars<'_>) -> char {
    match chars.next() {
        Some('u') => unicode_escape(chars),
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(itself) => itself,
        None => REPLACEMENT,
    }
}

fn unicode_escape(chars: &mut Chars<'_>) -> char {
    let Some(first) = hex4(chars) else { return REPLACEMENT };
    let char = match first {
        0 => None,
        0xD800..=0xDBFF => low_surrogate(chars)
            .and_then(|low| char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00))),
        other => char::from_u32(other),
    };
    char.unwrap_or(REPLACEMENT)
}

/// Reads the second half of a surrogate pair; reads nothing where something else follows.
fn low_surrogate(chars: &mut Chars<'_>) -> Option<u32> {
    let mut ahead = chars.clone();
    if ahead.next() != Some('\\') || ahead.next() != Some('u') {
        return None;
    }
    let low = hex4(&mut ahead).filter(|low| (0xDC00..=0xDFFF).contains(low))?;
    *chars = ahead;
    Some(low)
}

fn hex4(chars: &mut Chars<'_>) -> Option<u32> {
    let mut number = 0;
    for _ in 0..4 {
        number = number << 4 | chars.next()?.to_digit(16)?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        for (written, text) in [
            (r"plain", "plain"),
            (r#"\\\"\/\b\f\n\r\t"#, "\\\"/\u{8}\u{c}\n\r\t"),
            (r"\u0026\u003c\u00e9", "&<é"),
            (r"\ud83d\ude00!", "😀!"),
            (r"a\u0000b", "a\u{fffd}b"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\ud83d\n", "\u{fffd}\n"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
        ] {
            assert_eq!(unescape(written), text, "{written}");
        }
    }

    #[test]
    fn cleaning_touches_only_what_no_database_holds() {
        for (written, cleaned) in [
            (r#"{"a":"\u0026 \n \\u0000"}"#, r#"{"a":"\u0026 \n \\u0000"}"#),
            (r#"{"a":"\u0000","\u0000":1.50}"#, r#"{"a":"\ufffd","\ufffd":1.50}"#),
            (r#"["\\\u0000"]"#, r#"["\\\ufffd"]"#),
            (r#"["\ud800","\ud83d\ude00","\uDC00"]"#, r#"["\ufffd","\ud83d\ude00","\ufffd"]"#),
            (r#"["\ud800\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
        ] {
            assert_eq!(clean(written), cleaned, "{written}");
        }
    }
}
