//! Events that must be refused.

use std::time::Duration;

use super::code::CheckCode;
use super::events::{Users, tampered};
use super::prober::{Answer, Prober};
use super::refusal::random_signer;
use super::report::{Checks, Status};
use crate::reply::Reply;

/// Twice the age up to which signatures are taken.
const STALE: Duration = Duration::from_secs(10 * 60);
const VERIFY: &str = "verify the signature before anything else, with verifyWebhook(request) or svix, and \
                      answer 400 where it throws";
/// The forgeries beside the tampered event.
const FORGERIES: [CheckCode; 3] =
    [CheckCode::WrongSecret, CheckCode::Stale, CheckCode::MissingHeader];

/// `accepted` is the body of a valid event, and the reply to it.
pub(super) async fn examine(
    accepted: (&str, &Reply),
    prober: &Prober,
    users: &mut Users,
    checks: &mut Checks,
) {
    let (body, reply) = accepted;
    let fresh = users.valid().body;
    judge(CheckCode::Tampered, &prober.send_other(&fresh, &tampered(&fresh)).await, checks);
    let Some(signer) = random_signer() else { return };
    let wrong_secret = prober.send_signed_by(signer, body).await;
    judge(CheckCode::WrongSecret, &wrong_secret, checks);
    judge(CheckCode::Stale, &prober.send_old(STALE, &users.valid().body).await, checks);
    judge(CheckCode::MissingHeader, &prober.send_unsigned(&users.valid().body).await, checks);
    once(checks);
    hidden(reply, &wrong_secret, checks);
}

fn judge(code: CheckCode, answer: &Answer, checks: &mut Checks) {
    let status = match answer {
        Ok(reply) => reply.status,
        Err(no_reply) => {
            let help = "catch the error of the verification, and answer 400";
            checks.warn(code, no_reply.to_string(), help);
            return;
        }
    };
    match status {
        200..300 => {
            let help = if code == CheckCode::Stale {
                "refuse a svix-timestamp that is more than 5 minutes old: verifyWebhook and svix do it"
            } else {
                VERIFY
            };
            checks.fail(code, format!("{status}: it takes the event"), help);
        }
        500..600 => checks.warn(
            code,
            format!("{status}: it fails instead of refusing it"),
            "catch the error of the verification, and answer 400: a 5xx looks like an outage, in Clerk's \
             dashboard and in yours",
        ),
        status => checks.pass(code, format!("refused with {status}")),
    }
}

/// A handler that verifies nothing, or catches nothing, has one fault and not four.
fn once(checks: &mut Checks) {
    for status in [Status::Fail, Status::Warn] {
        if checks.has(CheckCode::Tampered, status) {
            for other in FORGERIES {
                if checks.has(other, status) {
                    checks.skip(other, "as for the tampered event");
                }
            }
        }
    }
}

/// A handler that answers a forged event with 2xx, in other words than a valid one, does verify: it
/// hides the error.
fn hidden(valid: &Reply, wrong_secret: &Answer, checks: &mut Checks) {
    let Ok(forged) = wrong_secret else { return };
    if !forged.is_success() {
        return;
    }
    if (forged.status, &forged.body) != (valid.status, &valid.body) {
        for code in FORGERIES.into_iter().chain([CheckCode::Tampered]) {
            checks.skip(code, "see errors_hidden");
        }
        checks.fail(
            CheckCode::ErrorsHidden,
            format!(
                "{} to a forged event, in other words than to a valid one: it catches the error, and \
                 answers as if nothing were",
                forged.status
            ),
            "answer 400 where the verification fails and 500 where storing the event fails: Clerk's \
             sender then tries again",
        );
    }
}
