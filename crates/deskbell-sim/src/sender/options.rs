//! How the simulated sender behaves.

use std::time::Duration;

use clerk_webhooks::{HeaderFamily, Secret};

/// The seconds that Svix waits after the 1st, 2nd, … failed attempt.
const SVIX_SCHEDULE_S: [u64; 7] = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];

/// The same in short, in milliseconds: impatient at first, and as long as a restart may take.
const COMPRESSED_SCHEDULE_MS: [u64; 12] =
    [20, 50, 100, 200, 500, 1000, 2000, 3000, 4000, 5000, 5000, 5000];

/// Where to send to, and how unpleasant to be.
#[derive(Debug, Clone)]
pub struct SenderOptions {
    pub url: String,
    /// One secret an endpoint. With two, every message is sent twice with the same id: Clerk's way to rotate a secret.
    pub secrets: Vec<Secret>,
    /// The names of the signature headers. Clerk uses `svix-*`.
    pub header_family: HeaderFamily,
    /// What is sent again and in which order comes of it.
    pub seed: u64,
    /// The share of the messages that are sent once more although they may have been acked, from 0 to 1.
    pub duplicates: f64,
    /// How far the order of sending is from the order of events.
    pub reorder: Reorder,
    /// How many requests are under way at most.
    pub concurrency: usize,
    /// How many messages a second are begun at most, duplicates not counted; `None` for as many as are answered.
    pub rate_per_second: Option<f64>,
    /// The time after each failed attempt; once it is used up, the message is given up.
    pub retry_schedule: Vec<Duration>,
    /// Whether an endpoint that asks for a longer wait by `Retry-After` gets it, in real seconds, up to a minute.
    pub honours_retry_after: bool,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl SenderOptions {
    /// The sender's usual behaviour: 32 requests at once, 5 % duplicates, some reordering, a compressed retry schedule, 15 s timeout.
    #[must_use]
    pub fn new(url: impl Into<String>, secret: Secret) -> Self {
        Self {
            url: url.into(),
            secrets: vec![secret],
            header_family: HeaderFamily::Svix,
            seed: 0,
            duplicates: 0.05,
            reorder: Reorder::default(),
            concurrency: 32,
            rate_per_second: None,
            retry_schedule: compressed_schedule(),
            honours_retry_after: false,
            timeout: Duration::from_secs(15),
        }
    }
}

/// How the order of sending is disturbed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reorder {
    /// A message is overtaken by up to so many later ones; 0 keeps the order.
    pub window: usize,
    /// The share of the messages that come very late, from 0 to 1.
    pub late: f64,
    /// A very late message is overtaken by up to so many later ones.
    pub late_window: usize,
}

impl Reorder {
    /// No disturbance beyond what retries and concurrency make.
    pub const NONE: Self = Self { window: 0, late: 0.0, late_window: 0 };
}

impl Default for Reorder {
    fn default() -> Self {
        Self { window: 20, late: 0.02, late_window: 2000 }
    }
}

/// Svix's retry schedule, over 27 hours.
#[must_use]
pub fn svix_schedule() -> Vec<Duration> {
    SVIX_SCHEDULE_S.map(Duration::from_secs).into()
}

/// [`svix_schedule`] with every wait divided by this number; a number that does not divide, such as 0, makes the waits endless.
#[must_use]
pub fn svix_schedule_at(speedup: f64) -> Vec<Duration> {
    let faster = |wait: Duration| Duration::try_from_secs_f64(wait.as_secs_f64() / speedup);
    svix_schedule().into_iter().map(|wait| faster(wait).unwrap_or(Duration::MAX)).collect()
}

/// A retry schedule of the same shape in under half a minute.
#[must_use]
pub fn compressed_schedule() -> Vec<Duration> {
    COMPRESSED_SCHEDULE_MS.map(Duration::from_millis).into()
}
