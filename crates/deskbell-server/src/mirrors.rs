//! Which mirrors keep `/readyz?strict` from saying yes; silent sources do too.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clerk_webhooks::UnixMillis;
use deskbell_store::clock::{now_ms, whole_ms};
use deskbell_sync::status::MirrorState;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::silent_sources::SilentSources;

/// How long a mirror may wait for its database before `/readyz?strict` answers 503: a restart of the
/// database is none of a balancer's business.
const STUCK_AFTER: Duration = Duration::from_secs(5 * 60);
/// How long an answer is good for: asking more often costs the store nothing.
const ANSWER_GOOD_FOR: Duration = Duration::from_secs(1);

/// Knows how the mirrors are.
#[async_trait]
pub trait MirrorStates: fmt::Debug + Send + Sync + 'static {
    /// The state of each mirror, by its destination's name. One of which nothing is known is left
    /// out.
    async fn states(&self) -> Vec<(String, MirrorState)>;
}

#[async_trait]
impl MirrorStates for () {
    async fn states(&self) -> Vec<(String, MirrorState)> {
        Vec::new()
    }
}

/// Judges the mirrors and the sources, at most once in a while.
#[derive(Debug)]
pub(crate) struct Strictness {
    mirrors: Arc<dyn MirrorStates>,
    sources: Arc<dyn SilentSources>,
    last: Mutex<Option<(Instant, Option<String>)>>,
}

impl Strictness {
    pub(crate) fn new(mirrors: Arc<dyn MirrorStates>, sources: Arc<dyn SilentSources>) -> Self {
        Self { mirrors, sources, last: Mutex::new(None) }
    }

    /// The reply that names the mirrors which do not go on and the sources that are silent; `None`
    /// where there are none.
    pub(crate) async fn reply(&self) -> Option<String> {
        let mut last = self.last.lock().await;
        if let Some((asked, reply)) = &*last
            && asked.elapsed() < ANSWER_GOOD_FOR
        {
            return reply.clone();
        }
        let states = self.mirrors.states().await;
        let stuck: Vec<_> = states.iter().filter_map(|(name, state)| stuck(name, state)).collect();
        let silent = self.sources.silent().await;
        let silent: Vec<_> =
            silent.iter().map(|(name, since_ms)| silence(name, *since_ms)).collect();
        let reply = reply(&stuck, &silent);
        *last = Some((Instant::now(), reply.clone()));
        reply
    }
}

/// The reason is the first one; what else there is to say stands beside it.
fn reply(stuck: &[Value], silent: &[Value]) -> Option<String> {
    let reason = match (stuck.is_empty(), silent.is_empty()) {
        (true, true) => return None,
        (false, _) => "mirror",
        (true, false) => "silence",
    };
    let mut reply = json!({ "ready": false, "reason": reason });
    for (name, all) in [("mirrors", stuck), ("sources", silent)] {
        if !all.is_empty() {
            reply[name] = all.into();
        }
    }
    Some(reply.to_string())
}

fn silence(source: &str, since_ms: i64) -> Value {
    let since = UnixMillis::from_millis(since_ms).map(|since| since.to_string());
    json!({ "source": source, "since": since })
}

/// What a stranger may know of a mirror that does not go on: nothing that the database said.
fn stuck(destination: &str, state: &MirrorState) -> Option<Value> {
    let reason = match state {
        MirrorState::Following | MirrorState::Behind => return None,
        MirrorState::Waiting(failure) => {
            if now_ms().saturating_sub(failure.since_ms) <= whole_ms(STUCK_AFTER) {
                return None;
            }
            failure.error.clone()
        }
        MirrorState::Blocked(parts) => {
            let names: Vec<_> = parts.iter().map(|part| &*part.name).collect();
            format!("the database refuses every row of {}", names.join(", "))
        }
    };
    let since = state.since_ms().and_then(UnixMillis::from_millis);
    Some(json!({
        "destination": destination,
        "state": state.name(),
        "since": since.map(|since| since.to_string()),
        "reason": reason,
    }))
}
