//! Events that a handler must acknowledge, however unusual they are.

use std::time::Duration;

use super::code::CheckCode;
use super::events::{Created, Users};
use super::packages::raw_body_help;
use super::prober::{Answer, Prober};
use super::project::Project;
use super::report::Checks;
use super::rows::CountRows;
use crate::hints::{QUEUE_THE_WORK, hint};
use crate::reply::Reply;

/// How often the database is asked for a row, and how long between.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);

/// The body in every form that JSON may have.
pub(super) async fn forms(
    prober: &mut Prober,
    users: &mut Users,
    project: &Project,
    checks: &mut Checks,
) {
    let mut refused = Vec::new();
    let bodies = [
        (r"escapes such as \u0026", users.with_escapes()),
        ("white space between members", users.with_spaces()),
        ("numbers such as 1.0, or members in another order", users.with_other_forms()),
    ];
    for (form, Created { body, .. }) in bodies {
        if !is_acknowledged(&prober.send(&body).await) {
            refused.push(form);
        }
    }
    if refused.is_empty() {
        checks.pass(CheckCode::RawBody, "it takes a body in whatever form it is written");
    } else {
        let found = format!(
            "it refuses a valid event with {}: the body is parsed and written again before it is verified",
            refused.join("; with ")
        );
        checks.fail(CheckCode::RawBody, found, raw_body_help(project));
    }
}

/// The same event once more, under the same id.
pub(super) async fn duplicate(
    id: &str,
    created: &Created,
    prober: &mut Prober,
    rows: Option<&CountRows<'_>>,
    checks: &mut Checks,
) {
    let again = prober.send_as(id, &created.body).await;
    let code = CheckCode::Duplicate;
    if !is_acknowledged(&again) {
        checks.fail(
            code,
            format!("the first time is acknowledged; the second time: {}", said(&again, prober)),
            "answer 2xx to an event that was stored before: INSERT … ON CONFLICT (clerk_id) DO UPDATE, \
             upsert in Prisma, or a table of svix-ids",
        );
        return;
    }
    let Some(rows) = rows else {
        checks.pass(code, "acknowledged both times; whether there is one row was not looked at");
        return;
    };
    match rows_of(rows, &created.user_id).await {
        Err(error) => checks.warn(
            code,
            format!("acknowledged both times; the rows cannot be counted: {error}"),
            "check --database, --table and --column",
        ),
        Ok(0) => checks.warn(
            code,
            "acknowledged both times, and there is no row",
            "check --table and --column; or the handler answers before it has stored the event",
        ),
        Ok(1) => checks.pass(code, "acknowledged both times, and there is one row"),
        Ok(rows) => checks.fail(
            code,
            format!("acknowledged both times, and there are {rows} rows"),
            "make the column with Clerk's id unique, and upsert by it",
        ),
    }
}

/// The number of rows once it is not 0, as far as that is waited for: the work may be in a queue.
async fn rows_of(rows: &CountRows<'_>, user_id: &str) -> Result<u64, String> {
    let mut look = tokio::time::interval(BETWEEN_LOOKS);
    for _ in 0..LOOKS {
        look.tick().await;
        let count = rows(user_id.to_owned()).await?;
        if count > 0 {
            return Ok(count);
        }
    }
    Ok(0)
}

/// The events that crash handlers, or that they refuse.
pub(super) async fn unusual(prober: &mut Prober, users: &mut Users, checks: &mut Checks) {
    let bodies = [
        (
            CheckCode::LargeBody,
            users.large().body,
            "acknowledged with 300 KB",
            "raise the limit of the body for this route to 1 MB: express.raw({ type: 'application/json', \
             limit: '1mb' }), bodyLimit in Fastify, client_max_body_size in nginx",
        ),
        (
            CheckCode::NullFields,
            users.without_names().body,
            "acknowledged without names and addresses",
            "take null names and an empty email_addresses: email_addresses.find(({ id }) => id === \
             primary_email_address_id)?.email_address ?? null, and columns that may be NULL",
        ),
        (
            CheckCode::UnknownType,
            users.of_unknown_type(),
            "acknowledged",
            "answer 2xx to every event that is verified; ignore the types that you do not handle",
        ),
        (
            CheckCode::UnknownUser,
            users.deleted_unknown(),
            "acknowledged",
            "delete where it exists: deleteMany in Prisma, DELETE without a check of the number of rows",
        ),
    ];
    for (code, body, taken, help) in bodies {
        let answer = prober.send(&body).await;
        if is_acknowledged(&answer) {
            checks.pass(code, taken);
        } else {
            checks.fail(code, said(&answer, prober), help);
        }
    }
}

/// How long the slowest answer took.
pub(super) fn answer_time(prober: &Prober, slow_after: Duration, checks: &mut Checks) {
    let took = prober.slowest();
    let found = format!("the slowest answer took {:.1} s", took.as_secs_f64());
    if took > slow_after {
        checks.warn(CheckCode::AnswerTime, found, QUEUE_THE_WORK);
    } else {
        checks.pass(CheckCode::AnswerTime, found);
    }
}

fn is_acknowledged(answer: &Answer) -> bool {
    answer.as_ref().is_ok_and(Reply::is_success)
}

fn said(answer: &Answer, prober: &Prober) -> String {
    match (answer, hint(answer, prober.url())) {
        (_, Some(hint)) => hint.found,
        (Ok(reply), None) => reply.status.to_string(),
        (Err(no_reply), None) => no_reply.to_string(),
    }
}
