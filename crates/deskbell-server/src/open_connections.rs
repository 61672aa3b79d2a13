//! The open connections: which of them time out, and which are evicted for new ones.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use deskbell_store::clock::whole_ms;
use metrics::Gauge;
use tokio::task::Id;

use crate::client::{Client, Phase};
use crate::clock;
use crate::metrics::{self as counted, Ended};
use crate::once_a_minute::OnceAMinute;
use crate::server_options::ServerOptions;

/// A connection is not evicted before it has idled, or its body has come in, for this long: what a
/// client sends right after it has connected is on its way.
const NEWCOMER_MS: u64 = 250;
/// A connection whose reply has waited this long to be read may be evicted.
const UNREAD_MS: u64 = 1_000;

/// How long the candidates are valid. In a flood every new connection asks for them.
const CANDIDATES_VALID_MS: u64 = 20;

/// Connections that may be evicted, the first one to go at the end.
#[derive(Debug)]
struct Candidates {
    at_ms: u64,
    clients: Vec<Arc<Client>>,
}

#[derive(Debug)]
pub(crate) struct OpenConnections {
    clients: HashMap<Id, Arc<Client>>,
    /// How many are ending: their tasks still run.
    ending: usize,
    connections_max: usize,
    head_timeout_ms: u64,
    write_timeout_ms: u64,
    candidates: Candidates,
    full: OnceAMinute,
    /// Since the last line about it.
    evicted: u64,
    open: Gauge,
}

impl OpenConnections {
    pub(crate) fn new(options: &ServerOptions) -> Self {
        Self {
            clients: HashMap::new(),
            ending: 0,
            connections_max: options
                .connections_max
                .max(1)
                .saturating_add(options.spare_connections),
            head_timeout_ms: whole_ms(options.head_timeout).unsigned_abs(),
            write_timeout_ms: whole_ms(options.write_timeout).unsigned_abs(),
            candidates: Candidates { at_ms: 0, clients: Vec::new() },
            full: OnceAMinute::new(),
            evicted: 0,
            open: counted::open_connections(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether one more can be accepted: a slot is free, or a connection can be ended for it.
    pub(crate) fn can_accept(&mut self) -> bool {
        let can_accept = !self.is_full()
            // Those that are ending stay until their tasks have run: there may be as many again.
            || (self.ending < self.connections_max && self.eviction_candidate().is_some());
        if !can_accept {
            self.warn_of_full();
        }
        can_accept
    }

    /// A connection was accepted. Where all slots were taken, another one is evicted.
    pub(crate) fn add(&mut self, task: Id, client: Arc<Client>) {
        if self.is_full() {
            self.evict();
        }
        self.clients.insert(task, client);
        self.set_gauge();
    }

    /// The task of a connection has ended.
    pub(crate) fn remove(&mut self, task: Id) {
        if let Some(client) = self.clients.remove(&task) {
            self.ending -= usize::from(client.is_ending());
            client.end();
        }
        self.set_gauge();
    }

    /// Ends the first candidate, where there is one.
    pub(crate) fn evict(&mut self) {
        if let Some(client) = self.eviction_candidate() {
            self.end(&client, Ended::ForOthers);
            self.evicted += 1;
        }
        self.warn_of_full();
    }

    fn is_full(&self) -> bool {
        self.clients.len() - self.ending >= self.connections_max
    }

    fn eviction_candidate(&mut self) -> Option<Arc<Client>> {
        let now_ms = clock::uptime_ms();
        if now_ms.saturating_sub(self.candidates.at_ms) >= CANDIDATES_VALID_MS {
            self.candidates = Candidates { at_ms: now_ms, clients: self.rank(now_ms) };
        }
        // What has been ended meanwhile, or has got something to do, is out.
        let is_out =
            |client: &Client| client.is_ending() || EvictionRank::of(client, now_ms).is_none();
        while self.candidates.clients.pop_if(|client| is_out(client)).is_some() {}
        self.candidates.clients.last().cloned()
    }

    /// The connections that may be evicted, the first one to go at the end.
    fn rank(&self, now_ms: u64) -> Vec<Arc<Client>> {
        let open = || self.clients.values().filter(|client| !client.is_ending());
        let ranked = open().filter_map(|client| Some((EvictionRank::of(client, now_ms)?, client)));
        let mut ranked: Vec<_> = ranked.collect();
        // A client that has delivered an event is not evicted while there are others: they may soon be candidates.
        let is_stranger =
            |client: &Client| !client.has_delivered() && client.phase() != Phase::Busy;
        if open().any(|client| is_stranger(client)) {
            ranked.retain(|(rank, _)| !rank.has_delivered);
        }
        ranked.sort_unstable_by_key(|(rank, _)| Reverse(*rank));
        ranked.into_iter().map(|(_, client)| Arc::clone(client)).collect()
    }

    fn warn_of_full(&mut self) {
        if self.full.count().is_some() {
            tracing::warn!(
                connections = self.clients.len(),
                ended = std::mem::take(&mut self.evicted),
                "all connections are in use; closing idle and slow ones for new ones"
            );
        }
    }

    /// Ends the connections that idle for too long, and those that do not read what they are sent.
    pub(crate) fn sweep(&mut self) {
        let now_ms = clock::uptime_ms();
        let open = self.clients.values().filter(|client| !client.is_ending());
        let over: Vec<_> = open
            .filter_map(|client| Some((Arc::clone(client), self.is_over(client, now_ms)?)))
            .collect();
        for (client, why) in over {
            self.end(&client, why);
        }
    }

    /// Whether the time of a connection is over, and why.
    fn is_over(&self, client: &Client, now_ms: u64) -> Option<Ended> {
        let is_unread = |waits_ms| waits_ms >= self.write_timeout_ms;
        if client.write_waits_ms(now_ms).is_some_and(is_unread) {
            return Some(Ended::Unread);
        }
        let idles = client.phase() == Phase::Idle;
        (idles && client.phase_ms(now_ms) >= self.head_timeout_ms).then_some(Ended::Idle)
    }

    fn end(&mut self, client: &Client, why: Ended) {
        tracing::debug!(peer = %client.peer, ?why, "ended a connection");
        counted::connection_ended(why);
        client.end();
        self.ending += 1;
    }

    fn set_gauge(&self) {
        #[expect(clippy::cast_precision_loss, reason = "there are some thousands at most")]
        self.open.set(self.clients.len() as f64);
    }
}

/// The connection with the lowest rank is evicted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct EvictionRank {
    /// Those that have never delivered an event come first.
    has_delivered: bool,
    /// Then those in the middle of nothing.
    has_body: bool,
    /// Then the slowest bodies.
    bytes_a_second: u64,
    /// Then the oldest.
    age_ms: Reverse<u64>,
}

impl EvictionRank {
    /// `None`: it must not be evicted.
    fn of(client: &Client, now_ms: u64) -> Option<Self> {
        let age_ms = client.phase_ms(now_ms);
        let unread_ms = client.write_waits_ms(now_ms).filter(|ms| *ms >= UNREAD_MS);
        let has_body = client.phase() == Phase::Body;
        let age_ms = match (client.phase(), unread_ms) {
            (_, Some(unread_ms)) => unread_ms,
            (Phase::Idle | Phase::Body, None) if age_ms >= NEWCOMER_MS => age_ms,
            _ => return None,
        };
        Some(Self {
            has_delivered: client.has_delivered(),
            has_body,
            bytes_a_second: if has_body { client.body_rate(now_ms) } else { 0 },
            age_ms: Reverse(age_ms),
        })
    }
}
