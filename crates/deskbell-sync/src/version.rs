//! Which of two states of one entity is the later one.

use clerk_webhooks::UnixMillis;

use crate::value::Value;

/// An entity's version: its own time, then the event's, then what kind of event it was, then the
/// message id as bytes. No clock of ours takes part, so that every replica and every replay comes
/// to the same answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The entity's own `updated_at`; where it has none, the event's time.
    pub updated_at_ms: i64,
    /// When the event happened, by the sender's clock.
    pub occurred_at_ms: i64,
    /// What kind of event it was: of two events of the same moment a creation is the earlier one.
    pub rank: Rank,
    /// The message's id; empty for an object that was read from the API.
    pub message_id: String,
}

/// The order of the kinds of events that happen at the same moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Created,
    /// Anything else, an object that was read from the API among it.
    #[default]
    Changed,
    Deleted,
}

impl Rank {
    /// The rank of events of this type.
    #[must_use]
    pub fn of(event_type: &str) -> Self {
        match event_type.rsplit_once('.') {
            Some((_, "created")) => Self::Created,
            Some((_, "deleted")) => Self::Deleted,
            _ => Self::Changed,
        }
    }

    /// As databases store it.
    #[must_use]
    pub fn stored(self) -> i64 {
        match self {
            Self::Created => 0,
            Self::Changed => 1,
            Self::Deleted => 2,
        }
    }

    /// What a database has stored.
    pub(crate) fn from_stored(stored: i64) -> Self {
        match stored {
            ..=0 => Self::Created,
            1 => Self::Changed,
            2.. => Self::Deleted,
        }
    }
}

impl Version {
    /// From the columns that a row has of it; `None` where the row is of a delete alone.
    pub(crate) fn from_columns(columns: [Value; 4]) -> Option<Self> {
        let [updated_at, occurred_at, rank, message_id] = columns;
        Some(Self {
            updated_at_ms: updated_at.integer()?,
            occurred_at_ms: occurred_at.integer()?,
            rank: rank.integer().map_or(Rank::default(), Rank::from_stored),
            message_id: message_id.into_text()?,
        })
    }

    /// The version that an event of this type gives to the entity in its `data`. What has no message
    /// was read from the API.
    #[must_use]
    pub fn new(
        updated_at: Option<UnixMillis>,
        occurred_at_ms: i64,
        event_type: &str,
        message_id: &str,
    ) -> Self {
        let updated_at_ms = updated_at.map_or(occurred_at_ms, UnixMillis::as_millis);
        let rank = if message_id.is_empty() { Rank::Changed } else { Rank::of(event_type) };
        Self { updated_at_ms, occurred_at_ms, rank, message_id: message_id.to_owned() }
    }

    /// Whether this replaces `kept`, which was stored under another revision of the mapping where
    /// `remade`.
    ///
    /// A database that is older than ranks has one rank for all: there only the same message, or a
    /// kind that is not earlier, is sure to be right; the log has what is greater still.
    pub(crate) fn replaces(&self, kept: &Self, remade: bool) -> bool {
        let same_moment =
            self.updated_at_ms == kept.updated_at_ms && self.occurred_at_ms == kept.occurred_at_ms;
        let not_earlier = self.message_id == kept.message_id || self.rank >= kept.rank;
        self > kept || remade && same_moment && not_earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(updated_at_ms: i64, occurred_at_ms: i64, rank: Rank, message_id: &str) -> Version {
        Version { updated_at_ms, occurred_at_ms, rank, message_id: message_id.to_owned() }
    }

    #[test]
    fn the_parts_count_in_order_and_ids_as_bytes() {
        let ascending = [
            version(1, 9, Rank::Deleted, "z"),
            version(2, 1, Rank::Deleted, "z"),
            version(2, 2, Rank::Created, "z"),
            version(2, 2, Rank::Changed, ""),
            version(2, 2, Rank::Changed, "B"),
            version(2, 2, Rank::Changed, "a"),
            version(2, 2, Rank::Changed, "a1"),
            version(2, 2, Rank::Changed, "é"),
            version(2, 2, Rank::Deleted, "a"),
        ];
        assert!(ascending.is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn the_events_time_stands_in_for_the_entitys() {
        let changed = |updated_at_ms| version(updated_at_ms, 7, Rank::Changed, "msg");
        assert_eq!(Version::new(None, 7, "user.updated", "msg"), changed(7));
        let three = UnixMillis::from_millis(3);
        assert_eq!(Version::new(three, 7, "user.updated", "msg"), changed(3));
    }

    #[test]
    fn creations_come_first_and_deletes_last() {
        for (event_type, rank) in [
            ("user.created", Rank::Created),
            ("organizationMembership.created", Rank::Created),
            ("user.updated", Rank::Changed),
            ("session.ended", Rank::Changed),
            ("", Rank::Changed),
            ("created", Rank::Changed),
            ("user.deleted", Rank::Deleted),
        ] {
            assert_eq!(Rank::of(event_type), rank, "{event_type}");
            assert_eq!(Rank::from_stored(rank.stored()), rank);
        }
    }

    #[test]
    fn what_was_stored_without_a_rank_is_replaced_by_its_own_message_and_by_no_earlier_kind() {
        let kept = version(2, 2, Rank::Changed, "m");
        for (offered, replaces) in [
            (version(2, 2, Rank::Created, "m"), true),
            (version(2, 2, Rank::Changed, "a"), true),
            (version(2, 2, Rank::Created, "z"), false),
            (version(2, 1, Rank::Changed, "m"), false),
        ] {
            assert_eq!(offered.replaces(&kept, true), replaces, "{offered:?}");
            assert!(!offered.replaces(&kept, false), "{offered:?}");
        }
    }
}
