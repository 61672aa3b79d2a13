//! Events without their payloads: what lists of events are made from.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{EventLog, Origin, Seq, StoreError};

/// Reads events without their payloads.
#[async_trait]
pub trait EventHeads: EventLog {
    /// The events in this range that the filter takes, the newest first, at most `events_max`. The cost
    /// grows with the range.
    ///
    /// # Errors
    /// The store could not be read.
    async fn heads(
        &self,
        range: SeqRange,
        filter: &HeadFilter,
        events_max: u32,
    ) -> Result<Vec<EventHead>, StoreError>;

    /// These events, the newest first, without those that are not in the log. At most 500 are asked for.
    ///
    /// # Errors
    /// The store could not be read.
    async fn heads_at(&self, seqs: &[Seq]) -> Result<Vec<EventHead>, StoreError>;

    /// How many messages came more than once, each time counted.
    ///
    /// # Errors
    /// The store could not be read.
    async fn duplicates(&self) -> Result<u64, StoreError>;
}

/// The events after `after`, up to and including `up_to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeqRange {
    pub after: Seq,
    pub up_to: Seq,
}

/// Which events to take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadFilter {
    /// Of this source only.
    pub source: Option<String>,
    /// Of these types, or patterns such as `user.*`, which are the types that begin with `user.`; empty
    /// for all. They are few: each is compared with each event.
    pub types: Vec<String>,
}

/// The types that a filter takes.
pub(crate) struct TypePatterns<'a> {
    /// These.
    pub(crate) exact: Vec<&'a str>,
    /// Those that begin with one of these.
    pub(crate) prefixes: Vec<&'a str>,
}

/// An event without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHead {
    pub seq: Seq,
    pub received_at_ms: i64,
    pub source: Arc<str>,
    pub message_id: String,
    pub event_type: String,
    pub subject: Option<String>,
    pub occurred_at_ms: i64,
    pub instance_id: Option<String>,
    pub origin: Origin,
    /// 0 if it was pruned or erased.
    pub payload_bytes: u64,
}

impl HeadFilter {
    /// What of types it takes; `None` if it takes all of them.
    pub(crate) fn type_patterns(&self) -> Option<TypePatterns<'_>> {
        let mut patterns = TypePatterns { exact: Vec::new(), prefixes: Vec::new() };
        for text in &self.types {
            match text.strip_suffix('*') {
                Some(prefix) => patterns.prefixes.push(prefix),
                None => patterns.exact.push(text),
            }
        }
        let takes_all = self.types.is_empty() || patterns.prefixes.contains(&"");
        (!takes_all).then_some(patterns)
    }
}
