//! Why a valid event is not acknowledged: its secret, its variable, its body, or a crash.

use clerk_webhooks::{Secret, Signer};

use super::clues::{Clue, clue, is_of_json_parser, reads_from_nothing};
use super::code::CheckCode;
use super::events::{Users, tampered};
use super::packages::{RAW_BODY_HELP, SVIX_HELP, raw_body_help};
use super::prober::{Answer, Prober};
use super::project::Project;
use super::report::Checks;
use super::variables::Variables;
use crate::diagnosis::NamedSecret;
use crate::hints::{Hint, hint};
use crate::new_secret::new_secret;
use crate::reply::Reply;

/// What is known beside the answers.
pub(super) struct Known<'a> {
    pub(super) project: &'a Project,
    pub(super) variables: &'a Variables,
    /// The secrets that may be the handler's; the first is the one that events are signed with.
    pub(super) secrets: &'a [NamedSecret],
}

/// Finds out, and returns the reply of the handler to an event that it takes, where another secret
/// is all that was wrong.
pub(super) async fn examine(
    refused: &Reply,
    prober: &mut Prober,
    users: &mut Users,
    known: &Known<'_>,
    checks: &mut Checks,
) -> Option<Reply> {
    let because = clue(refused);
    // What crashes on any event says nothing by crashing on another one.
    if reads_from_nothing(refused) {
        crashes(refused, prober, users, known, checks).await;
        return None;
    }
    if let Some(because) = &because
        && says_it_all(because, known, checks)
    {
        return None;
    }
    if verifies_another_body(prober, users, known, checks).await {
        return None;
    }
    if let Some(reply) = takes_another_secret(prober, users, known, checks).await {
        return Some(reply);
    }
    if refused.status >= 500 {
        crashes(refused, prober, users, known, checks).await;
        return None;
    }
    if let Some(Clue::NoSecret(variable)) = &because {
        known.variables.handler_has_none(variable.as_deref(), known.project, checks);
    } else if parses_first(refused, prober, users).await {
        let found = "a JSON parser reads the body before the handler verifies it";
        checks.fail(CheckCode::RawBody, found, raw_body_help(known.project));
    } else {
        unknown_secret(refused, prober, known, checks);
    }
    None
}

/// Whether the handler's own words say what is wrong.
fn says_it_all(because: &Clue, known: &Known<'_>, checks: &mut Checks) -> bool {
    match because {
        Clue::ParsedBody => checks.fail(
            CheckCode::RawBody,
            "it verifies an object: the body is parsed before it is verified",
            raw_body_help(known.project),
        ),
        Clue::NoHeaders => checks.fail(
            CheckCode::Accepts,
            "the headers svix-id, svix-timestamp and svix-signature do not reach it",
            "have the proxy pass them on unchanged; verifyWebhook takes svix-* alone, not webhook-*",
        ),
        Clue::Time => checks.fail(
            CheckCode::Clock,
            "it refuses the time of an event that was signed now",
            "set the clock of the handler's machine by NTP",
        ),
        Clue::MalformedSecret => checks.fail(
            CheckCode::Secret,
            "the handler's secret is not base64",
            "set the Signing Secret, whsec_…, without quotes or a line break, and restart the handler",
        ),
        Clue::NoSecret(_) => return false,
    }
    true
}

/// Whether it takes a signature over something else than the body that came.
async fn verifies_another_body(
    prober: &mut Prober,
    users: &mut Users,
    known: &Known<'_>,
    checks: &mut Checks,
) -> bool {
    let body = users.valid().body;
    let found = if is_taken(&prober.send_other("[object Object]", &body).await) {
        "it verifies the text [object Object]: the body is parsed before it is verified"
    } else if is_of_empty(&prober.send_other("", &body).await) {
        "it verifies an empty body: something else has read the body before"
    } else if is_taken(&prober.send(&users.as_python().body).await) {
        "it takes an event as json.dumps writes it alone: the body is parsed and written again before \
         it is verified"
    } else {
        return false;
    };
    let help = match found.contains("json.dumps") {
        true => {
            "verify the bytes as they came: request.get_data() in Flask, request.body in Django, \
                 await request.body() in FastAPI"
        }
        false => raw_body_help(known.project),
    };
    checks.fail(CheckCode::RawBody, found, help);
    true
}

/// Whether the signature of an empty body is right: it is taken, or what is made of the body fails.
fn is_of_empty(answer: &Answer) -> bool {
    answer.as_ref().is_ok_and(|reply| reply.is_success() || reads_from_nothing(reply))
}

fn is_taken(answer: &Answer) -> bool {
    answer.as_ref().is_ok_and(Reply::is_success)
}

/// Tries the other secrets that are known; goes on with one that is taken.
async fn takes_another_secret(
    prober: &mut Prober,
    users: &mut Users,
    known: &Known<'_>,
    checks: &mut Checks,
) -> Option<Reply> {
    let expected = known.secrets.first()?;
    for other in known.secrets.iter().skip(1) {
        let Ok(signer) = Signer::new(&other.secret) else { continue };
        let answer = prober.send_signed_by(signer.clone(), &users.valid().body).await;
        let Some(reply) = answer.ok().filter(Reply::is_success) else { continue };
        checks.fail(
            CheckCode::Secret,
            format!("the handler has the secret of {}, not that of {}", other.name, expected.name),
            "set the Signing Secret of the endpoint that sends to this URL, and restart the handler",
        );
        checks.pass(CheckCode::Variable, "the handler reads a secret");
        prober.sign_with(signer);
        return Some(reply);
    }
    None
}

/// It fails with a 5xx: before, while or after it verifies.
async fn crashes(
    crashed: &Reply,
    prober: &mut Prober,
    users: &mut Users,
    known: &Known<'_>,
    checks: &mut Checks,
) {
    let said = said(crashed, prober);
    let body = users.valid().body;
    let forged = prober.send_other(&body, &tampered(&body)).await;
    let is_verified = forged.as_ref().is_ok_and(|reply| (400..500).contains(&reply.status))
        || reads_from_nothing(crashed);
    if is_verified && reads_from_nothing(crashed) {
        checks.remove(CheckCode::SvixResult);
        let found = format!("{}: it verifies the event, and then reads from nothing", said.found);
        checks.fail(CheckCode::Accepts, found, SVIX_HELP);
    } else if is_verified {
        let found = format!("{}: it verifies the event, and then fails", said.found);
        checks.fail(CheckCode::Accepts, found, said.help);
    } else if let Some(Clue::NoSecret(variable)) = clue(crashed) {
        known.variables.handler_has_none(variable.as_deref(), known.project, checks);
    } else if let Some(read) = known.variables.read_and_not_set(known.project) {
        let found =
            format!("{}, also to a forged event; it reads {read}, which is not set", said.found);
        checks.fail(
            CheckCode::Variable,
            found,
            "set this variable, or read CLERK_WEBHOOK_SIGNING_SECRET",
        );
    } else if is_about_signature(crashed) {
        unknown_secret(crashed, prober, known, checks);
    } else {
        let found =
            format!("{}, also to a forged event: it fails before it has verified", said.found);
        let help = "look at its log: most often the variable with the secret is not set, or the body \
                    is not the text that verify expects";
        checks.fail(CheckCode::Accepts, found, help);
    }
}

fn is_about_signature(reply: &Reply) -> bool {
    let text = reply.body.to_ascii_lowercase();
    text.contains("signature") || text.contains("webhookverification")
}

/// Whether something parses the body before the handler: it refuses what is no JSON in its own words.
async fn parses_first(refused: &Reply, prober: &mut Prober, users: &mut Users) -> bool {
    let broken = users.valid().body.replacen('{', "{,", 1);
    let Ok(reply) = prober.send(&broken).await else { return false };
    let differs = reply.status != refused.status || reply.content_type != refused.content_type;
    !reply.is_success() && !is_of_json_parser(refused) && (is_of_json_parser(&reply) || differs)
}

fn unknown_secret(refused: &Reply, prober: &Prober, known: &Known<'_>, checks: &mut Checks) {
    let said = said(refused, prober);
    if let Some(near) = known.variables.near_miss()
        && known.variables.in_use().is_none()
    {
        let name = super::variables::named(near);
        let found = format!("{}; CLERK_WEBHOOK_SIGNING_SECRET is not set, {name} is", said.found);
        checks.fail(
            CheckCode::Variable,
            found,
            "rename it to CLERK_WEBHOOK_SIGNING_SECRET, and restart the handler",
        );
        return;
    }
    let tried =
        known.secrets.iter().map(|named| named.name.as_str()).collect::<Vec<_>>().join(", ");
    let read = known.variables.read_and_not_set(known.project);
    let reads =
        read.map_or_else(String::new, |read| format!("; it reads {read}, which is not set here"));
    checks.fail(
        CheckCode::Secret,
        format!("{}: signed with {tried}{reads}", said.found),
        format!(
            "the handler has another secret, or verifies another body. Copy the Signing Secret of this \
             endpoint from Clerk's dashboard, restart the handler, and {RAW_BODY_HELP}"
        ),
    );
}

/// What the hints say of this reply.
fn said(reply: &Reply, prober: &Prober) -> Hint {
    let status = reply.status;
    hint(&Ok(reply.clone()), prober.url()).unwrap_or_else(|| Hint {
        code: crate::hints::HintCode::Rejected,
        found: status.to_string(),
        help: String::new(),
    })
}

/// A secret that nobody has.
pub(super) fn random_signer() -> Option<Signer> {
    Secret::parse(&new_secret()).ok().and_then(|secret| Signer::new(&secret).ok())
}
