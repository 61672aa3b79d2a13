//! What a comparison has found.

use deskbell_trust::{Found, MirrorReconciled, Reconciled};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::super::{Context, table};

/// What `reconcile` has found.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct ReconcileOutput<'a> {
    mirrors: Vec<ComparedMirror<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct ComparedMirror<'a> {
    destination: &'a str,
    /// Differences that are left.
    drift: u64,
    /// Whether every entity could be compared.
    complete: bool,
    entities: &'a [Reconciled],
}

/// Prints what was found; whether nothing is left.
pub(super) fn print(
    compared: &[(String, MirrorReconciled)],
    repaired: bool,
    context: &Context,
) -> bool {
    let left: u64 = compared.iter().map(|(_, mirror)| mirror.left()).sum();
    let is_whole = compared.iter().all(|(_, mirror)| mirror.is_whole());
    let compares_nothing = |(_, mirror): &&(String, MirrorReconciled)| mirror.entities.is_empty();
    if let Some((destination, _)) = compared.iter().find(compares_nothing) {
        errln!("{destination}: it mirrors none of these entities; nothing was compared");
        return false;
    }
    if context.json {
        let mirrors = compared.iter().map(|(destination, mirror)| ComparedMirror {
            destination,
            drift: mirror.left(),
            complete: mirror.is_whole(),
            entities: &mirror.entities,
        });
        outln!("{:#}", json!(ReconcileOutput { mirrors: mirrors.collect() }));
        return left == 0 && is_whole;
    }
    let rows = compared.iter().flat_map(|(destination, mirror)| {
        mirror.entities.iter().map(move |entity| cells(destination, entity))
    });
    let heads =
        ["MIRROR", "ENTITY", "CLERK", "ROWS", "MISSING", "STALE", "SURPLUS", "REPAIRED", "STATE"];
    table::print(heads, rows);
    for (_, mirror) in compared {
        mirror.entities.iter().for_each(examples);
    }
    match (left, repaired) {
        (0, _) if is_whole => outln!("no drift"),
        (0, _) => outln!("no drift in what could be compared"),
        (_, true) => outln!("{left} differences are left"),
        (_, false) => outln!("{left} differences; `deskbell reconcile --repair` mends them"),
    }
    left == 0 && is_whole
}

fn cells(destination: &str, entity: &Reconciled) -> [String; 9] {
    let surplus = entity.surplus.as_ref().map(|found| found.count.to_string());
    let state = match (entity.is_not_available, &entity.error, &entity.held_back) {
        (true, ..) => "not available".to_owned(),
        (_, Some(error), _) => format!("failed: {error}"),
        (_, _, Some(why)) => format!("{why}: pass --delete-at-most to allow it"),
        _ if entity.left() == 0 => "ok".to_owned(),
        _ => "differs".to_owned(),
    };
    [
        destination.to_owned(),
        entity.entity.clone(),
        entity.in_clerk.to_string(),
        entity.in_mirror.to_string(),
        entity.missing.count.to_string(),
        entity.stale.count.to_string(),
        surplus.unwrap_or_else(|| "-".to_owned()),
        entity.repaired.to_string(),
        state,
    ]
}

fn examples(entity: &Reconciled) {
    let kinds = [
        ("missing", Some(&entity.missing)),
        ("stale", Some(&entity.stale)),
        ("surplus", entity.surplus.as_ref()),
    ];
    for (kind, found) in kinds {
        if let Some(Found { count, examples }) = found
            && let Some(more) = count.checked_sub(examples.len() as u64)
            && !examples.is_empty()
        {
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            outln!("{kind} {}: {}{more}", entity.entity, examples.join(", "));
        }
    }
}
