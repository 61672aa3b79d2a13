//! Events: searching, following, explaining and making them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use deskbell_admin::{
    AdminError, Caller, EventDetails, EventPage, EventQuery, EventSummary, Events, Explanation,
    LoggedEvent, NewMessage,
};
use deskbell_store::{ReadLimit, Seq};
use tokio::sync::watch;

use super::local::LocalAdmin;
use super::{details, explanation, messages};
use crate::explain::explain;
use crate::search::{self, Budget, EVENTS_MAX};
use crate::unavailable::unavailable;
use crate::views;

#[async_trait]
impl Events for LocalAdmin {
    async fn search(&self, query: &EventQuery) -> Result<EventPage, AdminError> {
        let found = search::search(&self.config, &*self.store, query, Budget::of(query)).await;
        found.map_err(unavailable)
    }

    async fn event(&self, source: Option<&str>, id: &str) -> Result<EventDetails, AdminError> {
        let found = details::find(&self.config, &*self.store, source, id).await;
        let event = found.map_err(unavailable)?.into_iter().next();
        let event = event.ok_or_else(|| AdminError::not_found("event", id))?;
        let _permit = self.explaining.enter().await?;
        details::details(&self.config, &*self.store, event).await
    }

    async fn after(&self, seq: Seq) -> Result<Vec<(EventSummary, Bytes)>, AdminError> {
        let limit = ReadLimit { events_max: EVENTS_MAX, ..ReadLimit::default() };
        let events = self.store.read(seq, limit).await.map_err(unavailable)?;
        let with_payload = events.into_iter().map(|event| {
            let payload = event.payload.to_bytes();
            (views::summary(views::head_of(&event)), payload)
        });
        Ok(with_payload.collect())
    }

    async fn logged(
        &self,
        seqs: &[i64],
        payload_bytes_max: usize,
    ) -> Result<Vec<Option<LoggedEvent>>, AdminError> {
        let all: Vec<_> = seqs.iter().copied().map(Seq::new).collect();
        let counts = self.store.count_deliveries(&all).await.map_err(unavailable)?;
        let counts: BTreeMap<_, _> = counts.into_iter().collect();
        let (mut found, mut payload_bytes) = (Vec::new(), 0);
        for seq in all {
            let before = Seq::new(seq.get() - 1);
            let limit = ReadLimit { events_max: 1, ..ReadLimit::default() };
            let read = self.store.read(before, limit).await.map_err(unavailable)?;
            let event = read.into_iter().find(|event| event.seq == seq);
            found.push(event.map(|event| {
                payload_bytes += event.payload.len();
                let is_read = !event.payload.is_empty() && payload_bytes <= payload_bytes_max;
                let mut summary = views::summary(views::head_of(&event));
                summary.delivery_counts =
                    Some(counts.get(&seq).copied().map(views::counts).unwrap_or_default());
                LoggedEvent { summary, payload: is_read.then(|| event.payload.to_bytes()) }
            }));
        }
        Ok(found)
    }

    fn head(&self) -> watch::Receiver<Seq> {
        self.store.subscribe()
    }

    async fn explain(&self, id: &str, events_max: u32) -> Result<Explanation, AdminError> {
        let _permit = self.explaining.enter().await?;
        let explained = explain(id, &self.config, &*self.store, events_max).await;
        let explained = explained.map_err(unavailable)?;
        let explanation = explanation::view(&explained);
        if explained.is_known() {
            return Ok(explanation);
        }
        // A mirror that cannot be read may have a row.
        match explanation.unread.first() {
            Some(unread) => Err(AdminError::Unavailable(unread.error.clone())),
            None => Err(AdminError::NotFound(format!("anything about `{id}`"))),
        }
    }

    async fn create_message(
        &self,
        caller: &Caller,
        message: NewMessage,
    ) -> Result<String, AdminError> {
        let (source, event_type) = (message.source.clone(), message.event_type.clone());
        let id = messages::create(self, message).await?;
        let details = Some(format!("{event_type} {id}"));
        self.audit(caller, "message.create", &source, details).await;
        Ok(id)
    }
}
