//! What a refusal of a valid event means most of the time, and how to mend it.

use schemars::JsonSchema;
use serde::Serialize;
use url::Url;

use crate::client::TIMEOUT as SENDER_TIMEOUT;
use crate::reply::{NoReply, NoReplyKind, Reply, innermost_cause};

/// Characters of a reply that are repeated.
const EXCERPT_CHARS_MAX: usize = 200;

/// What is wrong with a handler, as one of its answers shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HintCode {
    Refused,
    UnknownHost,
    Tls,
    TimedOut,
    ConnectionLost,
    Slow,
    Protected,
    Redirect,
    VerificationFailed,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    UnsupportedMediaType,
    RateLimited,
    Crashed,
    Rejected,
}

/// What an answer means, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hint {
    pub code: HintCode,
    /// What the answer shows.
    pub found: String,
    /// What to do about it.
    pub help: String,
}

/// What the answer to a valid event shows to be wrong; `None` where nothing is.
#[must_use]
pub fn hint(answer: &Result<Reply, NoReply>, url: &Url) -> Option<Hint> {
    match answer {
        Err(no_reply) => Some(of_no_reply(no_reply.kind, &innermost_cause(no_reply), url)),
        Ok(reply) if reply.took > SENDER_TIMEOUT => Some(slow(reply)),
        Ok(reply) if reply.is_success() => None,
        Ok(reply) => Some(of_reply(reply, url)),
    }
}

/// What it means that there was no answer, with the innermost cause.
pub(crate) fn of_no_reply(kind: NoReplyKind, cause: &str, url: &Url) -> Hint {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let (code, found, help) = match kind {
        NoReplyKind::Refused => (
            HintCode::Refused,
            format!("nothing listens on {host}:{port}"),
            "start your application, and check the port".to_owned(),
        ),
        NoReplyKind::UnknownHost => (
            HintCode::UnknownHost,
            format!("the host {host} has no address"),
            "check the host name and its DNS records".to_owned(),
        ),
        NoReplyKind::Tls => (
            HintCode::Tls,
            format!("no secure connection to {host}:{port}: {cause}"),
            "use http:// if the server has no TLS; otherwise its certificate must be valid for \
             this host and from a public authority"
                .to_owned(),
        ),
        NoReplyKind::TimedOut => (
            HintCode::TimedOut,
            format!("no answer in time; Clerk's sender waits {} s", SENDER_TIMEOUT.as_secs()),
            QUEUE_THE_WORK.to_owned(),
        ),
        NoReplyKind::Lost => (
            HintCode::ConnectionLost,
            "the connection was closed without an answer".to_owned(),
            "the process ended or restarted while it worked on the event: look at its log"
                .to_owned(),
        ),
    };
    Hint { code, found, help }
}

pub(crate) const QUEUE_THE_WORK: &str =
    "store the event, answer 200, and do the work after that, from a queue";

fn slow(reply: &Reply) -> Hint {
    Hint {
        code: HintCode::Slow,
        found: format!(
            "it answered after {:.1} s; Clerk's sender waits {} s",
            reply.took.as_secs_f64(),
            SENDER_TIMEOUT.as_secs()
        ),
        help: QUEUE_THE_WORK.to_owned(),
    }
}

fn of_reply(reply: &Reply, url: &Url) -> Hint {
    let said = excerpt(&reply.body).map_or_else(String::new, |start| format!(": {start}"));
    let with = |code, found: String, help: &str| Hint { code, found, help: help.to_owned() };
    match reply.status {
        300..400 if leads_to_sign_in(reply, url) => protected(reply, url),
        300..400 => redirect(reply, url),
        401 | 403 => protected(reply, url),
        404 if is_of_clerks_middleware(reply) => protected(reply, url),
        404 => with(
            HintCode::NotFound,
            format!("404: nothing handles {}", url.path()),
            "check the path; with clerkMiddleware() a protected route also answers 404 to \
             requests without a session, so make this route public",
        ),
        405 => with(
            HintCode::MethodNotAllowed,
            format!("405: {} does not take POST", url.path()),
            "handle POST: in Next.js `export async function POST(request)` in route.ts, in \
             Express `app.post(…)`",
        ),
        413 => with(
            HintCode::TooLarge,
            format!("413: the body is larger than the server takes{said}"),
            "raise the limit for this route to 1 MB: express.raw({ type: '*/*', limit: '1mb' }), \
             client_max_body_size in nginx",
        ),
        415 => with(
            HintCode::UnsupportedMediaType,
            format!("415: the server does not take application/json{said}"),
            "read the body as raw bytes for application/json on this route",
        ),
        429 => with(
            HintCode::RateLimited,
            format!("429: the server limits requests{said}"),
            "exclude the webhook route from the rate limit: Clerk's sender sends bursts",
        ),
        400 | 422 => with(
            HintCode::VerificationFailed,
            format!("{}{said}", reply.status),
            "the handler could not verify or read it: it must verify the raw body before \
             anything parses it (no express.json() before this route, no JSON.stringify of a \
             parsed body), and its secret must be the one that this event is signed with",
        ),
        500..600 if let Some(help) = of_verification(&reply.body) => {
            with(HintCode::VerificationFailed, format!("{}{said}", reply.status), help)
        }
        500..600 => with(
            HintCode::Crashed,
            format!("{}{said}", reply.status),
            "the handler failed: its own log has the stack. A handler must take null names, empty \
             email_addresses, and an id that it has seen before",
        ),
        status => with(
            HintCode::Rejected,
            format!("{status}{said}"),
            "answer 2xx as soon as the event is stored; anything else is retried",
        ),
    }
}

/// What an error of the libraries that verify means, where the handler lets it through.
fn of_verification(body: &str) -> Option<&'static str> {
    const PARSED: &str = "the body is parsed before it is verified: in Express, put express.raw({ type: '*/*' }) on \
                          this route, before express.json(); then answer 400 where verifying throws";
    const NO_SECRET: &str = "the handler has no signing secret: set the variable that it reads, such as \
                             CLERK_WEBHOOK_SIGNING_SECRET, and restart it";
    const NO_MATCH: &str = "the handler has another signing secret than this event is signed with, or verifies a \
                            body that was parsed; answer 400 where verifying throws";
    let known = [
        ("Expected payload to be of type string or Buffer", PARSED),
        ("[object Object]", PARSED),
        ("Secret can't be empty", NO_SECRET),
        ("Missing webhook signing secret", NO_SECRET),
        ("No matching signature found", NO_MATCH),
        ("Unable to verify incoming webhook", NO_MATCH),
    ];
    known.into_iter().find(|(text, _)| body.contains(text)).map(|(_, help)| help)
}

/// Middleware keeps everybody out who has no session.
fn protected(reply: &Reply, url: &Url) -> Hint {
    let how = match &reply.location {
        Some(location) if (300..400).contains(&reply.status) => {
            format!("redirects to {location}")
        }
        _ => reply.status.to_string(),
    };
    let path = url.path();
    Hint {
        code: HintCode::Protected,
        found: format!("{how}: the route asks for a signed-in user"),
        help: format!(
            "make it public. In Express, put the route before requireAuth() and other guards. In Next.js, \
             in proxy.ts (middleware.ts before 16):\n  const isPublic = \
             createRouteMatcher(['{path}(.*)'])\n  export default clerkMiddleware(async (auth, \
             req) => {{ if (!isPublic(req)) await auth.protect() }})"
        ),
    }
}

fn redirect(reply: &Reply, url: &Url) -> Hint {
    let target = reply.location.as_deref().and_then(|location| url.join(location).ok());
    let help = match &target {
        Some(target) => format!("use {target} as the endpoint's URL"),
        None => "use the URL that answers by itself as the endpoint's URL".to_owned(),
    };
    let target = target.map_or_else(|| "another URL".to_owned(), |target| target.to_string());
    Hint {
        code: HintCode::Redirect,
        found: format!("{}: redirects to {target}; Clerk's sender does not follow", reply.status),
        help,
    }
}

fn leads_to_sign_in(reply: &Reply, url: &Url) -> bool {
    let location = reply.location.as_deref().unwrap_or_default().to_ascii_lowercase();
    let words = ["sign-in", "signin", "sign_in", "login", "handshake", "sso-api", "auth/"];
    words.iter().any(|word| location.contains(word))
        || is_of_clerks_middleware(reply)
        || (reply.clerk_reason.is_some() && leads_elsewhere(reply, url))
}

/// Whether it redirects to another path: `requireAuth` of `@clerk/express` does so, to `/`.
fn leads_elsewhere(reply: &Reply, url: &Url) -> bool {
    let target = reply.location.as_deref().and_then(|location| url.join(location).ok());
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    target.is_some_and(|target| path(&target) != path(url))
}

fn is_of_clerks_middleware(reply: &Reply) -> bool {
    reply.clerk_reason.as_deref().is_some_and(|reason| reason.starts_with("protect"))
}

/// What HTML writes in pages of errors, `&` last.
const ENTITIES: [(&str, &str); 6] = [
    ("&#39;", "'"),
    ("&quot;", "\""),
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
];

/// The start of a reply in one line, without mark-up; `None` where there is nothing.
#[must_use]
pub fn excerpt(body: &str) -> Option<String> {
    let mut text = String::new();
    let mut in_tag = false;
    for character in body.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            _ if in_tag => {}
            character if character.is_control() => text.push(' '),
            character => text.push(character),
        }
    }
    for (entity, character) in ENTITIES {
        text = text.replace(entity, character);
    }
    let words: Vec<_> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(EXCERPT_CHARS_MAX).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn replied(reply: Reply) -> Option<Hint> {
        hint(&Ok(reply), &Url::parse("https://app.example/api/webhooks").unwrap())
    }

    fn status(status: u16) -> Reply {
        Reply { status, ..Reply::default() }
    }

    #[test]
    fn an_acknowledgement_in_time_needs_no_hint() {
        assert_eq!(replied(status(200)), None);
        assert_eq!(replied(status(204)), None);
        let late = Reply { took: Duration::from_secs(16), ..status(200) };
        assert_eq!(replied(late).unwrap().code, HintCode::Slow);
    }

    #[test]
    fn every_status_has_the_hint_that_fits() {
        for (number, code) in [
            (301, HintCode::Redirect),
            (400, HintCode::VerificationFailed),
            (401, HintCode::Protected),
            (403, HintCode::Protected),
            (404, HintCode::NotFound),
            (405, HintCode::MethodNotAllowed),
            (409, HintCode::Rejected),
            (413, HintCode::TooLarge),
            (415, HintCode::UnsupportedMediaType),
            (422, HintCode::VerificationFailed),
            (429, HintCode::RateLimited),
            (500, HintCode::Crashed),
            (503, HintCode::Crashed),
        ] {
            assert_eq!(replied(status(number)).unwrap().code, code, "{number}");
        }
    }

    #[test]
    fn a_redirect_to_a_sign_in_page_is_a_protected_route() {
        let to = |location: &str| {
            let location = Some(location.to_owned());
            replied(Reply { location, ..status(307) }).unwrap()
        };
        assert_eq!(to("/sign-in?redirect_url=x").code, HintCode::Protected);
        let www = to("https://www.app.example/api/webhooks");
        assert_eq!(www.code, HintCode::Redirect);
        assert_eq!(www.help, "use https://www.app.example/api/webhooks as the endpoint's URL");
    }

    #[test]
    fn a_redirect_to_another_path_by_clerks_middleware_is_a_protected_route() {
        let to = |location: &str| {
            let location = Some(location.to_owned());
            let clerk_reason = Some("session-token-and-uat-missing".to_owned());
            replied(Reply { location, clerk_reason, ..status(302) }).unwrap().code
        };
        assert_eq!(to("/"), HintCode::Protected);
        assert_eq!(to("/api/webhooks/"), HintCode::Redirect);
    }

    #[test]
    fn a_404_of_clerks_middleware_is_a_protected_route() {
        let clerk_reason = Some("protect-rewrite".to_owned());
        let hint = replied(Reply { clerk_reason, ..status(404) }).unwrap();
        assert_eq!(hint.code, HintCode::Protected);
        assert!(hint.help.contains("createRouteMatcher(['/api/webhooks(.*)'])"), "{}", hint.help);
    }

    #[test]
    fn errors_of_the_libraries_that_verify_are_known_in_a_500_too() {
        for (body, word) in [
            ("Error: Expected payload to be of type string or Buffer.", "express.raw"),
            ("Error: Secret can't be empty.", "no signing secret"),
            ("WebhookVerificationError: No matching signature found", "another signing secret"),
        ] {
            let hint = replied(Reply { body: body.to_owned(), ..status(500) }).unwrap();
            assert_eq!(hint.code, HintCode::VerificationFailed, "{body}");
            assert!(hint.help.contains(word), "{body}: {}", hint.help);
        }
    }

    #[test]
    fn what_the_handler_said_is_shown_in_one_line_without_mark_up() {
        let body =
            "<html><body>Error:\n  <b>no</b> such\u{1b}[31m&nbsp;&#39;column&#39;</body></html>"
                .to_owned();
        let hint = replied(Reply { body, ..status(500) }).unwrap();
        assert_eq!(hint.found, "500: Error: no such [31m 'column'");
    }
}
