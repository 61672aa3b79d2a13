//! Looking through a range of the log, in batches from the newest on: by the index that leaves the
//! fewest events to look at. Payloads are looked into as they are read, and not kept.

use deskbell_admin::DeliveryStateFilter;
use deskbell_store::deliveries::StateFilter;
use deskbell_store::{
    EventHead, HeadFilter, ReadLimit, Seq, SeqRange, Store, StoreError, StoredEvent,
};

use super::filter::Filter;
use crate::views;

/// The events of a range that are read without payloads at a time, at most; the first ranges are
/// shorter, since most searches end there.
const HEADS_RANGE_MAX: i64 = 20_000;
const HEADS_RANGE_FIRST: i64 = 500;
/// Events that are read with payloads at a time.
const PAYLOADS_RANGE: i64 = 500;
/// Events of an index that are read at a time.
const INDEXED: u32 = 200;

/// A part of the range that was looked through.
pub(super) struct Batch {
    /// What the filter takes, the newest first.
    pub(super) found: Vec<EventHead>,
    pub(super) looked_at: u64,
    /// All from here on were looked at.
    pub(super) goes_on_before: Seq,
}

/// How they are found.
enum By {
    /// Every event of the range.
    Range {
        length: i64,
    },
    Subject(String),
    State(StateFilter, Option<String>),
}

pub(super) struct Candidates<'a> {
    store: &'a dyn Store,
    by: By,
    filter: &'a Filter<'a>,
    range: SeqRange,
    is_over: bool,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(store: &'a dyn Store, filter: &'a Filter<'a>, range: SeqRange) -> Self {
        let query = filter.query;
        let by = match (&query.subject, query.state) {
            (Some(subject), _) if query.state.is_none() => By::Subject(subject.clone()),
            (_, Some(state)) => {
                let state = match state {
                    DeliveryStateFilter::Pending => StateFilter::Pending,
                    DeliveryStateFilter::DeadLettered => StateFilter::DeadLettered,
                };
                By::State(state, query.destination.clone())
            }
            _ => By::Range { length: HEADS_RANGE_FIRST },
        };
        Self { store, by, filter, range, is_over: false }
    }

    /// The next batch; `None` where the range is looked through.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, StoreError> {
        if self.is_over || self.range.up_to <= self.range.after {
            return Ok(None);
        }
        let batch = match &self.by {
            By::Range { .. } if self.filter.needs_payload() => self.payloads().await?,
            By::Range { length } => self.heads(*length).await?,
            By::Subject(subject) => self.by_subject(subject).await?,
            By::State(state, destination) => self.in_state(*state, destination.as_deref()).await?,
        };
        if let By::Range { length } = &mut self.by {
            *length = (*length * 4).min(HEADS_RANGE_MAX);
        }
        match &batch {
            Some(batch) => self.range.up_to = Seq::new(batch.goes_on_before.get() - 1),
            None => self.is_over = true,
        }
        Ok(batch)
    }

    fn part(&self, length: i64) -> SeqRange {
        let after = Seq::new(self.range.up_to.get() - length).max(self.range.after);
        SeqRange { after, up_to: self.range.up_to }
    }

    async fn heads(&self, length: i64) -> Result<Option<Batch>, StoreError> {
        let part = self.part(length);
        let events_max = u32::try_from(length).unwrap_or(u32::MAX);
        let query = self.filter.query;
        let wanted = HeadFilter { source: query.source.clone(), types: query.types.clone() };
        let mut found = self.store.heads(part, &wanted, events_max).await?;
        found.retain(|head| self.filter.takes(head));
        Ok(Some(Batch {
            found,
            looked_at: part.up_to.distance_from(part.after),
            goes_on_before: part.after.next(),
        }))
    }

    async fn payloads(&self) -> Result<Option<Batch>, StoreError> {
        let part = self.part(PAYLOADS_RANGE);
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let mut at = part.after;
        while at < part.up_to {
            let left = u32::try_from(part.up_to.distance_from(at)).unwrap_or(u32::MAX);
            let limit = ReadLimit { events_max: left, ..ReadLimit::default() };
            let read = self.store.read(at, limit).await?;
            let Some(last) = read.last() else { break };
            at = last.seq;
            let read = read.iter().filter(|event| event.seq <= part.up_to);
            looked_at += read.clone().count() as u64;
            found.extend(read.filter_map(|event| self.taken(event)));
        }
        found.reverse();
        Ok(Some(Batch { found, looked_at, goes_on_before: part.after.next() }))
    }

    async fn by_subject(&self, subject: &str) -> Result<Option<Batch>, StoreError> {
        let limit = ReadLimit { events_max: INDEXED, ..ReadLimit::default() };
        let before = Some(self.range.up_to.next());
        let page = self.store.events_by_subject(subject, before, limit).await?;
        let looked_at = page.events.len() as u64;
        let older = page.older.unwrap_or(Seq::ZERO.next());
        if looked_at == 0 && page.older.is_none() {
            return Ok(None);
        }
        let found = page.events.iter().filter_map(|event| self.taken(event)).collect();
        Ok(Some(Batch { found, looked_at, goes_on_before: older }))
    }

    async fn in_state(
        &self,
        state: StateFilter,
        destination: Option<&str>,
    ) -> Result<Option<Batch>, StoreError> {
        let before = Some(self.range.up_to.next());
        let seqs = self.store.events_in_state(state, destination, before, INDEXED).await?;
        let Some(last) = seqs.last().copied() else { return Ok(None) };
        let mut found = Vec::new();
        for head in self.store.heads_at(&seqs).await? {
            if self.filter.takes(&head) && self.takes_payload_of(&head).await? {
                found.push(head);
            }
        }
        Ok(Some(Batch { found, looked_at: seqs.len() as u64, goes_on_before: last }))
    }

    async fn takes_payload_of(&self, head: &EventHead) -> Result<bool, StoreError> {
        if !self.filter.needs_payload() {
            return Ok(true);
        }
        let found = self.store.find(&head.source, &head.message_id).await?;
        Ok(found.is_some_and(|event| self.filter.takes_payload(&event.payload)))
    }

    fn taken(&self, event: &StoredEvent) -> Option<EventHead> {
        let head = views::head_of(event);
        (self.filter.takes(&head) && self.filter.takes_payload(&event.payload)).then_some(head)
    }
}
