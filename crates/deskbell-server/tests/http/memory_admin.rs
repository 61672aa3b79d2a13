//! What the admin routes are asked of in tests: everything in memory. Tokens, sessions, codes and events
//! are as real as those of a store.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use deskbell_admin::{
    Access, Admin, AdminError, Caller, EventDetails, EventPage, EventQuery, EventSummary, Events,
    Explanation, LoggedEvent, NewMessage, NewSession, Payload, Searched, Session, Timestamp,
    TokenView,
};
use deskbell_store::clock::now_ms;
use deskbell_store::{AccessToken, Seq, TokenHash, TokenRole};
use tokio::sync::watch;
use tokio::time::Instant;

mod others;

const SESSION_LIFETIME: Duration = Duration::from_secs(3_600);
const CODE_LIFETIME: Duration = Duration::from_secs(900);

#[derive(Debug)]
pub(crate) struct MemoryAdmin {
    tokens: Mutex<BTreeMap<String, (TokenHash, TokenRole)>>,
    sessions: Mutex<Vec<(TokenHash, Caller, Instant)>>,
    codes: Mutex<Vec<(TokenHash, Instant)>>,
    events: Mutex<Vec<(EventSummary, Bytes)>>,
    head: watch::Sender<Seq>,
    /// How many events are appended in the middle of reads.
    appends_while_read: AtomicU32,
    broken: AtomicBool,
    hangs: AtomicBool,
    /// What was asked for, with who asked where that is known.
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Default for MemoryAdmin {
    fn default() -> Self {
        Self {
            tokens: Mutex::default(),
            sessions: Mutex::default(),
            codes: Mutex::default(),
            events: Mutex::default(),
            head: watch::Sender::new(Seq::ZERO),
            appends_while_read: AtomicU32::default(),
            broken: AtomicBool::default(),
            hangs: AtomicBool::default(),
            asked: Mutex::default(),
        }
    }
}

impl Admin for MemoryAdmin {}

impl MemoryAdmin {
    /// A new token of this role, by the role's name.
    pub(crate) fn token(&self, role: TokenRole) -> AccessToken {
        let token = AccessToken::random();
        self.tokens.lock().unwrap().insert(role.to_string(), (token.hash(), role));
        token
    }

    pub(crate) fn revoke(&self, name: &str) -> bool {
        self.sessions.lock().unwrap().retain(|(_, caller, _)| caller.name != name);
        self.tokens.lock().unwrap().remove(name).is_some()
    }

    /// The secret of a new session of this role.
    pub(crate) fn session_of(&self, role: TokenRole) -> AccessToken {
        self.new_session(Caller { name: role.to_string(), role }).secret
    }

    pub(crate) fn code(&self) -> AccessToken {
        let code = AccessToken::random();
        self.codes.lock().unwrap().push((code.hash(), Instant::now() + CODE_LIFETIME));
        code
    }

    pub(crate) fn sessions_open(&self) -> usize {
        self.sessions.lock().unwrap().len()
    }

    /// Answers nothing from now on.
    pub(crate) fn set_broken(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Whether whoever looks for a token that does not exist waits for ever.
    pub(crate) fn set_hangs(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }

    /// Has so many events be appended in the middle of the next reads, one in each.
    pub(crate) fn append_while_read(&self, events: u32) {
        self.appends_while_read.store(events, Ordering::SeqCst);
    }

    /// Appends an event to the log; its number.
    pub(crate) fn append(&self, event_type: &str, subject: &str) -> i64 {
        let mut events = self.events.lock().unwrap();
        let seq = i64::try_from(events.len()).unwrap() + 1;
        let json = serde_json::json!({
            "type": event_type, "data": { "id": subject, "first_name": "Ada" },
        });
        let bytes = json.to_string().into_bytes();
        let summary = EventSummary {
            seq,
            source: "clerk".to_owned(),
            message_id: format!("msg_{seq}"),
            event_type: event_type.to_owned(),
            subject: Some(subject.to_owned()),
            occurred_at: Timestamp(seq),
            received_at: Timestamp(seq),
            instance_id: None,
            origin: "webhook".to_owned(),
            verified_by: "signature".to_owned(),
            payload_bytes: bytes.len(),
            delivery_counts: None,
        };
        events.push((summary, bytes.into()));
        drop(events);
        self.head.send_replace(Seq::new(seq));
        seq
    }

    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    fn check(&self) -> Result<(), AdminError> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(AdminError::Unavailable("password=hunter2".to_owned())),
            false => Ok(()),
        }
    }

    fn new_session(&self, caller: Caller) -> NewSession {
        let secret = AccessToken::random();
        let ends = Instant::now() + SESSION_LIFETIME;
        self.sessions.lock().unwrap().push((secret.hash(), caller.clone(), ends));
        NewSession { secret, session: session(caller) }
    }

    fn log(&self) -> MutexGuard<'_, Vec<(EventSummary, Bytes)>> {
        self.events.lock().unwrap()
    }
}

fn session(caller: Caller) -> Session {
    let lifetime_ms = i64::try_from(SESSION_LIFETIME.as_millis()).unwrap();
    Session { caller, expires_at: Timestamp(now_ms() + lifetime_ms) }
}

#[async_trait]
impl Access for MemoryAdmin {
    async fn token(&self, token: &AccessToken) -> Result<Option<Caller>, AdminError> {
        self.check()?;
        let found = {
            let tokens = self.tokens.lock().unwrap();
            let found = tokens.iter().find(|(_, (hash, _))| *hash == token.hash());
            found.map(|(name, (_, role))| Caller { name: name.clone(), role: *role })
        };
        if found.is_none() && self.hangs.load(Ordering::SeqCst) {
            self.note("token".to_owned());
            std::future::pending::<()>().await;
        }
        Ok(found)
    }

    async fn tokens(&self) -> Result<Vec<TokenView>, AdminError> {
        let tokens = self.tokens.lock().unwrap();
        let view = |(name, (_, role)): (&String, &(TokenHash, TokenRole))| TokenView {
            name: name.clone(),
            role: *role,
            created_at: Timestamp(0),
        };
        Ok(tokens.iter().map(view).collect())
    }

    async fn create_token(
        &self,
        caller: &Caller,
        name: &str,
        role: TokenRole,
    ) -> Result<AccessToken, AdminError> {
        self.note(format!("{} creates {name}", caller.name));
        let token = AccessToken::random();
        let mut tokens = self.tokens.lock().unwrap();
        if tokens.contains_key(name) {
            return Err(AdminError::Conflict(format!("a token `{name}` already exists")));
        }
        tokens.insert(name.to_owned(), (token.hash(), role));
        Ok(token)
    }

    async fn revoke_token(&self, caller: &Caller, name: &str) -> Result<(), AdminError> {
        self.note(format!("{} revokes {name}", caller.name));
        match self.revoke(name) {
            true => Ok(()),
            false => Err(AdminError::not_found("token", name)),
        }
    }

    async fn begin_session(&self, caller: &Caller) -> Result<NewSession, AdminError> {
        Ok(self.new_session(caller.clone()))
    }

    async fn redeem_code(&self, code: &AccessToken) -> Result<Option<NewSession>, AdminError> {
        let mut codes = self.codes.lock().unwrap();
        codes.retain(|(_, ends)| Instant::now() < *ends);
        let Some(index) = codes.iter().position(|(hash, _)| *hash == code.hash()) else {
            return Ok(None);
        };
        codes.remove(index);
        let caller = Caller { name: "sign-in link".to_owned(), role: TokenRole::Admin };
        Ok(Some(self.new_session(caller)))
    }

    async fn session(&self, secret: &AccessToken) -> Result<Option<Session>, AdminError> {
        self.check()?;
        let mut sessions = self.sessions.lock().unwrap();
        sessions.retain(|(.., ends)| Instant::now() < *ends);
        let found = sessions.iter().find(|(hash, ..)| *hash == secret.hash());
        Ok(found.map(|(_, caller, _)| session(caller.clone())))
    }

    async fn end_session(&self, secret: &AccessToken) -> Result<(), AdminError> {
        self.sessions.lock().unwrap().retain(|(hash, ..)| *hash != secret.hash());
        Ok(())
    }
}

/// Events of one read, so that a few make several.
const READ_MAX: usize = 2;

#[async_trait]
impl Events for MemoryAdmin {
    async fn search(&self, query: &EventQuery) -> Result<EventPage, AdminError> {
        self.check()?;
        self.note(format!("search {}", serde_json::to_string(query).unwrap()));
        let found =
            |event: &EventSummary| query.subject.is_none() || query.subject == event.subject;
        let events: Vec<_> =
            self.log().iter().rev().map(|(event, _)| event.clone()).filter(found).collect();
        let searched = Searched { events: 1, back_to: None, stopped: false };
        Ok(EventPage { events, next: None, searched })
    }

    async fn event(&self, _: Option<&str>, id: &str) -> Result<EventDetails, AdminError> {
        let log = self.log();
        let found = log.iter().find(|(event, _)| event.message_id == id);
        let (event, payload) = found.ok_or_else(|| AdminError::not_found("event", id))?.clone();
        Ok(EventDetails {
            event,
            destinations: Vec::new(),
            deliveries: Vec::new(),
            unwanted: Vec::new(),
            payload_pruned: false,
            payload_erased: false,
            payload: Some(Payload::new(payload)),
        })
    }

    async fn after(&self, seq: Seq) -> Result<Vec<(EventSummary, Bytes)>, AdminError> {
        self.check()?;
        let after = |(event, _): &&(EventSummary, Bytes)| event.seq > seq.get();
        let read = self.log().iter().filter(after).take(READ_MAX).cloned().collect();
        let less = |left: u32| left.checked_sub(1);
        let left = &self.appends_while_read;
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            self.append("user.updated", "user_1");
        }
        Ok(read)
    }

    async fn logged(&self, _: &[i64], _: usize) -> Result<Vec<Option<LoggedEvent>>, AdminError> {
        Err(AdminError::NotSupported("no route here asks for events by number".to_owned()))
    }

    fn head(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    async fn explain(&self, id: &str, events_max: u32) -> Result<Explanation, AdminError> {
        self.check()?;
        self.note(format!("explain {id} {events_max}"));
        match id {
            "user_waits" => std::future::pending().await,
            _ => others::explanation(id),
        }
    }

    async fn create_message(&self, _: &Caller, _: NewMessage) -> Result<String, AdminError> {
        Err(AdminError::NotSupported("no route here makes messages".to_owned()))
    }
}
