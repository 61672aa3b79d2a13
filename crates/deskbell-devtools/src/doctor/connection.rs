//! Whether requests get to a handler at all: what stands before it.

use std::time::UNIX_EPOCH;

use url::{Host, Url};

use super::code::CheckCode;
use super::events::Users;
use super::prober::{Answer, Prober};
use super::report::Checks;
use crate::hints::{Hint, HintCode, hint};
use crate::reply::{NoReplyKind, Reply};

/// A difference between clocks that the `Date` header and a slow answer explain.
const CLOCK_SECONDS_OK: i64 = 30;
/// From here on, signatures are refused.
const CLOCK_SECONDS_MAX: i64 = 5 * 60;

/// What a request by GET shows; whether there is a server to go on with.
pub(super) fn examine(get: &Answer, prober: &mut Prober, checks: &mut Checks) -> bool {
    let url = prober.url().clone();
    if let Err(no_reply) = get {
        let code = match no_reply.kind {
            NoReplyKind::Refused | NoReplyKind::UnknownHost => CheckCode::Reachable,
            NoReplyKind::Tls => CheckCode::Tls,
            // A handler need not take GET.
            NoReplyKind::TimedOut | NoReplyKind::Lost => return true,
        };
        if let Some(hint) = hint(get, &url) {
            checks.fail(code, hint.found, hint.help);
        }
        if code == CheckCode::Tls {
            checks.pass(CheckCode::Reachable, at(&url));
        }
        return false;
    }
    checks.pass(CheckCode::Reachable, at(&url));
    tls(&url, checks);
    if let Ok(reply) = get {
        clock(reply, prober, checks);
    }
    true
}

fn at(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!("{host}:{} answers", url.port_or_known_default().unwrap_or_default())
}

fn tls(url: &Url, checks: &mut Checks) {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    match (url.scheme(), is_here) {
        ("https", _) => checks.pass(CheckCode::Tls, "the certificate is valid for this host"),
        (_, true) => checks.skip(CheckCode::Tls, "it is on this machine, without TLS"),
        (_, false) => checks.warn(
            CheckCode::Tls,
            "events travel in clear",
            "use https://, with a certificate from a public authority",
        ),
    }
}

fn clock(reply: &Reply, prober: &mut Prober, checks: &mut Checks) {
    let date = reply.date.as_deref().and_then(|date| httpdate::parse_http_date(date).ok());
    let server = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    let Some(server) = server else {
        checks.skip(CheckCode::Clock, "the server's replies have no Date");
        return;
    };
    let ahead = server.as_secs().cast_signed().saturating_sub(prober.now().cast_signed());
    let found = match ahead {
        0 | 1 => "the server's clock agrees with this machine's".to_owned(),
        0.. => format!("the server's clock is {ahead} s ahead of this machine's"),
        _ => format!("the server's clock is {} s behind this machine's", -ahead),
    };
    let help = "set both by NTP; signatures are made with the sender's time";
    if ahead.abs() >= CLOCK_SECONDS_MAX {
        checks.fail(CheckCode::Clock, found, help);
        prober.ahead_seconds = ahead;
    } else if ahead.abs() > CLOCK_SECONDS_OK {
        checks.warn(CheckCode::Clock, found, help);
    } else {
        checks.pass(CheckCode::Clock, found);
    }
}

/// What a request by GET alone shows of what stands before the handler.
pub(super) fn examine_get(get: &Answer, url: &Url, checks: &mut Checks) {
    let Ok(reply) = get else { return };
    let Some(hint) = hint(get, url) else { return };
    let is_certain = (300..400).contains(&reply.status) || reply.clerk_reason.is_some();
    match hint.code {
        HintCode::Protected if is_certain => checks.fail(CheckCode::Public, hint.found, hint.help),
        HintCode::Redirect => redirect(reply, url, hint, checks),
        _ => {}
    }
}

/// Whether a valid event got to a handler. If not, adds what keeps it away.
pub(super) async fn reaches_handler(
    get: &Answer,
    posted: &Answer,
    prober: &Prober,
    users: &mut Users,
    checks: &mut Checks,
) -> bool {
    let url = prober.url().clone();
    let reply = match posted {
        Ok(reply) => reply,
        Err(no_reply) => {
            let code = match no_reply.kind {
                NoReplyKind::TimedOut => CheckCode::AnswerTime,
                NoReplyKind::Lost => CheckCode::Accepts,
                NoReplyKind::Tls => CheckCode::Tls,
                NoReplyKind::Refused | NoReplyKind::UnknownHost => CheckCode::Reachable,
            };
            if let Some(hint) = hint(posted, &url) {
                checks.fail(code, hint.found, hint.help);
            }
            return false;
        }
    };
    let Some(hint) = hint(posted, &url) else { return true };
    match hint.code {
        // A handler may also refuse a signature so; a guard refuses whatever the method.
        HintCode::Protected if matches!(reply.status, 401 | 403) && !is_guarded(get, reply) => true,
        HintCode::Protected => {
            checks.fail(CheckCode::Public, hint.found, hint.help);
            false
        }
        HintCode::Redirect => {
            redirect(reply, &url, hint, checks);
            false
        }
        HintCode::NotFound => {
            not_found(prober, users, hint, checks).await;
            false
        }
        HintCode::MethodNotAllowed => {
            checks.fail(CheckCode::Method, hint.found, hint.help);
            false
        }
        HintCode::TooLarge | HintCode::UnsupportedMediaType | HintCode::RateLimited => {
            checks.fail(CheckCode::Accepts, hint.found, hint.help);
            false
        }
        _ => true,
    }
}

/// Says that nothing stands before the handler.
pub(super) fn nothing_before(checks: &mut Checks) {
    checks.pass(CheckCode::Redirect, "it does not redirect");
    checks.pass(CheckCode::Path, "a handler answers");
    checks.pass(CheckCode::Method, "it takes POST");
    checks.pass(CheckCode::Public, "it asks for no session");
}

fn is_guarded(get: &Answer, posted: &Reply) -> bool {
    let is_alike = get.as_ref().is_ok_and(|get| get.status == posted.status);
    posted.clerk_reason.is_some() || is_alike
}

fn redirect(reply: &Reply, url: &Url, hint: Hint, checks: &mut Checks) {
    let target = reply.location.as_deref().and_then(|location| url.join(location).ok());
    let difference = target.as_ref().and_then(|target| difference(url, target));
    let found = match difference {
        Some(difference) => format!("{} ({difference})", hint.found),
        None => hint.found,
    };
    checks.fail(CheckCode::Redirect, found, hint.help);
}

/// What alone differs in the URL that it redirects to.
fn difference(url: &Url, target: &Url) -> Option<&'static str> {
    let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
    let (from, to) = (host(url), host(target));
    if format!("www.{from}") == to || from == format!("www.{to}") {
        return Some("the www. differs");
    }
    if from == to && url.path() != target.path() && with_other_slash(url).path() == target.path() {
        return Some("the slash at the end differs");
    }
    (from == to && url.scheme() != target.scheme()).then_some("http for https")
}

/// Looks whether the path is right but for the slash at its end.
async fn not_found(prober: &Prober, users: &mut Users, hint: Hint, checks: &mut Checks) {
    let other = with_other_slash(prober.url());
    let answer = prober.send_to(other.clone(), &users.valid().body).await;
    if answer.is_ok_and(|reply| !matches!(reply.status, 300..400 | 404 | 405)) {
        checks.fail(
            CheckCode::Path,
            format!("{}, and {} answers", hint.found, other.path()),
            format!("use {other} as the endpoint's URL"),
        );
    } else {
        checks.fail(CheckCode::Path, hint.found, hint.help);
    }
}

fn with_other_slash(url: &Url) -> Url {
    let mut other = url.clone();
    match url.path().strip_suffix('/') {
        Some(path) => other.set_path(path),
        None => other.set_path(&format!("{}/", url.path())),
    }
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_a_redirect_is_named() {
        for (from, to, wanted) in [
            ("https://app.example/api", "https://www.app.example/api", Some("the www. differs")),
            (
                "https://app.example/api",
                "https://app.example/api/",
                Some("the slash at the end differs"),
            ),
            (
                "https://app.example/api/",
                "https://app.example/api",
                Some("the slash at the end differs"),
            ),
            ("http://app.example/api", "https://app.example/api", Some("http for https")),
            ("https://app.example/api", "https://app.example/other", None),
        ] {
            let url = |text| Url::parse(text).unwrap();
            assert_eq!(difference(&url(from), &url(to)), wanted, "{from} {to}");
        }
    }
}
