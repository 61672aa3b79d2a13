//! The rhythms of all sources, and how far the log was read for them: what is kept over a restart.

use std::collections::BTreeMap;

use deskbell_store::{ArrivalPage, Seq};
use serde::{Deserialize, Serialize};

use super::rhythm::Rhythm;

/// A source that the config no longer has is forgotten when its newest event is older: 8 weeks.
const FORGOTTEN_AFTER_MS: i64 = 56 * 86_400_000;

/// What was learned from the log. As text it has about 3 kB for each source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    read_seq: i64,
    sources: BTreeMap<String, Rhythm>,
}

impl Learned {
    /// The last event that was read.
    #[must_use]
    pub fn read(&self) -> Seq {
        Seq::new(self.read_seq)
    }

    /// Learns from the page after [`read`](Self::read).
    pub fn learn(&mut self, page: &ArrivalPage) {
        for arrival in &page.arrivals {
            if let Some(rhythm) = self.sources.get_mut(&*arrival.source) {
                rhythm.arrived(arrival.at_ms);
            } else {
                let mut rhythm = Rhythm::new(arrival.at_ms);
                rhythm.arrived(arrival.at_ms);
                self.sources.insert(arrival.source.to_string(), rhythm);
            }
        }
        self.read_seq = page.last.get();
    }

    /// Nothing else has arrived until now, for any of the config's sources.
    pub fn observe<'a>(&mut self, sources: impl IntoIterator<Item = &'a str>, now_ms: i64) {
        let sources: Vec<_> = sources.into_iter().collect();
        for source in &sources {
            if !self.sources.contains_key(*source) {
                self.sources.insert((*source).to_owned(), Rhythm::new(now_ms));
            }
        }
        self.sources.retain(|name, rhythm| {
            let is_recent = now_ms.saturating_sub(rhythm.since_ms()) < FORGOTTEN_AFTER_MS;
            is_recent || sources.contains(&&**name)
        });
        for rhythm in self.sources.values_mut() {
            rhythm.observe(now_ms);
        }
    }

    /// Of this source, once it was observed or had an event.
    #[must_use]
    pub fn rhythm(&self, source: &str) -> Option<&Rhythm> {
        self.sources.get(source)
    }
}
