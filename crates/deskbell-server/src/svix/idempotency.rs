//! A POST that is sent again under the same `idempotency-key` is answered as it was the first time.
//!
//! Svix's clients send a random key with every POST and send the request again where no answer came. The
//! answers are in memory: after a restart a message has the same id again, and is made once.

use std::collections::{HashMap, VecDeque};
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use deskbell_admin::Caller;
use http::{HeaderMap, Method};
use sha2::{Digest, Sha256};

use super::errors::{ApiError, Part};
use crate::clock;
use crate::replies;

/// The header.
const NAME: &str = "idempotency-key";
const KEY_BYTES_MAX: usize = 256;
/// Answers that are kept. Beyond them, the oldest is forgotten.
const ANSWERS_MAX: usize = 1_000;
/// Bytes of an answer that is kept. A larger one is not.
const ANSWER_BYTES_MAX: usize = 8 << 10;
/// How long an answer is kept: as long as Svix keeps it.
const KEPT: Duration = Duration::from_secs(12 * 60 * 60);
/// Bytes of a request's body. What is before this accepts fewer.
const BODY_BYTES_MAX: usize = 2 << 20;

type Hash = [u8; 32];

/// The answers that were given to requests with a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    requests: HashMap<Hash, Keyed>,
    /// The keys in the order in which they came.
    order: VecDeque<Hash>,
}

/// What is known of a request with a key.
#[derive(Debug, Clone)]
struct Keyed {
    since_ms: u64,
    /// Locked while the request is answered, so that one that is sent again meanwhile waits.
    answer: Arc<tokio::sync::Mutex<Option<Answer>>>,
}

/// What was answered. It can have a secret.
#[derive(Clone)]
struct Answer {
    /// Of what was asked for.
    content: Hash,
    status: http::StatusCode,
    body: Bytes,
}

/// Answers a request with a key once.
pub(super) async fn answer_once(
    State(answers): State<Answers>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(key) = key_of(request.headers()).filter(|_| request.method() == Method::POST) else {
        return Ok(next.run(request).await);
    };
    if key.len() > KEY_BYTES_MAX {
        let message = format!("expected at most {KEY_BYTES_MAX} bytes");
        return Err(ApiError::invalid(Part::Header, NAME, message));
    }
    let key = hash(&[caller.name.as_bytes(), request.uri().path().as_bytes(), key]);
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await;
    let body = body.map_err(|_| ApiError::too_large("the body is too large"))?;
    let content = hash(&[head.uri.query().unwrap_or_default().as_bytes(), &body]);
    let keyed = answers.enter(key, clock::uptime_ms());
    let mut answer = keyed.answer.lock().await;
    match &*answer {
        Some(answer) if answer.content == content => return Ok(answer.reply()),
        Some(_) => {
            let message = "the key was used for another request";
            return Err(ApiError::invalid(Part::Header, NAME, message));
        }
        None => {}
    }
    let reply = next.run(Request::from_parts(head, Body::from(body))).await;
    let (reply, kept) = kept(reply, content).await;
    *answer = kept;
    Ok(reply)
}

/// The id of a message without an id of its own: the same for the same key.
pub(super) fn message_id(caller: &Caller, source: &str, headers: &HeaderMap) -> Option<String> {
    let hash = hash(&[caller.name.as_bytes(), source.as_bytes(), key_of(headers)?]);
    let mut id = "msg_".to_owned();
    for byte in &hash[..16] {
        // Writing to a text does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    Some(id)
}

impl Answers {
    /// What is known of the request with this key; it is new if nothing is.
    fn enter(&self, key: Hash, now_ms: u64) -> Keyed {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(now_ms);
        if let Some(keyed) = kept.requests.get(&key) {
            return keyed.clone();
        }
        let keyed = Keyed { since_ms: now_ms, answer: Arc::default() };
        kept.requests.insert(key, keyed.clone());
        kept.order.push_back(key);
        keyed
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Answer {
    fn reply(&self) -> Response {
        match self.body.is_empty() {
            true => self.status.into_response(),
            false => replies::json(self.status, self.body.clone()),
        }
    }
}

impl Kept {
    /// Makes room for one more, and forgets what is old.
    fn forget(&mut self, now_ms: u64) {
        while let Some(oldest) = self.order.front() {
            let age_ms = match self.requests.get(oldest) {
                Some(keyed) => now_ms.saturating_sub(keyed.since_ms),
                None => u64::MAX,
            };
            if self.order.len() < ANSWERS_MAX && u128::from(age_ms) < KEPT.as_millis() {
                break;
            }
            self.requests.remove(oldest);
            self.order.pop_front();
        }
    }
}

/// The reply, and what to keep of it: only of what was done.
async fn kept(reply: Response, content: Hash) -> (Response, Option<Answer>) {
    let status = reply.status();
    if !status.is_success() {
        return (reply, None);
    }
    let (head, body) = reply.into_parts();
    // The bodies of these replies are in memory: reading one does not fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let answer = Answer { content, status, body: body.clone() };
    let is_kept = body.len() <= ANSWER_BYTES_MAX;
    (Response::from_parts(head, Body::from(body)), is_kept.then_some(answer))
}

fn key_of(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(NAME).map(http::HeaderValue::as_bytes).filter(|key| !key.is_empty())
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Hash {
        hash(&[&number.to_be_bytes()])
    }

    #[test]
    fn old_answers_and_too_many_are_forgotten() {
        let answers = Answers::default();
        let is_same = |a: &Keyed, b: &Keyed| Arc::ptr_eq(&a.answer, &b.answer);
        let first = answers.enter(key(0), 0);
        assert!(is_same(&first, &answers.enter(key(0), 1)));
        for number in 1..=ANSWERS_MAX as u64 {
            answers.enter(key(number), 2);
        }
        assert_eq!(answers.0.lock().unwrap().requests.len(), ANSWERS_MAX);
        assert!(!is_same(&first, &answers.enter(key(0), 3)), "it was forgotten");
        let later = 4 + u64::try_from(KEPT.as_millis()).unwrap();
        answers.enter(key(0), later);
        assert_eq!(answers.0.lock().unwrap().requests.len(), 1);
    }

    #[test]
    fn a_key_makes_the_id_of_a_message() {
        let caller =
            |name: &str| Caller { name: name.to_owned(), role: deskbell_store::TokenRole::Admin };
        let mut headers = HeaderMap::new();
        assert_eq!(message_id(&caller("a"), "clerk", &headers), None);
        headers.insert(NAME, "auto_1".parse().unwrap());
        let id = message_id(&caller("a"), "clerk", &headers).unwrap();
        assert_eq!(message_id(&caller("a"), "clerk", &headers).unwrap(), id);
        assert_ne!(message_id(&caller("a"), "other", &headers).unwrap(), id);
        assert_ne!(message_id(&caller("b"), "clerk", &headers).unwrap(), id);
        assert!(id.starts_with("msg_") && id.len() == 36, "{id}");
    }
}
