//! Texts as PostgreSQL reads them into columns of lists and of times.

use std::fmt::Write as _;

use clerk_webhooks::UnixMillis;
use serde_json::Value;

/// Words that PostgreSQL would work out instead of reading a time.
const WORDS_OF_TIME: [&str; 8] =
    ["now", "today", "tomorrow", "yesterday", "epoch", "infinity", "allballs", "current"];

/// Whether a text has a word such as `now`, which is no time.
pub(super) fn has_word_of_time(text: &str) -> bool {
    let mut words = text.split(|char: char| !char.is_ascii_alphabetic());
    words.any(|word| WORDS_OF_TIME.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// A text on its way into a column of times. With an offset from UTC it becomes the moment in UTC: a
/// column without time zones would drop the offset.
pub(super) fn moment_text(text: &str) -> String {
    in_utc(text).unwrap_or_else(|| text.to_owned())
}

/// `2026-11-21T10:00:00.123456+02:00` in UTC, with all its digits; `None` of any other form.
fn in_utc(text: &str) -> Option<String> {
    let (day, time) = text.split_once(['T', 't', ' '])?;
    let sign = time.rfind(['+', '-'])?;
    let (clock, offset) = time.split_at(sign);
    let fraction = clock.split_once('.').map_or("", |(_, fraction)| fraction).trim_end();
    let clock = clock.split('.').next()?.trim_end();
    let digits: String = offset[1..].chars().filter(char::is_ascii_digit).collect();
    let offset = match digits.len() {
        2 => format!("{}{digits}:00", &offset[..1]),
        4 => format!("{}{}:{}", &offset[..1], &digits[..2], &digits[2..]),
        _ => return None,
    };
    let seconds = if clock.len() == "10:00".len() { ":00" } else { "" };
    let whole = Value::from(format!("{day}T{clock}{seconds}{offset}"));
    let moment = UnixMillis::from_json(&whole)?.to_string();
    let (seconds, _) = moment.split_once('.')?;
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    Some(format!("{seconds}{fraction}Z"))
}

/// A JSON list as a list of PostgreSQL's. Anything else stays, and is refused.
pub(super) fn array_text(json: &str) -> String {
    match serde_json::from_str(json) {
        Ok(Value::Array(items)) => {
            let mut text = String::new();
            write_list(&mut text, &items);
            text
        }
        _ => json.to_owned(),
    }
}

fn write_list(text: &mut String, items: &[Value]) {
    text.push('{');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match item {
            Value::Null => text.push_str("NULL"),
            Value::Array(inner) => write_list(text, inner),
            Value::String(item) => write_item(text, item),
            Value::Object(_) => write_item(text, &item.to_string()),
            Value::Bool(_) | Value::Number(_) => {
                let _ = write!(text, "{item}");
            }
        }
    }
    text.push('}');
}

fn write_item(text: &mut String, item: &str) {
    text.push('"');
    for char in item.chars() {
        if matches!(char, '"' | '\\') {
            text.push('\\');
        }
        text.push(char);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_becomes_utc_with_all_its_digits() {
        for (given, expected) in [
            ("2026-11-21T10:00:00+02:00", "2026-11-21T08:00:00Z"),
            ("2026-11-21T10:00:00.123456+0200", "2026-11-21T08:00:00.123456Z"),
            ("2026-11-21 00:30-05", "2026-11-21T05:30:00Z"),
            ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
            ("2026-11-21T10:00:00", "2026-11-21T10:00:00"),
            ("2026-11-21", "2026-11-21"),
            ("21 Nov 2026", "21 Nov 2026"),
        ] {
            assert_eq!(moment_text(given), expected, "{given}");
        }
    }

    #[test]
    fn words_are_no_times() {
        for given in ["now", "Infinity", "-infinity", "today 10:00", "2026-11-21 allballs", "epoch"]
        {
            assert!(has_word_of_time(given), "{given}");
        }
        for given in ["2026-11-21T10:00:00Z", "1 day 02:00", "21 Nov 2026 PST", "knowing"] {
            assert!(!has_word_of_time(given), "{given}");
        }
    }

    #[test]
    fn lists_are_written_as_postgresql_reads_them() {
        for (given, expected) in [
            ("[]", "{}"),
            (r#"["a","b c","q\"\\",null,"NULL",""]"#, r#"{"a","b c","q\"\\",NULL,"NULL",""}"#),
            ("[1,2.5,true]", "{1,2.5,true}"),
            (r#"[["a"],["b"]]"#, r#"{{"a"},{"b"}}"#),
            (r#"[{"k":1}]"#, r#"{"{\"k\":1}"}"#),
            (r#"{"k":1}"#, r#"{"k":1}"#),
        ] {
            assert_eq!(array_text(given), expected);
        }
    }
}
