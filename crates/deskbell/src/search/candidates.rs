//! The events that may be what a search looks for, in batches from the newest on: by the index that
//! leaves the fewest.

use bytes::Bytes;
use deskbell_admin::{DeliveryStateFilter, EventQuery};
use deskbell_store::deliveries::StateFilter;
use deskbell_store::{EventHead, HeadFilter, ReadLimit, Seq, SeqRange, Store, StoreError};

use crate::views;

/// The events of a range that are read without payloads at a time, at most; the first ranges are
/// shorter, since most searches end there.
const HEADS_RANGE_MAX: i64 = 20_000;
const HEADS_RANGE_FIRST: i64 = 500;
/// Events that are read with payloads at a time.
const PAYLOADS_RANGE: i64 = 500;
/// Events of an index that are read at a time.
const INDEXED: u32 = 200;

/// An event that may be one.
pub(super) struct Candidate {
    pub(super) head: EventHead,
    /// Empty where nobody looks into it.
    pub(super) payload: Bytes,
}

/// Some of them, the newest first.
pub(super) struct Batch {
    pub(super) found: Vec<Candidate>,
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
    filter: HeadFilter,
    needs_payload: bool,
    range: SeqRange,
    is_over: bool,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(store: &'a dyn Store, query: &EventQuery, range: SeqRange) -> Self {
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
        Self {
            store,
            by,
            filter: HeadFilter { source: query.source.clone(), types: query.types.clone() },
            needs_payload: query.text.is_some(),
            range,
            is_over: false,
        }
    }

    /// The next batch; `None` where the range is looked through.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, StoreError> {
        if self.is_over || self.range.up_to <= self.range.after {
            return Ok(None);
        }
        let batch = match &self.by {
            By::Range { .. } if self.needs_payload => self.payloads().await?,
            By::Range { length } => self.heads(*length).await?,
            By::Subject(subject) => self.about(subject).await?,
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
        let heads = self.store.heads(part, &self.filter, events_max).await?;
        Ok(Some(Batch {
            found: heads.into_iter().map(Candidate::without_payload).collect(),
            looked_at: part.up_to.distance_from(part.after),
            goes_on_before: part.after.next(),
        }))
    }

    async fn payloads(&self) -> Result<Option<Batch>, StoreError> {
        let part = self.part(PAYLOADS_RANGE);
        let mut found = Vec::new();
        let mut at = part.after;
        while at < part.up_to {
            let left = u32::try_from(part.up_to.distance_from(at)).unwrap_or(u32::MAX);
            let limit = ReadLimit { events_max: left, ..ReadLimit::default() };
            let read = self.store.read(at, limit).await?;
            let Some(last) = read.last() else { break };
            at = last.seq;
            found.extend(read.into_iter().filter(|event| event.seq <= part.up_to));
        }
        let looked_at = found.len() as u64;
        let found = found
            .into_iter()
            .rev()
            .map(|event| Candidate { head: views::head_of(&event), payload: event.event.payload });
        let goes_on_before = part.after.next();
        Ok(Some(Batch { found: found.collect(), looked_at, goes_on_before }))
    }

    async fn about(&self, subject: &str) -> Result<Option<Batch>, StoreError> {
        let limit = ReadLimit { events_max: INDEXED, ..ReadLimit::default() };
        let before = Some(self.range.up_to.next());
        let page = self.store.events_by_subject(subject, before, limit).await?;
        let looked_at = page.events.len() as u64;
        let older = page.older.unwrap_or(Seq::ZERO.next());
        let found = page
            .events
            .into_iter()
            .map(|event| Candidate { head: views::head_of(&event), payload: event.event.payload });
        let found: Vec<_> = found.collect();
        if found.is_empty() && page.older.is_none() {
            return Ok(None);
        }
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
        let heads = self.store.heads_at(&seqs).await?;
        let mut found = Vec::new();
        for head in heads {
            found.push(if self.needs_payload {
                self.with_payload(head).await?
            } else {
                Candidate::without_payload(head)
            });
        }
        Ok(Some(Batch { found, looked_at: seqs.len() as u64, goes_on_before: last }))
    }

    async fn with_payload(&self, head: EventHead) -> Result<Candidate, StoreError> {
        let found = self.store.find(&head.source, &head.message_id).await?;
        let payload = found.map(|event| event.event.payload).unwrap_or_default();
        Ok(Candidate { head, payload })
    }
}

impl Candidate {
    fn without_payload(head: EventHead) -> Self {
        Self { head, payload: Bytes::new() }
    }
}
