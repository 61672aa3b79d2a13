//! Listing dead letters, and requesting their retry.
//!
//! A destination's tables have one writer, the consumer. A retry is requested by a column of the
//! dead letter's row, and the consumer makes it, within [`MirrorOptions::poll_every`].

mod entry;
mod read;

use crate::db::{DatabaseError, Limits, MirrorDatabase, Param};
use crate::inspect::InspectError;
use crate::mirror_target::{ConnectError, TargetError, database};
use crate::options::MirrorOptions;
use crate::schema::DEAD_LETTERS;
pub use entry::{Choice, DeadLetterEntry, State};

/// The destination's dead letters and its rows that wait, in the order of source, message and part.
/// None where there is no such database, or no mirror in it.
///
/// # Errors
/// The options make no sense, or the database failed.
pub async fn list(
    options: &MirrorOptions,
    choice: &Choice,
) -> Result<Vec<DeadLetterEntry>, InspectError> {
    read::entries(options, choice).await
}

/// Erases the dead letters of these messages of a source: what the database refused may say it again
/// in its reason. How many there were.
///
/// # Errors
/// The options make no sense, or the database failed; nothing was changed then.
pub async fn erase(
    options: &MirrorOptions,
    source: &str,
    message_ids: &[String],
) -> Result<u64, InspectError> {
    let database = database(&options.database.url)?;
    let dialect = database.dialect();
    let letters = dialect.table(&options.database.schema, DEAD_LETTERS);
    let listed = dialect.is_listed("message_id");
    let sql = format!("DELETE FROM {letters} WHERE {listed} AND destination = $2 AND source = $3");
    let ids: Vec<_> = message_ids.iter().map(String::as_str).collect();
    let parameters = [Param::Texts(&ids), Param::Text(&options.destination), Param::Text(source)];
    change(&*database, &options.database.schema, &sql, &parameters).await
}

/// Requests a retry of these dead letters; returns their number. What waits is retried anyway and
/// does not count.
///
/// # Errors
/// The options make no sense, or the database failed; nothing was changed then.
pub async fn request_retry(options: &MirrorOptions, choice: &Choice) -> Result<u64, InspectError> {
    let letters = read::entries(options, choice).await?;
    if letters.iter().all(|letter| letter.state == State::Waiting) {
        return Ok(0);
    }
    let database = database(&options.database.url)?;
    let dialect = database.dialect();
    let letters = dialect.table(&options.database.schema, DEAD_LETTERS);
    let destination = Param::Text(&options.destination);
    let ids: Vec<_>;
    let (condition, parameters) = match choice {
        Choice::All => ("destination = $1".to_owned(), vec![destination]),
        Choice::These(these) => {
            ids = these.iter().map(String::as_str).collect();
            let (id, message) = (dialect.is_listed("id"), dialect.is_listed("message_id"));
            let condition = format!("({id} OR {message}) AND destination = $2");
            (condition, vec![Param::Texts(&ids), destination])
        }
        Choice::Cause(cause) => {
            let condition = "destination = $1
                AND (cause = $2 OR constraint_name = $2 OR table_name = $2 OR reason = $2)";
            (condition.to_owned(), vec![destination, Param::Text(cause)])
        }
    };
    let condition = format!("{condition} AND (waiting_since IS NULL OR kind = 'delete')");
    let sql = format!("UPDATE {letters} SET retry = true WHERE {condition}");
    change(&*database, &options.database.schema, &sql, &parameters).await
}

/// Runs one statement in a transaction; how many rows it changed.
async fn change(
    database: &dyn MirrorDatabase,
    schema: &str,
    sql: &str,
    parameters: &[Param<'_>],
) -> Result<u64, InspectError> {
    let mut session = database.connect().await.map_err(ConnectError::from)?;
    let changed = async {
        session.begin(schema, Limits::Unlimited).await?;
        let changed = session.execute(&sql.into(), parameters).await?;
        session.commit().await?;
        session.close().await?;
        Ok::<_, DatabaseError>(changed)
    };
    Ok(changed.await.map_err(TargetError::from)?)
}
