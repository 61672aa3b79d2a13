//! Text for people: times, durations, and other people's text in one line.

use clerk_webhooks::UnixMillis;

/// A duration in its two largest units, or in one where it is short.
#[must_use]
pub fn in_words(millis: i64) -> String {
    let seconds = millis.max(0) / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let units = match (days, hours, minutes) {
        (0, 0, 0) => [(seconds, "second"), (0, "")],
        (0, 0, _) => [(minutes, "minute"), (0, "")],
        (0, _, _) => [(hours, "hour"), (minutes % 60, "minute")],
        _ => [(days, "day"), (hours % 24, "hour")],
    };
    let words = units.into_iter().enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
    let words = words.map(|(_, (count, unit))| match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A time in milliseconds since the Unix epoch, such as `2026-11-21T08:00:00Z`.
#[must_use]
pub fn shown_time(at_ms: i64) -> String {
    UnixMillis::from_millis(at_ms).map_or_else(|| format!("{at_ms} ms"), |at| at.to_string())
}

/// The text without line breaks and control characters, which a terminal or a header would obey.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, wanted) in [
            (0, "0 seconds"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (3_600, "1 hour"),
            (3_660, "1 hour 1 minute"),
            (7_200, "2 hours"),
            (86_400, "1 day"),
            (3 * 86_400 + 4 * 3_600 + 59, "3 days 4 hours"),
        ] {
            assert_eq!(in_words(seconds * 1_000), wanted);
        }
        assert_eq!(in_words(20_500), "20 seconds");
    }

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        assert_eq!(one_line("a\u{1b}[2Jb\r\nc"), "a [2Jb  c");
    }
}
