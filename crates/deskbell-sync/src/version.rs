//! Which of two states of one entity is the later one.

use clerk_webhooks::UnixMillis;

/// An entity's version: its own time, then the event's, then the message id as bytes. No clock of
/// ours takes part, so that every replica and every replay comes to the same answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The entity's own `updated_at`; where it has none, the event's time.
    pub updated_at_ms: i64,
    /// When the event happened, by the sender's clock.
    pub occurred_at_ms: i64,
    /// The message's id; empty for an object that was read from the API.
    pub message_id: String,
}

impl Version {
    /// The version that an event gives to the entity in its `data`.
    #[must_use]
    pub fn new(updated_at: Option<UnixMillis>, occurred_at_ms: i64, message_id: &str) -> Self {
        let updated_at_ms = updated_at.map_or(occurred_at_ms, UnixMillis::as_millis);
        Self { updated_at_ms, occurred_at_ms, message_id: message_id.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(updated_at_ms: i64, occurred_at_ms: i64, message_id: &str) -> Version {
        Version { updated_at_ms, occurred_at_ms, message_id: message_id.to_owned() }
    }

    #[test]
    fn the_parts_count_in_order_and_ids_as_bytes() {
        let ascending = [
            version(1, 9, "z"),
            version(2, 1, "z"),
            version(2, 2, ""),
            version(2, 2, "B"),
            version(2, 2, "a"),
            version(2, 2, "a1"),
            version(2, 2, "é"),
        ];
        assert!(ascending.is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn the_events_time_stands_in_for_the_entitys() {
        assert_eq!(Version::new(None, 7, "msg"), version(7, 7, "msg"));
        assert_eq!(Version::new(UnixMillis::from_millis(3), 7, "msg"), version(3, 7, "msg"));
    }
}
