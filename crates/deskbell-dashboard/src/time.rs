//! Moments and spans of time. Pages have UTC; a script puts the reader's own zone in its place.

use deskbell_admin::Timestamp;
use maud::{Markup, html};

const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Now, by this machine's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp(deskbell_store::clock::now_ms())
}

pub(crate) fn before(moment: Timestamp, ms: i64) -> Timestamp {
    Timestamp(moment.0.saturating_sub(ms))
}

/// A moment to the second.
pub(crate) fn moment(moment: Timestamp) -> Markup {
    let exact = moment.to_string();
    html! { time datetime=(exact) title=(exact_words(&exact)) { (short(&exact)) } }
}

pub(crate) fn maybe(at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { (moment(at)) } @else { "–" } }
}

/// How long ago a moment was, with the moment itself on hover.
pub(crate) fn ago(moment: Timestamp, now: Timestamp) -> Markup {
    let exact = moment.to_string();
    let passed = now.0.saturating_sub(moment.0);
    html! {
        time datetime=(exact) title=(exact_words(&exact)) data-time="ago" {
            @if passed < SECOND { "just now" } @else { (span(passed)) " ago" }
        }
    }
}

/// `21 Nov 08:00:00`, of RFC 3339.
fn short(exact: &str) -> String {
    let (date, time) = exact.split_once('T').unwrap_or((exact, ""));
    let mut parts = date.rsplitn(3, '-');
    let day = parts.next().unwrap_or_default().trim_start_matches('0');
    let month = parts.next().and_then(|month| month.parse::<usize>().ok());
    let month = month.and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"");
    format!("{day} {month} {}", time.get(..8).unwrap_or(time))
}

fn exact_words(exact: &str) -> String {
    format!("{} UTC", exact.trim_end_matches('Z').replace('T', " "))
}

/// A duration in its largest unit, or its two largest where the first is small.
pub(crate) fn span(ms: i64) -> String {
    let with = |unit: i64, name: &str, below: i64, below_name: &str| {
        let rest = ms % unit / below;
        let whole = ms / unit;
        if rest == 0 || whole >= 10 {
            format!("{whole} {name}")
        } else {
            format!("{whole} {name} {rest} {below_name}")
        }
    };
    match ms {
        ..SECOND => format!("{} ms", ms.max(0)),
        SECOND..MINUTE => format!("{} s", ms / SECOND),
        MINUTE..HOUR => format!("{} min", ms / MINUTE),
        HOUR..DAY => with(HOUR, "h", MINUTE, "min"),
        _ => with(DAY, "d", HOUR, "h"),
    }
}

pub(crate) fn span_of_seconds(seconds: u64) -> String {
    span(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND))
}

/// A span as people write it in addresses, such as `24h`: minutes, hours or days.
pub(crate) fn parse_span(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    let number: i64 = text[..text.len() - 1].parse().ok()?;
    number.checked_mul(unit).filter(|ms| *ms > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_utc_with_the_exact_time_on_hover() {
        let shown = moment(Timestamp(1_795_248_000_123)).into_string();
        assert_eq!(
            shown,
            "<time datetime=\"2026-11-21T08:00:00.123Z\" title=\"2026-11-21 08:00:00.123 UTC\">\
             21 Nov 08:00:00</time>"
        );
        assert!(moment(Timestamp(i64::MAX)).into_string().contains("9999"));
    }

    #[test]
    fn spans_have_one_or_two_units() {
        for (ms, expected) in [
            (-5, "0 ms"),
            (950, "950 ms"),
            (59_999, "59 s"),
            (3 * MINUTE + 9_000, "3 min"),
            (3 * HOUR, "3 h"),
            (3 * HOUR + 12 * MINUTE, "3 h 12 min"),
            (11 * HOUR + 12 * MINUTE, "11 h"),
            (2 * DAY + 3 * HOUR, "2 d 3 h"),
        ] {
            assert_eq!(span(ms), expected);
        }
    }

    #[test]
    fn spans_are_read() {
        assert_eq!([parse_span("24h"), parse_span("7d")], [Some(DAY), Some(7 * DAY)]);
        for wrong in ["", "h", "-1h", "1w", "9223372036854775807d", "ü"] {
            assert_eq!(parse_span(wrong), None, "{wrong}");
        }
    }
}
