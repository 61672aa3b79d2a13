//! The open conditions, and which notices follow from what is observed. All of it is pure: the same
//! observations give the same notices, under the same message ids.
//!
//! The state is kept in the store together with the pending notices: whatever happens in between, each
//! is sent once, and the end of each condition is announced.

mod counted;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use deskbell_delivery::{Notice, NoticeState, NoticeSubject};
use deskbell_store::NewEvent;
use serde::{Deserialize, Serialize};

use self::counted::{Counted, Step, Window};
use super::condition::{
    AlertTarget, Condition, ConditionFn, ConditionKind, Counter, Observation, Persisting, Rate,
};

/// The consumer under whose name the state is kept.
pub(super) const REPORT: &str = "alerts";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct AlertState {
    /// By key, such as `mirror/app`.
    open: BTreeMap<String, Open>,
    counted: BTreeMap<String, Counted>,
    rates: BTreeMap<String, Window>,
    /// Since when a [`Persisting`] condition has been seen in every round.
    seen_since_ms: BTreeMap<String, i64>,
    pub(super) pending: Vec<PendingNotice>,
}

/// A condition that was alerted about and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    kind: ConditionKind,
    target: AlertTarget,
    since_ms: i64,
    step: u32,
}

/// A notice that is to be written to the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PendingNotice {
    pub(super) notice: Notice,
    step: String,
    at_ms: i64,
}

impl PendingNotice {
    pub(super) fn event(&self) -> NewEvent {
        self.notice.clone().into_event(&self.step, self.at_ms)
    }
}

impl AlertState {
    /// Every open condition.
    pub(super) fn open(&self) -> impl Iterator<Item = (ConditionKind, &AlertTarget, i64)> {
        self.open.values().map(|open| (open.kind, &open.target, open.since_ms))
    }

    /// The sources with an open condition of this kind, and since when.
    pub(super) fn open_sources(&self, kind: ConditionKind) -> Vec<(String, i64)> {
        let of_kind = self.open.values().filter(|open| open.kind == kind);
        let source = |open: &Open| match &open.target {
            AlertTarget::Source { name, .. } => Some((name.clone(), open.since_ms)),
            AlertTarget::Destination(_) => None,
        };
        of_kind.filter_map(source).collect()
    }

    /// Applies what is observed now. A condition ends when its key is no longer observed, since the
    /// config no longer has it.
    pub(super) fn observe(
        &mut self,
        observed: Vec<(String, Observation)>,
        digest_ms: i64,
        now_ms: i64,
    ) {
        let keys: BTreeSet<String> = observed.iter().map(|(key, _)| key.clone()).collect();
        for (key, observation) in observed {
            match observation {
                Observation::Unknown => {}
                Observation::State(condition) => self.state(&key, condition, now_ms),
                Observation::Persisting(persisting) => self.persisting(&key, persisting, now_ms),
                Observation::Counter(counter) => self.count(&key, &counter, digest_ms, now_ms),
                Observation::Rate(rate) => self.rate(&key, &rate, digest_ms, now_ms),
            }
        }
        let gone: Vec<_> = self.open.keys().filter(|key| !keys.contains(*key)).cloned().collect();
        for key in gone {
            self.resolve(&key, now_ms);
        }
        self.counted.retain(|key, _| keys.contains(key));
        self.rates.retain(|key, _| keys.contains(key));
        self.seen_since_ms.retain(|key, _| keys.contains(key));
    }

    /// Alerted about when it begins, and at each further step.
    fn state(&mut self, key: &str, condition: Option<Condition>, now_ms: i64) {
        let Some(condition) = condition else { return self.resolve(key, now_ms) };
        let before = self.open.get(key);
        let is_another = before.is_some_and(|open| open.since_ms != condition.since_ms);
        let goes_on = before.is_some_and(|open| {
            !is_another && open.kind == condition.kind && open.step >= condition.step
        });
        if goes_on {
            return;
        }
        if is_another {
            self.resolve(key, now_ms);
        }
        let step = format!("{}_{}", condition.kind.as_str(), condition.step);
        self.fire(key, condition, step, now_ms);
    }

    fn persisting(&mut self, key: &str, persisting: Option<Persisting>, now_ms: i64) {
        let Some(Persisting { after_ms, condition }) = persisting else {
            self.seen_since_ms.remove(key);
            return self.resolve(key, now_ms);
        };
        let since_ms = *self.seen_since_ms.entry(key.to_owned()).or_insert(now_ms);
        let is_long = now_ms.saturating_sub(since_ms) >= after_ms;
        self.state(key, is_long.then(|| condition(since_ms)), now_ms);
    }

    /// The first are alerted about at once, then those that have come since, at most once an interval
    /// of the digest.
    fn count(&mut self, key: &str, counter: &Counter, digest_ms: i64, now_ms: i64) {
        let counted = self.counted.entry(key.to_owned()).or_default();
        let step = counted.observe(counter, digest_ms, now_ms);
        self.apply(key, step, now_ms, &counter.condition, now_ms);
    }

    /// Alerted about when there are enough in an interval of the digest, again at each digest while
    /// that goes on; it ends after an interval with fewer.
    fn rate(&mut self, key: &str, rate: &Rate, digest_ms: i64, now_ms: i64) {
        let window = self.rates.entry(key.to_owned()).or_insert_with(|| Window::new(now_ms));
        let start_ms = window.start_ms();
        let step = window.observe(rate, digest_ms, now_ms);
        self.apply(key, step, start_ms, &rate.condition, now_ms);
    }

    fn apply(&mut self, key: &str, step: Step, from_ms: i64, condition: &ConditionFn, now_ms: i64) {
        match step {
            Step::Nothing => {}
            Step::Over => self.resolve(key, now_ms),
            Step::New { new, total } => {
                let open = self.open.get(key);
                let (is_first, since_ms) =
                    (open.is_none(), open.map_or(from_ms, |open| open.since_ms));
                self.fire(key, condition(new, is_first, since_ms), total.to_string(), now_ms);
            }
        }
    }

    fn fire(&mut self, key: &str, condition: Condition, step: String, now_ms: i64) {
        let Condition { kind, target, since_ms, step: number, subject, text, counts } = condition;
        let about = about(kind, &target, since_ms);
        let name = format!("{key}/{since_ms}");
        let mut notice = Notice::new(&name, NoticeState::Firing, &about, subject, text);
        notice.counts = counts;
        self.pending.push(PendingNotice { notice, step, at_ms: now_ms });
        self.open.insert(key.to_owned(), Open { kind, target, since_ms, step: number });
    }

    fn resolve(&mut self, key: &str, now_ms: i64) {
        let Some(open) = self.open.remove(key) else { return };
        let Open { kind, target, since_ms, .. } = open;
        let about = about(kind, &target, since_ms);
        let (subject, text) = kind.resolved(&target, since_ms);
        let name = format!("{key}/{since_ms}");
        let notice = Notice::new(&name, NoticeState::Resolved, &about, subject, text);
        let step = "resolved".to_owned();
        self.pending.push(PendingNotice { notice, step, at_ms: now_ms });
    }
}

fn about(kind: ConditionKind, target: &AlertTarget, since_ms: i64) -> NoticeSubject {
    let (destination, source) = match target {
        AlertTarget::Destination(name) => (Some(name.clone()), None),
        AlertTarget::Source { name, .. } => (None, Some(name.clone())),
    };
    NoticeSubject { kind: kind.as_str().to_owned(), destination, source, since_ms }
}
