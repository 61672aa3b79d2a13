//! A dead letter as it is shown: a row that a mirror could not take, or a delivery that failed.

use deskbell_admin::{DeadLetterState, DeadLetterView};

/// The cells of a table: state, since, destination, part, entity, message, reason.
pub(super) fn cells(row: &DeadLetterView) -> [String; 7] {
    [
        state(row).to_owned(),
        since(row),
        row.destination.clone(),
        part(row).to_owned(),
        entity(row),
        row.message_id.clone(),
        reason(row).to_owned(),
    ]
}

/// All that is known of it, each with its name.
pub(super) fn fields(row: &DeadLetterView) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("state", state(row).to_owned()),
        ("since", since(row)),
        ("destination", row.destination.clone()),
        ("part", part(row).to_owned()),
        ("source", row.source.clone()),
        ("message", row.message_id.clone()),
        ("type", row.event_type.clone()),
        ("entity", entity(row)),
        ("reason", reason(row).to_owned()),
    ];
    let named = [("cause", &row.cause), ("constraint", &row.constraint), ("table", &row.table)];
    fields.extend(named.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
    fields.extend(row.attempts.map(|attempts| ("attempts", attempts.to_string())));
    fields
}

fn state(row: &DeadLetterView) -> &'static str {
    match row.state {
        DeadLetterState::Waiting => "waiting",
        DeadLetterState::Stuck => "stuck",
        DeadLetterState::Failed => "failed",
        DeadLetterState::Requested => "requested",
    }
}

fn since(row: &DeadLetterView) -> String {
    row.since.map_or_else(|| "-".to_owned(), |since| since.to_string())
}

fn part(row: &DeadLetterView) -> &str {
    match &row.title {
        Some(title) => title,
        None if row.part.is_empty() => "mirror",
        None => &row.part,
    }
}

fn entity(row: &DeadLetterView) -> String {
    match (row.entity.is_empty(), row.id.is_empty()) {
        (true, true) => "-".to_owned(),
        (true, false) => row.id.clone(),
        (false, true) => row.entity.clone(),
        (false, false) => format!("{} {}", row.entity, row.id),
    }
}

fn reason(row: &DeadLetterView) -> &str {
    row.reason.as_deref().unwrap_or("conflicts with another row; retried automatically")
}
