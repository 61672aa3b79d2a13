//! Alerts about sources that have fallen silent, and what is learned for them from the log.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use deskbell_delivery::{in_words, shown_time};
use deskbell_server::SilentSources;
use deskbell_store::{Store, StoreError};
use deskbell_trust::ReconcileState;
use deskbell_trust::silence::{
    Learned, Rhythm, Silence, SilenceAfter, SilenceCause, SilenceGauges, judge,
};

use super::condition::{AlertTarget, Condition, ConditionKind, Observation};
use super::state::{AlertState, REPORT};

/// The consumer under whose name what was learned is kept.
const LEARNED: &str = "silence";
/// Events in one page of the log, of which only the time is read.
const PAGE_EVENTS: u32 = 10_000;
/// Pages in one round: an old log is read within minutes, beside everything else.
const PAGES_MAX: usize = 4;
/// How often what was learned is saved: less than the time that counts as an absence. After a restart,
/// what came since then is read again.
const SAVE_INTERVAL_MS: i64 = 5 * 60_000;
/// It is saved after so many events as well.
const SAVE_EVENTS: u64 = 100_000;

/// Follows the log, and judges the silence of each source.
#[derive(Debug)]
pub(super) struct SilenceWatch {
    after: SilenceAfter,
    /// The sources whose messages are fetched.
    pulled: Vec<String>,
    /// `None` until it is read.
    learned: Option<Saved>,
}

/// What was learned, and how much of it is in the store.
#[derive(Debug)]
struct Saved {
    learned: Learned,
    saved_at_ms: i64,
    saved_read: u64,
    /// Sources that were alarmed about then. A restart must not find one that is not silent yet.
    saved_alarmed: Vec<String>,
}

impl SilenceWatch {
    pub(super) fn new(after: SilenceAfter, pulled: Vec<String>) -> Self {
        Self { after, pulled, learned: None }
    }

    /// Another process may have followed the log.
    pub(super) fn restart(&mut self) {
        self.learned = None;
    }

    pub(super) async fn observe(
        &mut self,
        store: &dyn Store,
        sources: &[String],
        compared: &ReconcileState,
        now_ms: i64,
    ) -> Result<Vec<(String, Observation)>, StoreError> {
        let mut saved = match self.learned.take() {
            Some(saved) => saved,
            None => Saved::read(store).await?,
        };
        let is_at_end = saved.follow(store, &self.pulled).await?;
        if is_at_end {
            saved.learned.observe(sources.iter().map(String::as_str), now_ms);
        }
        let mut observed = Vec::new();
        let mut alarmed = Vec::new();
        for source in sources {
            let rhythm = saved.learned.rhythm(source).filter(|_| is_at_end);
            let observation = rhythm.map_or(Observation::Unknown, |rhythm| {
                let missing_ms = compared.newest_missing_user_ms(source);
                let condition = self.judge(source, rhythm, missing_ms, now_ms);
                alarmed.extend(condition.is_some().then(|| source.clone()));
                Observation::State(condition)
            });
            observed.push((format!("silence/{source}"), observation));
        }
        saved.write_if_due(store, alarmed, now_ms).await?;
        self.learned = Some(saved);
        Ok(observed)
    }

    fn judge(
        &self,
        source: &str,
        rhythm: &Rhythm,
        missing_ms: Option<i64>,
        now_ms: i64,
    ) -> Option<Condition> {
        let silence = judge(rhythm, self.after, missing_ms, now_ms);
        let lasted_ms = now_ms.saturating_sub(rhythm.since_ms()).max(0);
        SilenceGauges::set(source, lasted_ms, silence.is_some());
        let is_pulled = self.pulled.iter().any(|pulled| pulled == source);
        silence.map(|silence| condition(source, rhythm, silence, lasted_ms, is_pulled))
    }
}

impl Saved {
    async fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let report = store.latest_report(LEARNED).await?;
        let learned = report.and_then(|report| {
            serde_json::from_str(&report.body)
                .inspect_err(|error| {
                    tracing::warn!(%error, "cannot read the rhythm of the sources; learning it again");
                })
                .ok()
        });
        let learned: Learned = learned.unwrap_or_default();
        let saved_read = seq(&learned);
        Ok(Self { learned, saved_at_ms: i64::MIN, saved_read, saved_alarmed: Vec::new() })
    }

    /// Reads on in the log. Whether its end was reached.
    /// What somebody read from the sender's record says nothing of whether the sender can send.
    async fn follow(&mut self, store: &dyn Store, pulled: &[String]) -> Result<bool, StoreError> {
        for _ in 0..PAGES_MAX {
            let after = self.learned.read();
            let mut page = store.arrivals(after, PAGE_EVENTS).await?;
            page.arrivals
                .retain(|one| one.is_sent || pulled.iter().any(|name| **name == *one.source));
            let is_last = page.last.distance_from(after) < u64::from(PAGE_EVENTS);
            self.learned.learn(&page);
            if is_last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn write_if_due(
        &mut self,
        store: &dyn Store,
        alarmed: Vec<String>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let is_due = alarmed != self.saved_alarmed
            || now_ms.saturating_sub(self.saved_at_ms) >= SAVE_INTERVAL_MS
            || seq(&self.learned) - self.saved_read >= SAVE_EVENTS;
        if is_due {
            // Strings and numbers: it cannot fail.
            let body = serde_json::to_string(&self.learned).unwrap_or_default();
            store.publish_report(LEARNED, &body).await?;
            (self.saved_at_ms, self.saved_read) = (now_ms, seq(&self.learned));
            self.saved_alarmed = alarmed;
        }
        Ok(())
    }
}

fn seq(learned: &Learned) -> u64 {
    u64::try_from(learned.read().get()).unwrap_or(0)
}

fn condition(
    source: &str,
    rhythm: &Rhythm,
    silence: Silence,
    lasted_ms: i64,
    is_pulled: bool,
) -> Condition {
    let since = shown_time(silence.since_ms);
    let subject = format!("{source}: no events for {}", in_words(lasted_ms));
    let silence_text = match rhythm.newest_ms() {
        Some(_) => format!("The source {source} has received no event since {since}."),
        None => format!("The source {source} has received no event yet, since {since}."),
    };
    let cause = match silence.cause {
        SilenceCause::Improbable { longest_ms } => format!(
            "The longest silence of the last weeks was {}, and by the time of day and week events \
             should have come long ago.",
            in_words(longest_ms)
        ),
        SilenceCause::Configured => "That is longer than `silence_after` allows.".to_owned(),
        SilenceCause::ChangeMissed { changed_ms } => format!(
            "Clerk has a user who was created at {}, and no event of that user has arrived.",
            shown_time(changed_ms)
        ),
    };
    let advice = if is_pulled {
        "Look for the alert `source.pull`, for warnings in the log of `deskbell serve`, and for the newest \
         messages in Clerk's dashboard (Configure, Webhooks). `deskbell reconcile --messages` compares \
         them."
            .to_owned()
    } else {
        format!(
            "Open the endpoint in Clerk's dashboard (Configure, Webhooks). Is it disabled? Clerk disables an \
             endpoint after five days of failures: enable it again. Do its attempts fail? Compare the URL \
             and the signing secret with the config, and check that no firewall, proxy or DNS record \
             blocks Clerk. Then choose \"Replay missing messages\" there, from {since} on: Deskbell delivers \
             what arrives. `deskbell replay` only has events that Deskbell received."
        )
    };
    let text = format!("{silence_text} {cause} {advice}");
    let seconds = u64::try_from(lasted_ms / 1_000).unwrap_or(0);
    Condition {
        kind: ConditionKind::SourceSilent,
        target: AlertTarget::Source { name: source.to_owned(), cause: None },
        since_ms: silence.since_ms,
        step: 1,
        subject,
        text,
        counts: BTreeMap::from([("silence_seconds".to_owned(), seconds)]),
    }
}

/// The sources whose silence is alarmed, by whichever process alerts.
#[derive(Debug)]
pub(crate) struct AlarmedSources(Arc<dyn Store>);

impl AlarmedSources {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl SilentSources for AlarmedSources {
    async fn silent(&self) -> Vec<(String, i64)> {
        // A store that is away, and a state that cannot be read, are reported elsewhere.
        let report = self.0.latest_report(REPORT).await.ok().flatten();
        let state = report.and_then(|report| serde_json::from_str::<AlertState>(&report.body).ok());
        state.map_or_else(Vec::new, |state| state.open_sources(ConditionKind::SourceSilent))
    }
}
