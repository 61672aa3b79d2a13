//! What an event must be like.

use deskbell_admin::EventQuery;
use deskbell_config::takes_type;
use deskbell_store::EventHead;

use super::text::Needle;

/// What an event must be like.
pub(super) struct Filter<'a> {
    pub(super) query: &'a EventQuery,
    text: Option<Needle>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(query: &'a EventQuery) -> Self {
        Self { query, text: query.text.as_deref().map(Needle::new) }
    }

    pub(super) fn takes(&self, head: &EventHead) -> bool {
        let EventQuery { types, source, subject, since, until, .. } = self.query;
        (types.is_empty() || takes_type(types, &head.event_type))
            && source.as_ref().is_none_or(|source| **source == *head.source)
            && (subject.is_none() || *subject == head.subject)
            && since.is_none_or(|since| head.received_at_ms >= since.0)
            && until.is_none_or(|until| head.received_at_ms < until.0)
    }

    pub(super) fn needs_payload(&self) -> bool {
        self.text.is_some()
    }

    pub(super) fn takes_payload(&self, payload: &[u8]) -> bool {
        self.text.as_ref().is_none_or(|text| text.is_in(payload))
    }
}
