//! Numbers of payloads, exactly: as JSON numbers, and as texts that hold one.

use std::borrow::Cow;

use crate::json::Json;

/// Digits of a decimal number, written out; one with more is null in its column and whole in `raw`.
const DECIMAL_DIGITS_MAX: usize = 64;

/// A whole number, also where it is sent as a text such as `"123"`.
pub(super) fn integer(json: Json<'_>) -> Option<i64> {
    json.integer().or_else(|| {
        let text = json.text()?;
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
        whole.then(|| text.parse().ok())?
    })
}

/// A number with every digit that it has and no exponent, also where it is sent as a text.
pub(super) fn decimal(json: Json<'_>) -> Option<String> {
    let text = json.text().unwrap_or(Cow::Borrowed(json.as_written()));
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, &*text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let is_number = !whole.is_empty()
        && [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let written = is_number.then(|| shifted(whole, fraction, exponent))??;
    Some(if negative { format!("-{written}") } else { written })
}

/// These digits with the point moved to the right by `exponent`.
fn shifted(whole: &str, fraction: &str, exponent: i32) -> Option<String> {
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent.into())?;
    let (zeros_before, zeros_behind) = (
        usize::try_from((-point).max(0)).ok()?,
        usize::try_from((point - i64::try_from(digits.len()).ok()?).max(0)).ok()?,
    );
    if digits.len().saturating_add(zeros_before).saturating_add(zeros_behind) > DECIMAL_DIGITS_MAX {
        return None;
    }
    let digits = format!("{}{digits}{}", "0".repeat(zeros_before), "0".repeat(zeros_behind));
    let (whole, fraction) = digits.split_at(usize::try_from(point.max(0)).ok()?);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn whole_numbers_come_as_numbers_and_as_texts() {
        for (text, expected) in [
            ("123", Some(123)),
            ("\"123\"", Some(123)),
            ("\"-5\"", Some(-5)),
            ("5.0", Some(5)),
            ("\"+5\"", None),
            ("\"5 \"", None),
            ("\"\"", None),
            ("\"-\"", None),
            ("\"19.99\"", None),
            ("\"now\"", None),
            ("\"99999999999999999999\"", None),
            ("null", None),
            ("true", None),
        ] {
            assert_eq!(integer((&*raw(text)).into()), expected, "{text}");
        }
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (text, expected) in [
            ("19.99", Some("19.99")),
            ("2000", Some("2000")),
            ("-0.5", Some("-0.5")),
            ("\"19.990\"", Some("19.990")),
            ("12345678901234567890123456789", Some("12345678901234567890123456789")),
            ("1234567890.1234567890123456789", Some("1234567890.1234567890123456789")),
            ("1.999e3", Some("1999")),
            ("1.5E+2", Some("150")),
            ("25e-3", Some("0.025")),
            ("1e400", None),
            ("1e-400", None),
            ("1e99999999999", None),
            ("\"infinity\"", None),
            ("\"NaN\"", None),
            ("\"1.\"", None),
            ("\".5\"", None),
            ("\"\"", None),
            ("null", None),
            ("true", None),
            ("{}", None),
            ("[1]", None),
        ] {
            assert_eq!(decimal((&*raw(text)).into()).as_deref(), expected, "{text}");
        }
        assert_eq!(decimal((&*raw(&"9".repeat(65))).into()), None);
    }
}
