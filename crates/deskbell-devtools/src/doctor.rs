//! What is wrong with a handler of Clerk's webhooks, from its URL and its directory: each fault once,
//! with why it matters and how to mend it.

mod clues;
mod code;
mod connection;
mod events;
mod forged;
mod handled;
mod packages;
mod prober;
mod project;
mod refusal;
mod report;
mod rows;
mod subject;
mod variables;

pub use self::code::CheckCode;
pub use self::events::USER_PREFIX;
pub use self::report::{Check, Report, Status, Summary};
pub use self::rows::CountRows;
pub use self::subject::{Own, Subject};

use clerk_webhooks::Signer;

use self::events::Users;
use self::prober::Prober;
use self::project::Project;
use self::refusal::Known;
use self::report::Checks;
use self::variables::Variables;
use crate::client::{Client, ClientOptions};
use crate::diagnosis::NamedSecret;
use crate::reply::Reply;
use crate::samples::message_id;
use crate::shown_url::without_password;

/// What is found of the checks that an earlier one leaves nothing to ask for.
pub const NOT_CHECKED: &str = "not checked, as an earlier check failed";

/// Checks everything that can be checked.
///
/// # Errors
/// TLS cannot be set up.
pub async fn examine(subject: Subject<'_>) -> reqwest::Result<Report> {
    let mut checks = Checks::default();
    let project = Project::read(&subject.project);
    let variables = Variables::of(subject.variables.clone());
    if let Some(own) = &subject.own {
        own.add_to(&mut checks);
    } else {
        variables.examine(&mut checks);
        packages::examine(&project, &mut checks);
    }
    let Some(url) = subject.url.clone() else {
        return Ok(checks.finish(None, NOT_CHECKED));
    };
    let shown = Some(without_password(&url));
    let secrets = secrets(&subject, &variables);
    let signer = secrets.first().and_then(|named| Signer::new(&named.secret).ok());
    let Some(any_signer) = signer.clone().or_else(refusal::random_signer) else {
        return Ok(checks.finish(shown, NOT_CHECKED));
    };
    let options = ClientOptions { timeout: subject.timeout, ..ClientOptions::default() };
    let client = Client::with_options(url, any_signer, &options)?;
    let mut prober = Prober::new(client, subject.now_seconds);
    let get = prober.get().await;
    if !connection::examine(&get, &mut prober, &mut checks) {
        return Ok(checks.finish(shown, NOT_CHECKED));
    }
    if !subject.probes {
        connection::examine_get(&get, prober.url(), &mut checks);
        return Ok(checks.finish(shown, "no events are sent with --no-probes"));
    }
    if checks.has(CheckCode::Secret, Status::Fail) {
        return Ok(checks.finish(shown, "see secret"));
    }
    if signer.is_none() {
        checks.fail(
            CheckCode::Secret,
            "there is no signing secret to sign events with",
            "pass --secret whsec_…, or run it where CLERK_WEBHOOK_SIGNING_SECRET or the .env file is",
        );
        return Ok(checks.finish(shown, "see secret"));
    }
    let known = Known { project: &project, variables: &variables, secrets: &secrets };
    let mut users = Users::new(prober.now());
    probe(&subject, &get, (&mut prober, &mut users), &known, &mut checks).await;
    prober.clean_up(|user_id| users.deleted(user_id)).await;
    Ok(checks.finish(shown, NOT_CHECKED))
}

async fn probe(
    subject: &Subject<'_>,
    get: &prober::Answer,
    (prober, users): (&mut Prober, &mut Users),
    known: &Known<'_>,
    checks: &mut Checks,
) {
    let (mut id, mut first) = (message_id(), users.valid());
    let posted = prober.send_as(&id, &first.body).await;
    if !connection::reaches_handler(get, &posted, prober, users, checks).await {
        return;
    }
    let Ok(reply) = posted else { return };
    connection::nothing_before(checks);
    let accepted = if reply.is_success() {
        checks.pass(CheckCode::Accepts, format!("{}", reply.status));
        secret_fits(known, checks);
        reply
    } else {
        let taken = refusal::examine(&reply, prober, users, known, checks).await;
        if taken.is_none() {
            return;
        }
        // Under the secret that it takes, so that its answers can be compared.
        (id, first) = (message_id(), users.valid());
        let Ok(reply) = prober.send_as(&id, &first.body).await else { return };
        checks.pass(CheckCode::Accepts, format!("{}, with the handler's own secret", reply.status));
        reply
    };
    checks.remove(CheckCode::SvixResult);
    checks.remove(CheckCode::ClerkRewrites);
    rest(subject, (&id, &first, &accepted), prober, users, known, checks).await;
}

fn secret_fits(known: &Known<'_>, checks: &mut Checks) {
    let Some(used) = known.secrets.first() else { return };
    checks.pass(CheckCode::Secret, format!("the handler has that of {}", used.name));
    // It works under whatever name.
    if known.variables.in_use().is_none() && known.variables.near_miss().is_some() {
        checks.pass(CheckCode::Variable, format!("the handler reads {}", used.name));
    }
}

/// What is checked of a handler that acknowledges a valid event.
async fn rest(
    subject: &Subject<'_>,
    (id, first, accepted): (&str, &events::Created, &Reply),
    prober: &mut Prober,
    users: &mut Users,
    known: &Known<'_>,
    checks: &mut Checks,
) {
    forged::examine((&first.body, accepted), prober, users, checks).await;
    let verifies_nothing = checks.has(CheckCode::Tampered, Status::Fail);
    handled::duplicate(id, first, prober, subject.rows, checks).await;
    handled::forms(prober, users, known.project, checks).await;
    handled::unusual(prober, users, checks).await;
    if verifies_nothing {
        for code in [CheckCode::Secret, CheckCode::RawBody, CheckCode::ErrorsHidden] {
            checks.skip(code, "it takes forged events too: see tampered");
        }
    } else if !checks.has(CheckCode::ErrorsHidden, Status::Fail) {
        checks.pass(CheckCode::ErrorsHidden, "as far as can be seen from outside");
    }
    handled::answer_time(prober, subject.slow_after, checks);
}

/// The secrets that the handler may have, each once: those that were given, then those of variables,
/// then those of the config.
fn secrets(subject: &Subject<'_>, variables: &Variables) -> Vec<NamedSecret> {
    let own_first = subject.own.is_some();
    let (mut all, mut of_config) = (subject.secrets.clone(), subject.of_config.clone());
    if own_first {
        all.append(&mut of_config);
    }
    all.extend(variables.secrets());
    all.append(&mut of_config);
    let mut distinct: Vec<NamedSecret> = Vec::new();
    for named in all {
        let is_new = distinct.iter().all(|other| other.secret != named.secret);
        if is_new && Signer::new(&named.secret).is_ok() {
            distinct.push(named);
        }
    }
    distinct
}
