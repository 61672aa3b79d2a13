//! Dead letters that are asked for again, and what else waits.

use crate::entity::Kind;
use crate::mapped::MappedTarget;
use crate::session::{DatabaseError, Param, Session};
use crate::sql::Statements;
use crate::target::{Retry, RetryRequest, Waiting};
use crate::value::Value;

/// What waits for this destination.
pub(super) async fn waiting(
    session: &mut dyn Session,
    statements: &Statements,
    tables: &[MappedTarget],
    destination: &str,
) -> Result<Waiting, DatabaseError> {
    let destination = [Param::Text(destination)];
    let rows = session.fetch(&statements.requests, &destination, &[Kind::Id; 3]).await?;
    let requests = rows.into_iter().filter_map(request).collect();
    let counted = session.fetch(&statements.count_letters, &destination, &[Kind::Integer]).await?;
    let dead_letters = match counted.first().map(Vec::as_slice) {
        Some([Value::Integer(count)]) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    };
    let names: Vec<_> = tables.iter().map(MappedTarget::name).collect();
    let parked = !names.is_empty() && {
        let names = [Param::Texts(&names), destination[0]];
        !session.fetch(&statements.any_parked, &names, &[Kind::Id]).await?.is_empty()
    };
    Ok(Waiting { requests, parked, dead_letters })
}

fn request(row: Vec<Value>) -> Option<RetryRequest> {
    let row: [Value; 3] = row.try_into().ok()?;
    let [Value::Text(source), Value::Text(message_id), Value::Text(part)] = row else {
        return None;
    };
    Some(RetryRequest { source, message_id, part })
}

/// Takes the letters away that are tried again, and answers those that cannot be. A mapped table's
/// row that was given up waits again: what is known of it is enough, also without the event.
pub(super) async fn take(
    session: &mut dyn Session,
    statements: &Statements,
    destination: &str,
    retry: &Retry,
) -> Result<(), DatabaseError> {
    for (requests, letters) in
        [(&retry.requests, &statements.take_letter), (&retry.lost, &statements.keep_letter)]
    {
        for RetryRequest { source, message_id, part } in requests {
            let parameters = [destination, source, message_id, part].map(Param::Text);
            session.execute(&statements.wait_again, &parameters).await?;
            session.execute(letters, &parameters).await?;
        }
    }
    Ok(())
}
