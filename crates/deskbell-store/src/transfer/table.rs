//! What is transferred: each table with its key, in the order in which it is copied.

use super::value::{Kind, Value};

/// A table that both stores have.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The first so many columns are the key, by which it is read in pages.
    pub(super) key_columns: usize,
    pub(super) columns: &'static [(&'static str, Kind)],
}

/// All but the log's own row, whose name and end are transferred by themselves; the index of subjects,
/// which is filled again from the events; and sessions of browsers, which are begun again.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "events",
        key_columns: 1,
        columns: &[
            ("seq", Kind::Integer),
            ("source", Kind::Text),
            ("message_id", Kind::Text),
            ("type", Kind::Text),
            ("subject", Kind::Text),
            ("occurred_at_ms", Kind::Integer),
            ("received_at_ms", Kind::Integer),
            ("instance_id", Kind::Text),
            ("payload", Kind::Bytes),
            ("origin", Kind::Text),
            ("payload_bytes", Kind::Integer),
        ],
    },
    Table {
        name: "replay_requests",
        key_columns: 1,
        columns: &[
            ("number", Kind::Integer),
            ("seq", Kind::Integer),
            ("requested_at_ms", Kind::Integer),
        ],
    },
    Table {
        name: "consumers",
        key_columns: 1,
        columns: &[("name", Kind::Text), ("token", Kind::Integer)],
    },
    Table {
        name: "consumer_reports",
        key_columns: 1,
        columns: &[("name", Kind::Text), ("body", Kind::Text), ("reported_at_ms", Kind::Integer)],
    },
    Table {
        name: "refused_requests",
        key_columns: 2,
        columns: &[("source", Kind::Text), ("cause", Kind::Text), ("requests", Kind::Integer)],
    },
    Table {
        name: "access_tokens",
        key_columns: 1,
        columns: &[
            ("name", Kind::Text),
            ("role", Kind::Text),
            ("hash", Kind::Bytes),
            ("created_at_ms", Kind::Integer),
        ],
    },
    Table {
        name: "audit_log",
        key_columns: 1,
        columns: &[
            ("number", Kind::Integer),
            ("at_ms", Kind::Integer),
            ("who", Kind::Text),
            ("action", Kind::Text),
            ("target", Kind::Text),
            ("details", Kind::Text),
        ],
    },
    Table { name: "paused_mirrors", key_columns: 1, columns: &[("name", Kind::Text)] },
    Table {
        name: "endpoints",
        key_columns: 1,
        columns: &[
            ("id", Kind::Text),
            ("settings", Kind::Text),
            ("sealed", Kind::Bytes),
            ("created_at_ms", Kind::Integer),
            ("updated_at_ms", Kind::Integer),
            ("version", Kind::Integer),
        ],
    },
    Table { name: "endpoints_revision", key_columns: 1, columns: &[("revision", Kind::Integer)] },
    Table {
        name: "destinations",
        key_columns: 1,
        columns: &[
            ("id", Kind::Integer),
            ("name", Kind::Text),
            ("routed_seq", Kind::Integer),
            ("ordered", Kind::Boolean),
            ("first_failure_at_ms", Kind::Integer),
            ("failing_since_ms", Kind::Integer),
            ("told_percent", Kind::Integer),
            ("disabled_at_ms", Kind::Integer),
            ("disabled_reason", Kind::Text),
            ("failed_attempts", Kind::Integer),
            ("last_failure_at_ms", Kind::Integer),
            ("dead_letters_total", Kind::Integer),
        ],
    },
    Table {
        name: "deliveries",
        key_columns: 2,
        columns: &[
            ("destination_id", Kind::Integer),
            ("seq", Kind::Integer),
            ("subject", Kind::Text),
            ("attempts", Kind::Integer),
            ("attempts_total", Kind::Integer),
            ("first_attempt_at_ms", Kind::Integer),
            ("due_at_ms", Kind::Integer),
            ("blocked", Kind::Boolean),
        ],
    },
    Table {
        name: "settled_deliveries",
        key_columns: 2,
        columns: &[
            ("destination_id", Kind::Integer),
            ("seq", Kind::Integer),
            ("state", Kind::Text),
            ("settled_at_ms", Kind::Integer),
            ("attempts_total", Kind::Integer),
            ("reason", Kind::Text),
            ("source", Kind::Text),
            ("message_id", Kind::Text),
            ("type", Kind::Text),
            ("subject", Kind::Text),
        ],
    },
    Table {
        name: "attempts",
        key_columns: 3,
        columns: &[
            ("seq", Kind::Integer),
            ("destination_id", Kind::Integer),
            ("number", Kind::Integer),
            ("started_at_ms", Kind::Integer),
            ("duration_ms", Kind::Integer),
            ("status", Kind::Integer),
            ("error", Kind::Text),
            ("reply", Kind::Bytes),
        ],
    },
    Table {
        name: "unwanted_events",
        key_columns: 1,
        columns: &[("seq", Kind::Integer), ("reasons", Kind::Json)],
    },
    Table { name: "router", key_columns: 1, columns: &[("replayed_number", Kind::Integer)] },
    Table {
        name: "orders",
        key_columns: 1,
        columns: &[
            ("number", Kind::Integer),
            ("body", Kind::Text),
            ("placed_at_ms", Kind::Integer),
            ("outcome", Kind::Text),
            ("finished_at_ms", Kind::Integer),
            ("progress", Kind::Text),
        ],
    },
    Table { name: "upkeep", key_columns: 1, columns: &[("payloads_emptied_seq", Kind::Integer)] },
    Table {
        name: "event_people",
        key_columns: 2,
        columns: &[("person", Kind::Text), ("seq", Kind::Integer)],
    },
    Table {
        name: "erasures",
        key_columns: 1,
        // Quoted, since PostgreSQL knows the word as another thing.
        columns: &[("seq", Kind::Integer), ("\"user\"", Kind::Text)],
    },
    Table {
        name: "source_instances",
        key_columns: 1,
        columns: &[("source", Kind::Text), ("instance_id", Kind::Text), ("seq", Kind::Integer)],
    },
];

impl Table {
    /// Whether a store that is new has its one row already.
    pub(super) fn has_one_row(&self) -> bool {
        matches!(self.name, "router" | "upkeep" | "endpoints_revision")
    }

    /// Whether PostgreSQL numbers the key by itself otherwise.
    pub(super) fn is_numbered(&self) -> bool {
        matches!(self.name, "destinations" | "orders" | "replay_requests" | "audit_log")
    }

    /// Both databases compare these as bytes, or as numbers.
    pub(super) fn key(&self) -> &'static [(&'static str, Kind)] {
        &self.columns[..self.key_columns]
    }

    pub(super) fn key_of(&self, row: &[Value]) -> Vec<Value> {
        row[..self.key_columns].to_vec()
    }

    /// The names of its columns, or of those of its key, with what is put around each.
    pub(super) fn names(
        columns: &[(&'static str, Kind)],
        shown: impl Fn(usize, &str, Kind) -> String,
    ) -> String {
        let names = columns.iter().enumerate();
        names.map(|(index, (name, kind))| shown(index, name, *kind)).collect::<Vec<_>>().join(", ")
    }
}
