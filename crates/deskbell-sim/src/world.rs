//! The world: people and organizations whose lives go on from event to event, the same for the same seed.

mod billing;
mod bystander;
mod domain;
mod elsewhere;
mod envelope;
mod identification;
mod ids;
mod invitation;
mod lives;
mod membership;
mod metadata;
mod more;
mod names;
mod notice;
mod organization;
mod payer;
mod payment;
mod pool;
mod role;
mod session;
mod subscription;
mod user;
mod waitlist;

use std::collections::VecDeque;

use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::envelope::{Envelope, EventAttributes};
pub(crate) use self::identification::BACKUP_CODE_MARKER;
pub use self::ids::entity_id;
pub(crate) use self::ids::message_id;
use self::membership::Membership;
pub(crate) use self::metadata::PRIVATE_MARKER;
use self::more::More;
use self::organization::Organization;
use self::pool::Pool;
use self::user::User;
use crate::truth::{Effect, Truth, Version};

/// 2026-01-01T00:00:00Z, where a world's clock starts unless the scenario says otherwise.
const START_MS: i64 = 1_767_225_600_000;

/// The Clerk instance of every world, unless the scenario says otherwise: worlds may share a handler, whose mirror
/// has the rows of one instance.
pub const INSTANCE_ID: &str = "ins_SimulatedByDeskbell00000000";

/// The stream of random numbers that draws replays; worlds use that of their bound on users.
const REPLAYS_STREAM: u64 = u64::MAX;

/// Set in the stream of a world that has all entities: its ids must not come up in one that has not.
const ALL_ENTITIES_STREAM: u64 = 1 << 62;

/// What a world is made from. The same scenario makes the same bytes.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Everything random comes of it.
    pub seed: u64,
    /// How many messages the world makes.
    pub events: usize,
    /// How many users may be alive at once; `None` lets them grow with the events.
    pub users_max: Option<usize>,
    /// When the world's clock starts, in Unix milliseconds.
    pub start_ms: i64,
    /// The Clerk instance that the messages name; `None` for [`INSTANCE_ID`], whatever the seed.
    pub instance_id: Option<String>,
    /// Whether all of Clerk's entities live in it, rather than users, organizations and memberships alone.
    pub has_all_entities: bool,
}

impl Scenario {
    /// A scenario of so many events about users, organizations and memberships, with no bound on users, that starts
    /// with the year 2026.
    #[must_use]
    pub fn new(seed: u64, events: usize) -> Self {
        Self {
            seed,
            events,
            users_max: None,
            start_ms: START_MS,
            instance_id: None,
            has_all_entities: false,
        }
    }
}

/// So many of the scenario's messages, in order and drawn by its seed, for a sender that sends them again: a share from 0 to 1.
pub fn replays(scenario: &Scenario, share: f64) -> impl Iterator<Item = Message> {
    let mut rng = ChaCha8Rng::seed_from_u64(scenario.seed);
    rng.set_stream(REPLAYS_STREAM);
    let share = share.clamp(0.0, 1.0);
    World::new(scenario).filter(move |_| rng.random_bool(share))
}

/// One webhook message, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message id, `msg_…`, which is what a duplicate has in common with the first.
    pub id: String,
    /// The event type, as in the body.
    pub event_type: &'static str,
    /// The raw body: compact JSON.
    pub body: Bytes,
}

/// An iterator of the messages of a [`Scenario`], in the order in which things happened.
///
/// The truth covers the messages that were taken so far: a world that is left half-way still knows what must hold.
#[derive(Debug)]
pub struct World {
    rng: ChaCha8Rng,
    now_ms: i64,
    instance_id: String,
    remaining: usize,
    users_max: usize,
    users: Pool<User>,
    organizations: Pool<Organization>,
    memberships: Pool<Membership>,
    has_all_entities: bool,
    more: More,
    /// Made, but not yet taken: one act can make several messages.
    outbox: VecDeque<(Message, Effect)>,
    truth: Truth,
}

impl World {
    /// An empty world, ready to make its first message.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(scenario.seed);
        // Another bound makes another world, and ids of the one must not come up in the other.
        let stream = scenario.users_max.map_or(0, |bound| bound as u64);
        rng.set_stream(if scenario.has_all_entities {
            stream ^ ALL_ENTITIES_STREAM
        } else {
            stream
        });
        // Drawn for what follows: a seed makes the same ids as it always has.
        let _ = entity_id("ins_", scenario.start_ms, &mut rng);
        Self {
            instance_id: scenario.instance_id.clone().unwrap_or_else(|| INSTANCE_ID.to_owned()),
            rng,
            now_ms: scenario.start_ms,
            remaining: scenario.events,
            users_max: scenario.users_max.unwrap_or(usize::MAX).max(1),
            users: Pool::new(),
            organizations: Pool::new(),
            memberships: Pool::new(),
            has_all_entities: scenario.has_all_entities,
            more: More::new(),
            outbox: VecDeque::new(),
            truth: Truth::empty(),
        }
    }

    /// The Clerk instance that all messages come from.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        &self.instance_id
    }

    /// What must hold once every message taken so far has arrived.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// [`World::truth`], by value.
    #[must_use]
    pub fn into_truth(self) -> Truth {
        self.truth
    }

    /// The messages, each with what it means, which is not put into the truth.
    pub(crate) fn into_effects(mut self) -> impl Iterator<Item = (Message, Effect)> {
        std::iter::from_fn(move || self.next_with_effect())
    }

    fn next_with_effect(&mut self) -> Option<(Message, Effect)> {
        self.remaining = self.remaining.checked_sub(1)?;
        loop {
            if let Some(next) = self.outbox.pop_front() {
                return Some(next);
            }
            self.pass_time();
            self.live();
        }
    }

    /// The next message, which `observe` sees together with what it means.
    pub(crate) fn next_observed(
        &mut self,
        observe: impl FnOnce(&Message, &Effect),
    ) -> Option<Message> {
        let (message, effect) = self.next_with_effect()?;
        observe(&message, &effect);
        self.truth.apply(effect);
        Some(message)
    }

    /// Lets time pass: mostly seconds, now and then no more than a few milliseconds.
    fn pass_time(&mut self) {
        self.now_ms += match self.rng.random_range(0..10) {
            0 => self.rng.random_range(0..=5),
            _ => self.rng.random_range(10..4000),
        };
    }

    /// Puts a message into the outbox. The effect is made from the message's id, which is part of the version.
    fn emit<T: serde::Serialize>(
        &mut self,
        event_type: &'static str,
        occurred_at: i64,
        data: &T,
        effect: impl FnOnce(String) -> Effect,
    ) {
        let id = message_id(occurred_at, &mut self.rng);
        let envelope = Envelope {
            data,
            event_attributes: EventAttributes::draw(&mut self.rng),
            instance_id: &self.instance_id,
            object: "event",
            timestamp: occurred_at,
            r#type: event_type,
        };
        let message = Message { id: id.clone(), event_type, body: envelope.to_body() };
        self.outbox.push_back((message, effect(id)));
    }
}

impl Iterator for World {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.next_observed(|_, _| ())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for World {}

fn version(updated_at: i64, occurred_at: i64, event_type: &str, message_id: String) -> Version {
    let is_change = !event_type.ends_with(".created");
    Version { updated_at, occurred_at, is_change, message_id }
}
