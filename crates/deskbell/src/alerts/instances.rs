//! Alerts about mirrors whose sources belong to different Clerk instances: a mirror has the rows of one.

use std::collections::BTreeMap;

use deskbell_store::{Seq, SourceInstance, SourceInstances, StoreError};
use deskbell_sync::mirror_instance;

use super::condition::{AlertTarget, Condition, ConditionKind, Observation, Persisting};
use crate::config::{Config, DestinationKind};

/// A mirror that takes events of several sources.
#[derive(Debug)]
pub(super) struct SharedMirror {
    destination: String,
    /// Each source, and its instance if the config names it.
    sources: Vec<(String, Option<String>)>,
}

/// The mirrors of the config that several sources share.
pub(super) fn shared_mirrors(config: &Config) -> Vec<SharedMirror> {
    let databases = config.destinations.iter().filter(|destination| {
        destination.enabled && matches!(destination.kind, DestinationKind::Database(_))
    });
    let shared = databases.map(|destination| {
        let takes = |name| destination.sources.as_ref().is_none_or(|names| names.contains(name));
        let sources = config.sources.iter().filter(|source| takes(&source.name));
        let sources = sources.map(|source| (source.name.clone(), source.instance_id.clone()));
        SharedMirror { destination: destination.name.clone(), sources: sources.collect() }
    });
    shared.filter(|mirror| mirror.sources.len() > 1).collect()
}

impl SharedMirror {
    pub(super) async fn observe(
        &self,
        store: &dyn SourceInstances,
    ) -> Result<Vec<(String, Observation)>, StoreError> {
        let mut known = Vec::new();
        for (source, instance_id) in &self.sources {
            let found = match instance_id {
                Some(id) => Some(SourceInstance { instance_id: id.clone(), since: Seq::ZERO }),
                None => store.source_instance(source).await?,
            };
            known.extend(found.map(|found| (source.as_str(), found)));
        }
        let ours = mirror_instance(known.iter().map(|(source, found)| (*source, found)));
        let of = |(source, found): &(&str, SourceInstance)| {
            let ours = ours.filter(|ours| ours.instance_id != found.instance_id);
            let condition = ours.map(|ours| {
                other_instance(&self.destination, source, &found.instance_id, &ours.instance_id)
            });
            (
                format!("mirror_instance/{}/{source}", self.destination),
                Observation::Persisting(condition),
            )
        };
        Ok(known.iter().map(of).collect())
    }
}

fn other_instance(destination: &str, source: &str, theirs: &str, ours: &str) -> Persisting {
    let subject = format!("{destination}: the source {source} belongs to another Clerk instance");
    let text = format!(
        "The mirror {destination} has the rows of the Clerk instance {ours}, and the source {source} \
         belongs to {theirs}. Its events are stored in the event log and not applied to this mirror. Configure a separate destination for them, with `sources = [\"{source}\"]` and another \
         `schema`."
    );
    let destination = destination.to_owned();
    let condition = move |since_ms| Condition {
        kind: ConditionKind::MirrorOtherInstance,
        target: AlertTarget::Destination(destination.clone()),
        since_ms,
        step: 1,
        subject: subject.clone(),
        text: text.clone(),
        counts: BTreeMap::new(),
    };
    Persisting { after_ms: 0, condition: Box::new(condition) }
}
