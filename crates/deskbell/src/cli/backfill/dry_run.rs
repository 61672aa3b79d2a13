//! What a backfill would read, and what that costs.

use std::sync::Arc;
use std::time::Duration;

use deskbell_sync::{Fold, Mappings, MirrorOptions};
use deskbell_trust::{BackfillSource, Estimate, counted_as, estimate, estimate_emission, time_of};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::super::clerk::error::Error;
use super::super::clerk::task::Task;
use super::super::{Context, exit, table};
use crate::backend_api;

pub(super) async fn run(task: &Task, context: &Context) -> Result<(), exit::Failure> {
    let mut estimates = Vec::new();
    let mut time = Duration::ZERO;
    for source in &task.sources {
        let of_source: Vec<Estimate> = match &task.request.emit {
            Some(emit) => {
                estimate_emission(&source.client, &emit.event_type).await.into_iter().collect()
            }
            None => {
                let folds = folds_of(task, source)?;
                estimate(&source.client, &folds, &task.request.entities).await
            }
        };
        let requests = of_source.iter().map(|estimate| estimate.requests).sum();
        let mut configured = task.config.sources.iter().filter(|one| one.name == source.name);
        if let Some((config, key)) =
            configured.find_map(|one| Some((one, one.secret_key.as_ref()?)))
        {
            time = time.max(time_of(requests, &backend_api::share_of(&task.config, config, key)));
        }
        estimates.extend(of_source);
    }
    print(&estimates, time, context);
    Ok(())
}

/// What the mirrors that are filled from this source take.
fn folds_of(task: &Task, source: &BackfillSource) -> Result<Vec<Fold>, exit::Failure> {
    let fold = |mirror: &MirrorOptions| {
        let mappings = Mappings::for_config(&mirror.database).map_err(|source| {
            let destination = mirror.destination.clone();
            exit::Failure::config(Error::Mappings { destination, source })
        })?;
        Ok(Fold::new(Arc::new(mappings), mirror.sources.clone()))
    };
    task.mirrors_of(source).map(fold).collect()
}

/// What `backfill --dry-run` would read.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct DryRunOutput<'a> {
    entities: Vec<EstimateOutput<'a>>,
    /// Requests to Clerk's API, at most.
    requests: u64,
    /// How long they take at least, within the share of the rate limit.
    seconds: u64,
}

#[derive(Serialize, JsonSchema)]
struct EstimateOutput<'a> {
    entity: &'a str,
    /// How many Clerk has; null where it could not be counted.
    objects: Option<u64>,
    /// What was counted instead, where there is no count of the entity itself.
    counted: Option<&'a str>,
    requests: u64,
    /// Why it could not be counted.
    error: Option<String>,
}

fn print(estimates: &[Estimate], time: Duration, context: &Context) {
    let requests: u64 = estimates.iter().map(|estimate| estimate.requests).sum();
    if context.json {
        let entities =
            estimates.iter().map(|Estimate { entity, objects, requests }| EstimateOutput {
                entity,
                objects: objects.as_ref().ok().copied(),
                counted: counted_as(entity),
                requests: *requests,
                error: objects.as_ref().err().map(ToString::to_string),
            });
        let entities = entities.collect();
        outln!("{:#}", json!(DryRunOutput { entities, requests, seconds: time.as_secs() }));
        return;
    }
    let rows = estimates.iter().map(|Estimate { entity, objects, requests }| {
        let objects = match (objects, counted_as(entity)) {
            (Ok(objects), None) => objects.to_string(),
            (Ok(objects), Some(counted)) => format!("of {objects} {counted}"),
            (Err(_), _) => "unknown".to_owned(),
        };
        [(*entity).to_owned(), objects, requests.to_string()]
    });
    table::print(["ENTITY", "OBJECTS", "REQUESTS"], rows);
    for Estimate { entity, objects, .. } in estimates {
        if let Err(error) = objects {
            errln!("{entity}: {error}");
        }
    }
    let time = humantime::format_duration(Duration::from_secs(time.as_secs()));
    outln!("{requests} requests at most, in {time} or more; nothing was written");
}
