//! Retries of dead letters on request, and of what waits.

use std::time::{Duration, Instant};

use super::bisect::{Origin, Piece, Subject, apply_piece};
use super::blocked::BlockedParts;
use super::refused::{self, EarlierTries, Refused};
use crate::db::{DatabaseError, DbSession, Param};
use crate::mapped::ConflictTimeout;
use crate::mirror_target::{LostRequest, Retry, RetryRequest, Waiting};
use crate::sql::Statements;
use crate::value::{Kind, Value};
use crate::version::Version;
use deskbell_store::Seq;

/// How long deletes are retried in one transaction; the others follow later. Below the budget of
/// one, which must not end before.
const DELETES_MAX: Duration = Duration::from_secs(2);

/// The work of this destination besides the log.
pub(super) async fn waiting(
    session: &mut dyn DbSession,
    statements: &Statements,
    tables: &[&str],
    destination: &str,
) -> Result<Waiting, DatabaseError> {
    let of_destination = [Param::Text(destination)];
    let rows = session.fetch(&statements.requests, &of_destination, &[Kind::Id; 3]).await?;
    let requests = rows.into_iter().filter_map(request).collect();
    let mut waiting = Waiting { requests, ..Waiting::default() };
    let kinds = [Kind::Boolean, Kind::Boolean, Kind::Integer];
    for row in session.fetch(&statements.count_dead_letters, &of_destination, &kinds).await? {
        let [is_delete, is_dead, Value::Integer(count)] = &row[..] else { continue };
        let count = u64::try_from(*count).unwrap_or(0);
        match (is_delete.is_true(), is_dead.is_true()) {
            (true, _) => waiting.deletes += count,
            (false, true) => waiting.dead_letters += count,
            (false, false) => waiting.rows += count,
        }
    }
    waiting.is_due =
        waiting.deletes > 0 && !refused_deletes(session, statements, destination).await?.is_empty();
    if !tables.is_empty() {
        let of_tables = [Param::Texts(tables), of_destination[0]];
        let due = session.fetch(&statements.any_due, &of_tables, &[Kind::Id]).await?;
        waiting.is_due |= !due.is_empty();
        let rows = session.fetch(&statements.count_waiting, &of_tables, &[Kind::Integer]).await?;
        if let Some([Value::Integer(rows)]) = rows.first().map(Vec::as_slice) {
            waiting.rows += u64::try_from(*rows).unwrap_or(0);
        }
    }
    waiting.blocked = BlockedParts::load(session, statements, destination).await?.into_parts();
    Ok(waiting)
}

/// The last event before the first one whose statements wait: they run from the log.
pub(super) async fn first_waiting_statement(
    session: &mut dyn DbSession,
    statements: &Statements,
    destination: &str,
) -> Result<Option<Seq>, DatabaseError> {
    let parameters = [Param::Text(destination)];
    let sql = &statements.first_waiting_statement;
    let rows = session.fetch(sql, &parameters, &[Kind::Integer]).await?;
    Ok(match rows.first().map(Vec::as_slice) {
        Some([Value::Integer(seq)]) => Some(Seq::new(seq - 1)),
        _ => None,
    })
}

/// The deletes that are due, each by its entity.
async fn refused_deletes(
    session: &mut dyn DbSession,
    statements: &Statements,
    destination: &str,
) -> Result<Vec<(String, Subject)>, DatabaseError> {
    let kinds = [[Kind::Id; 5].as_slice(), &[Kind::Integer; 3], &[Kind::Id]].concat();
    let parameters = [Param::Text(destination)];
    let rows = session.fetch(&statements.refused_deletes, &parameters, &kinds).await?;
    Ok(rows.into_iter().filter_map(subject).collect())
}

fn subject(row: Vec<Value>) -> Option<(String, Subject)> {
    let [entity, id, source, message_id, event_type, version @ ..] =
        <[Value; 9]>::try_from(row).ok()?;
    let version = Version::from_columns(version)?;
    let (source, message_id) = (source.into_text()?, message_id.into_text()?);
    let event_type = event_type.into_text()?;
    let origin = Origin { source, message_id, event_type, version };
    Some((entity.into_text()?, Subject { id: id.into_text()?, origin }))
}

/// Tries a delete once more; what the database still refuses of it.
async fn delete_again(
    session: &mut dyn DbSession,
    statements: &Statements,
    entity: &str,
    subject: Subject,
) -> Result<Vec<Refused>, DatabaseError> {
    let Some(table) = statements.tables.iter().find(|table| table.entity.name == entity) else {
        return Ok(Vec::new());
    };
    let parameters = [Param::Texts(&[&subject.id]), Param::Text(entity)];
    let gone = !session.fetch(&statements.gone, &parameters, &[Kind::Id]).await?.is_empty();
    let subjects = std::slice::from_ref(&subject);
    let sql = if gone { &table.delete } else { &table.settle };
    apply_piece(session, Piece::Subjects { table, sql, subjects }).await
}

fn request(row: Vec<Value>) -> Option<RetryRequest> {
    let row: [Value; 3] = row.try_into().ok()?;
    let [Value::Text(source), Value::Text(message_id), Value::Text(part)] = row else {
        return None;
    };
    Some(RetryRequest { source, message_id, part })
}

/// Before they are tried again: marks the letters, those whose events are lost among them, and has
/// mapped tables' rows that were given up wait again. What is known of those is enough, also without
/// the event.
pub(super) async fn begin(
    session: &mut dyn DbSession,
    statements: &Statements,
    destination: &str,
    retry: &Retry,
) -> Result<(), DatabaseError> {
    let lost = || retry.lost.iter().map(|lost| &lost.request);
    for RetryRequest { source, message_id, part } in retry.requests.iter().chain(lost()) {
        let parameters = [destination, source, message_id, part].map(Param::Text);
        session.execute(&statements.wait_again, &parameters).await?;
    }
    for RetryRequest { source, message_id, part } in &retry.requests {
        let parameters = [destination, source, message_id, part].map(Param::Text);
        session.execute(&statements.begin_retry, &parameters).await?;
    }
    for LostRequest { request: RetryRequest { source, message_id, part }, reason } in &retry.lost {
        let parameters = [destination, source, message_id, part, *reason].map(Param::Text);
        session.execute(&statements.keep_lost, &parameters).await?;
    }
    Ok(())
}

/// Deletes the dead letters whose retry was not refused.
pub(super) async fn end(
    session: &mut dyn DbSession,
    statements: &Statements,
    destination: &str,
    retry: &Retry,
) -> Result<(), DatabaseError> {
    for RetryRequest { source, message_id, part } in &retry.requests {
        let parameters = [destination, source, message_id, part].map(Param::Text);
        session.execute(&statements.end_retry, &parameters).await?;
    }
    Ok(())
}

/// Tries the deletes that are due, as many as there is time for.
pub(super) async fn deletes(
    session: &mut dyn DbSession,
    statements: &Statements,
    destination: &str,
    timeout: ConflictTimeout,
) -> Result<(), DatabaseError> {
    let started = Instant::now();
    let due = refused_deletes(session, statements, destination).await?;
    for (entity, subject) in due {
        if started.elapsed() > DELETES_MAX {
            break;
        }
        let request = [subject.request()];
        let earlier = EarlierTries::load(session, statements, destination, request.iter()).await?;
        let id = subject.id.clone();
        let of_subject = [destination, &entity, &id].map(Param::Text);
        session.execute(&statements.begin_delete_retry, &of_subject).await?;
        let refused = delete_again(session, statements, &entity, subject).await?;
        refused::keep(session, statements, destination, refused, &earlier, timeout).await?;
        session.execute(&statements.end_delete_retry, &of_subject).await?;
    }
    Ok(())
}

impl Subject {
    fn request(&self) -> RetryRequest {
        let Origin { source, message_id, .. } = self.origin.clone();
        RetryRequest { source, message_id, part: String::new() }
    }
}
