//! Whether everything is well, from what is cheap to know.

use async_trait::async_trait;
use deskbell_admin::{
    AckLatency, AdminError, AlertView, Destinations as _, EventQuery, Overview, OverviewReader,
    RefusedCount, SourceOverview, Timestamp,
};
use deskbell_server::SilentSources;
use deskbell_store::{EventHead, HeadFilter, Seq, SeqRange, StoreError};

use super::local::LocalAdmin;
use crate::alerts::{self, AlarmedSources};
use crate::config::SourceConfig;
use crate::metrics;
use crate::search::{self, Budget};
use crate::unavailable::unavailable;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The days of which an hour's usual number of events is the mean.
const USUAL_DAYS: i64 = 7;
/// The newest events, from which each source's share is estimated.
const SAMPLE: u32 = 1_000;

#[async_trait]
impl OverviewReader for LocalAdmin {
    async fn overview(&self) -> Result<Overview, AdminError> {
        let now_ms = self.store.now_ms().await.map_err(unavailable)?;
        let head = self.store.head().await.map_err(unavailable)?;
        let minutes = self.minutes.counts(&*self.store, now_ms).await.map_err(unavailable)?;
        let refused = self.store.refused().await.map_err(unavailable)?;
        let refused = refused.into_iter().map(|one| RefusedCount {
            help: alerts::advice(&one.cause).to_owned(),
            source: one.source,
            cause: one.cause,
            requests: one.requests,
        });
        Ok(Overview {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: Timestamp(now_ms),
            head: head.get(),
            minutes,
            ack_latency: metrics::ack_latency_ms()
                .map(|(p50_ms, p99_ms)| AckLatency { p50_ms, p99_ms }),
            sources: self.source_overviews(head, now_ms).await?,
            destinations: self.destinations().await?,
            duplicates: self.store.duplicates().await.map_err(unavailable)?,
            refused: refused.collect(),
            alerts: self.open_alerts().await?,
        })
    }

    async fn open_alerts(&self) -> Result<Vec<AlertView>, AdminError> {
        alerts::open_alerts(&*self.store).await.map_err(unavailable)
    }
}

/// What is known of all sources together.
struct Totals {
    /// The newest events.
    newest: Vec<EventHead>,
    last_day: u64,
    per_hour: Option<f64>,
}

impl LocalAdmin {
    async fn source_overviews(
        &self,
        head: Seq,
        now_ms: i64,
    ) -> Result<Vec<SourceOverview>, AdminError> {
        let totals = self.totals(head, now_ms).await.map_err(unavailable)?;
        let silent = AlarmedSources::new(self.store.clone()).silent().await;
        let mut overviews = Vec::new();
        for source in &self.config.sources {
            let name = &source.name;
            // A message that somebody made says nothing about the sender.
            let of_it = |event: &&EventHead| *event.source == **name && event.origin.is_message();
            let seen = totals.newest.iter().filter(of_it).count();
            #[expect(clippy::cast_precision_loss, reason = "a share of a thousand")]
            let share = seen as f64 / totals.newest.len().max(1) as f64;
            let last_event_at = match totals.newest.iter().find(of_it) {
                Some(event) => Some(Timestamp(event.received_at_ms)),
                None => self.last_event_at(name).await?,
            };
            let silent_since = silent.iter().find(|(silent, _)| silent == name);
            overviews.push(SourceOverview {
                name: name.clone(),
                paths: source.path.clone(),
                url: self.url_of(source),
                has_secret_key: source.secret_key.is_some(),
                last_event_at,
                events_last_day: part_of(totals.last_day, share),
                usual_per_hour: totals.per_hour.map(|per_hour| per_hour * share),
                silent_since: silent_since.map(|(_, since_ms)| Timestamp(*since_ms)),
            });
        }
        Ok(overviews)
    }

    async fn totals(&self, head: Seq, now_ms: i64) -> Result<Totals, StoreError> {
        let after = Seq::new(head.get() - i64::from(SAMPLE));
        let range = SeqRange { after, up_to: head };
        let newest = self.store.heads(range, &HeadFilter::default(), SAMPLE).await?;
        let day_ago = self.store.first_received_since(now_ms - DAY_MS).await?;
        let week_ms = now_ms - (USUAL_DAYS + 1) * DAY_MS;
        let first = self.store.first_received_since(week_ms).await?;
        let before_today = day_ago.distance_from(first);
        let hours = self.hours_since(first, now_ms - DAY_MS).await?;
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let per_hour = hours.map(|hours| before_today as f64 / hours);
        Ok(Totals { newest, last_day: head.next().distance_from(day_ago), per_hour })
    }

    /// The hours from this event to this time, if there is at least a day of them.
    async fn hours_since(&self, first: Seq, until_ms: i64) -> Result<Option<f64>, StoreError> {
        let found = self.store.heads_at(&[first]).await?;
        let Some(first) = found.first() else { return Ok(None) };
        let lasted_ms = until_ms - first.received_at_ms;
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let hours = lasted_ms as f64 / HOUR_MS as f64;
        Ok((lasted_ms >= DAY_MS).then_some(hours))
    }

    /// When the source's last event came, as far back as is quick to look.
    async fn last_event_at(&self, source: &str) -> Result<Option<Timestamp>, AdminError> {
        let query =
            EventQuery { source: Some(source.to_owned()), limit: 1, ..EventQuery::default() };
        let page = search::search(&self.config, &*self.store, &query, Budget::LIST).await;
        let page = page.map_err(unavailable)?;
        Ok(page.events.first().map(|event| event.received_at))
    }

    /// The address to enter in Clerk's dashboard, where it is known.
    fn url_of(&self, source: &SourceConfig) -> Option<String> {
        let base = self.config.server.public_url.as_ref()?.to_string();
        let path = source.path.first()?;
        Some(format!("{}{path}", base.trim_end_matches('/')))
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate between 0 and the whole"
)]
fn part_of(whole: u64, share: f64) -> u64 {
    (whole as f64 * share).round() as u64
}
