//! Times as they are read on the command line.

use clerk_webhooks::UnixMillis;
use deskbell_store::clock::{self, whole_ms};

/// A time such as `2026-11-21T08:00:00Z`, or how long ago it was, such as `2h`.
pub(super) fn since(text: &str) -> Result<UnixMillis, &'static str> {
    since_at(text, clock::now_ms())
}

fn since_at(text: &str, now_ms: i64) -> Result<UnixMillis, &'static str> {
    let ago = humantime::parse_duration(text).ok().map(|ago| now_ms.saturating_sub(whole_ms(ago)));
    let moment = match ago {
        Some(millis) => UnixMillis::from_millis(millis),
        None => text.parse().ok(),
    };
    moment.ok_or("expected a time such as 2026-11-21T08:00:00Z, or how long ago, such as 2h")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_how_long_ago_are_read() {
        let now_ms = 1_700_000_000_000;
        for (text, wanted) in [
            ("2h", Some(now_ms - 7_200_000)),
            ("3d", Some(now_ms - 259_200_000)),
            ("1970-01-01T00:00:01Z", Some(1_000)),
            ("yesterday", None),
            ("", None),
        ] {
            let read = since_at(text, now_ms).ok().map(UnixMillis::as_millis);
            assert_eq!(read, wanted, "{text}");
        }
    }
}
