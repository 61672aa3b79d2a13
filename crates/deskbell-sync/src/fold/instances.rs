//! Whose events a mirror takes: it has the rows of one Clerk instance.
//!
//! Where the config does not name a source's instance, it is that of the first two events of the
//! source that agree. The store keeps it, so that every mirror and every process has the same.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use deskbell_store::{Seq, SourceInstance, SourceInstances, StoreError, StoredEvent};

use crate::options::SourceRule;

/// The instances of events that are made up: those of Clerk's documentation and "Send example", and
/// of the catalog's samples. They say nothing of whom a source belongs to.
const EXAMPLES: [&str; 3] =
    ["ins_123", "ins_2g7np7Hrk0SN6kj5EDMLDaKNL0S", "ins_2wLvlsOPrvbwfeGLc0Ti1kGvfrN"];
/// Whether this is the instance of events that are made up.
#[must_use]
pub fn is_example_instance(instance_id: &str) -> bool {
    EXAMPLES.contains(&instance_id)
}

/// Instances of one source that are counted until two events agree; of further ones none is.
const COUNTED_MAX: usize = 64;

/// The known instances of the sources.
#[derive(Debug)]
pub(crate) struct Instances {
    rules: BTreeMap<String, SourceRule>,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The instance of each source, from the config or the log.
    settled: BTreeMap<String, SourceInstance>,
    /// Events by source and instance, of sources that are not settled.
    counted: BTreeMap<String, BTreeMap<String, u32>>,
}

/// A source that belongs to another instance than the mirror does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherSource {
    pub(crate) source: String,
    pub(crate) instance_id: String,
    pub(crate) ours: String,
}

impl Instances {
    pub(crate) fn new(rules: BTreeMap<String, SourceRule>) -> Self {
        let from_config = |(source, rule): (&String, &SourceRule)| {
            let instance_id = rule.instance_id.clone()?;
            Some((source.clone(), SourceInstance { instance_id, since: Seq::ZERO }))
        };
        let settled = rules.iter().filter_map(from_config).collect();
        Self { rules, known: RwLock::new(Known { settled, ..Known::default() }) }
    }

    /// Whether the mirror takes the event. An event that names no instance, as all did before 2025,
    /// is of the source's.
    pub(crate) fn accepts(&self, event: &StoredEvent) -> bool {
        let Some(rule) = self.rules.get(&*event.source) else { return self.rules.is_empty() };
        let known = self.known();
        let Some(source) = known.settled.get(&*event.source) else { return true };
        let ours = known.of_the_mirror().map_or(&*source.instance_id, |ours| &*ours.instance_id);
        match event.instance_id.as_deref().filter(|theirs| !theirs.is_empty()) {
            _ if event.seq <= source.since => true,
            None => source.instance_id == ours,
            Some(theirs) => {
                theirs == ours || rule.instance_id.is_none() && EXAMPLES.contains(&theirs)
            }
        }
    }

    /// The instance of which the mirror takes events by this source.
    pub(crate) fn expected(&self, source: &str) -> Option<String> {
        let known = self.known();
        known.settled.get(source)?;
        known.of_the_mirror().map(|ours| ours.instance_id.clone())
    }

    /// The mirror's own instance, as far as the config and the store know it of any of its sources.
    pub(crate) fn of_the_mirror(&self) -> Option<String> {
        self.known().of_the_mirror().map(|ours| ours.instance_id.clone())
    }

    /// Reads what the store keeps of the sources whose config names no instance.
    pub(crate) async fn load(&self, store: &dyn SourceInstances) -> Result<(), StoreError> {
        for source in self.unsettled() {
            if let Some(kept) = store.source_instance(&source).await? {
                self.settle(&source, kept);
            }
        }
        Ok(())
    }

    /// Looks at events that come next in the log; where two of a source agree, the store keeps
    /// their instance. The sources that are found to belong to another one than the mirror does.
    pub(crate) async fn learn(
        &self,
        store: &dyn SourceInstances,
        events: &[StoredEvent],
    ) -> Result<Vec<OtherSource>, StoreError> {
        if self.unsettled().is_empty() {
            return Ok(Vec::new());
        }
        let mut others = Vec::new();
        for event in events {
            if let Some(found) = self.count(event) {
                let kept = store.pin_source_instance(&event.source, &found).await?;
                tracing::info!(
                    source = &*event.source,
                    instance_id = kept.instance_id,
                    "learned the Clerk instance of the source; events of other instances are not \
                     applied"
                );
                self.settle(&event.source, kept);
                others.extend(self.other(&event.source));
            }
        }
        Ok(others)
    }

    /// The sources that belong to another instance than the mirror does.
    pub(crate) fn others(&self) -> Vec<OtherSource> {
        self.rules.keys().filter_map(|source| self.other(source)).collect()
    }

    fn other(&self, source: &str) -> Option<OtherSource> {
        let known = self.known();
        let (ours, theirs) = (known.of_the_mirror()?, known.settled.get(source)?);
        (theirs.instance_id != ours.instance_id).then(|| OtherSource {
            source: source.to_owned(),
            instance_id: theirs.instance_id.clone(),
            ours: ours.instance_id.clone(),
        })
    }

    fn unsettled(&self) -> Vec<String> {
        let known = self.known();
        self.rules.keys().filter(|name| !known.settled.contains_key(*name)).cloned().collect()
    }

    /// The event's instance, where it is the second one of the source's that agree.
    fn count(&self, event: &StoredEvent) -> Option<SourceInstance> {
        let instance = event.instance_id.as_deref().filter(|id| !id.is_empty())?;
        if !event.origin.is_message() {
            return None;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_open =
            self.rules.contains_key(&*event.source) && !known.settled.contains_key(&*event.source);
        if !is_open || EXAMPLES.contains(&instance) {
            return None;
        }
        let counted = known.counted.entry(event.source.to_string()).or_default();
        if counted.len() >= COUNTED_MAX && !counted.contains_key(instance) {
            return None;
        }
        let count = counted.entry(instance.to_owned()).or_default();
        *count += 1;
        let found = SourceInstance { instance_id: instance.to_owned(), since: event.seq };
        (*count >= 2).then_some(found)
    }

    fn settle(&self, source: &str, kept: SourceInstance) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.counted.remove(source);
        known.settled.insert(source.to_owned(), kept);
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn of_the_mirror(&self) -> Option<&SourceInstance> {
        mirror_instance(self.settled.iter().map(|(source, found)| (source.as_str(), found)))
    }
}

/// A mirror's own instance, given its sources and their instances as far as they are known: that
/// of the source that was settled first.
pub fn mirror_instance<'a>(
    settled: impl IntoIterator<Item = (&'a str, &'a SourceInstance)>,
) -> Option<&'a SourceInstance> {
    settled.into_iter().min_by_key(|(source, found)| (found.since, *source)).map(|(_, found)| found)
}
