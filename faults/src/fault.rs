//! The faults: what each does to a site, for how long, and what must hold meanwhile.

mod full;
mod log_moved;
mod mirror_away;
mod never_reads;
mod stderr_gone;

use std::time::Duration;

use clap::ValueEnum;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use reqwest::Client;
use tokio::time::{sleep, timeout};

use crate::balancer::readiness;
use crate::error::FaultError;
use crate::load::send_by_hand;
use crate::proxy::Mode;
use crate::replica::Replica;
use crate::server::Stop;
use crate::site::{Backend, Site};

/// How much later each way is with [`Fault::Delay`].
const DELAY: Duration = Duration::from_millis(200);
/// How far the clock is turned.
const CLOCK_SECONDS: i64 = 3600;
/// A clock that was turned is seen by the program after this at the latest, and by the balancer.
const SEEN_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two looks at `/readyz`.
const READY_INTERVAL: Duration = Duration::from_millis(50);
/// Of 5 s, in which a lease of 3 s ends, so that others go on.
const FROZEN_MS: std::ops::Range<u64> = 4_000..8_000;
/// Longer than the lease of a delivery with this timeout: 9 timeouts of 1 s and 30 s.
const FROZEN_LONG_MS: std::ops::Range<u64> = 40_000..44_000;

/// What can be done to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// `kill -9` of a replica
    Kill,
    /// `kill -9` of the only replica, on SQLite
    KillSqlite,
    /// `SIGSTOP` of a replica until after its leases, then `SIGCONT`
    Freeze,
    /// PostgreSQL restarts, fast
    RestartFast,
    /// PostgreSQL crashes and recovers
    RestartImmediate,
    /// Connections to PostgreSQL are cut
    Cut,
    /// Connections to PostgreSQL are 200 ms slower each way
    Delay,
    /// Connections to PostgreSQL swallow everything, and nobody is told
    HalfOpen,
    /// A SQLite store may not grow any more
    Full,
    /// A replica's clock is turned forward by an hour
    Clock,
    /// A replica starts while the mirror's database takes no connections
    MirrorAwayAtStart,
    /// Whoever reads a replica's log is gone
    StderrGone,
    /// The files of a SQLite store are moved away, and back
    LogMoved,
    /// More connections than a replica takes ask, and read no answer
    NeverReads,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// To whom and for how long.
    pub(crate) what: String,
    /// What did not hold meanwhile.
    pub(crate) wrong: Vec<String>,
}

impl Fault {
    /// All of them, in the order in which they are tried.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    pub(crate) fn backend(self) -> Backend {
        match self {
            Self::KillSqlite | Self::Full | Self::LogMoved => Backend::Sqlite,
            _ => Backend::Postgres,
        }
    }

    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What it does, in a sentence.
    pub(crate) fn sentence(self) -> String {
        let help =
            self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string));
        help.unwrap_or_default()
    }

    /// Whether a delivery may be made again because of it: where it is not known whether the attempt was made.
    pub(crate) fn may_redeliver(self) -> bool {
        !matches!(self, Self::Delay | Self::Clock | Self::NeverReads)
    }

    /// How long replicas may take until they have caught up, after the fault is over, and everything to settle.
    ///
    /// Longer than the lease of the deliveries that a dead process had claimed (39 s); and where nobody is told that
    /// connections are gone, than a mirror waits for its database's answer (120 s).
    pub(crate) fn patience(self) -> Duration {
        Duration::from_secs(if self == Self::HalfOpen { 150 } else { 60 })
    }

    /// Does it, waits, and undoes it.
    pub(crate) async fn commit(
        self,
        site: &mut Site<'_>,
        random: &mut ChaCha8Rng,
    ) -> Result<Done, FaultError> {
        match self {
            Self::Kill | Self::KillSqlite => kill(site, random).await,
            Self::Freeze => freeze(site, random).await,
            Self::RestartFast => restart(site, random, Stop::Fast).await,
            Self::RestartImmediate => restart(site, random, Stop::Immediate).await,
            Self::Cut => through_proxies(site, random, Mode::Cut, 500..5_000).await,
            Self::Delay => through_proxies(site, random, Mode::Delay(DELAY), 4_000..10_000).await,
            Self::HalfOpen => through_proxies(site, random, Mode::Swallow, 5_000..15_000).await,
            Self::Full => full::full(site, random).await,
            Self::Clock => clock(site, random).await,
            Self::MirrorAwayAtStart => mirror_away::mirror_away(site, random).await,
            Self::StderrGone => stderr_gone::stderr_gone(site, random).await,
            Self::LogMoved => log_moved::log_moved(site, random).await,
            Self::NeverReads => never_reads::never_reads(site, random).await,
        }
    }
}

async fn kill(site: &mut Site<'_>, random: &mut ChaCha8Rng) -> Result<Done, FaultError> {
    let victim = random.random_range(0..site.replicas.len());
    let away = milliseconds(random, 100..5_000);
    let replica = &mut site.replicas[victim];
    replica.kill().await?;
    sleep(away).await;
    replica.start_again()?;
    Ok(done(format!("{}, away for {}", replica.name(), shown(away))))
}

async fn freeze(site: &mut Site<'_>, random: &mut ChaCha8Rng) -> Result<Done, FaultError> {
    let victim = random.random_range(0..site.replicas.len());
    let range = if random.random_bool(0.5) { FROZEN_LONG_MS } else { FROZEN_MS };
    let frozen = milliseconds(random, range);
    let replica = &site.replicas[victim];
    replica.freeze().await?;
    sleep(frozen).await;
    replica.thaw().await?;
    Ok(done(format!("{} for {}", replica.name(), shown(frozen))))
}

async fn restart(
    site: &mut Site<'_>,
    random: &mut ChaCha8Rng,
    how: Stop,
) -> Result<Done, FaultError> {
    let away = milliseconds(random, 0..5_000);
    site.server.stop(how).await?;
    sleep(away).await;
    site.server.start_again().await?;
    Ok(done(format!("away for {}", shown(away))))
}

/// To the connections of one replica, or of all.
async fn through_proxies(
    site: &mut Site<'_>,
    random: &mut ChaCha8Rng,
    mode: Mode,
    range: std::ops::Range<u64>,
) -> Result<Done, FaultError> {
    let victim = random.random_range(0..=site.proxies.len());
    let lasting = milliseconds(random, range);
    let is_victim = |number: usize| victim == number || victim == site.proxies.len();
    for (number, proxy) in site.proxies.iter().enumerate() {
        if is_victim(number) {
            proxy.set(mode);
        }
    }
    sleep(lasting).await;
    site.proxies.iter().for_each(|proxy| proxy.set(Mode::Pass));
    let whom = site.replicas.get(victim).map_or("every replica", |replica| replica.name());
    Ok(done(format!("{whom} for {}", shown(lasting))))
}

/// Whether the replica's `/readyz` says so within this time.
async fn says(client: &Client, replica: &Replica, ready: bool, time_max: Duration) -> bool {
    let look = async {
        while readiness(client, replica.address()).await != Some(ready) {
            sleep(READY_INTERVAL).await;
        }
    };
    timeout(time_max, look).await.is_ok()
}

/// Past the lease of a consumer, so that one that went by the replica's clock would be taken over.
async fn clock(site: &mut Site<'_>, random: &mut ChaCha8Rng) -> Result<Done, FaultError> {
    let victim = random.random_range(0..site.replicas.len());
    let lasting = milliseconds(random, 4_000..8_000);
    let replica = &site.replicas[victim];
    replica.turn_clock(CLOCK_SECONDS)?;
    let mut wrong = Vec::new();
    if !says(&site.client, replica, false, SEEN_TIME_MAX).await {
        wrong.push("/readyz says ready with a clock that is an hour off".to_owned());
    }
    let host = replica.address().to_string();
    let id = "msg_clock_1".to_owned();
    let answer = send_by_hand(&site.client, &host, id, &site.ledger).await?;
    if answer.is_none_or(|answer| answer.status != 400) {
        wrong.push(format!("an event from an hour ago was answered with {answer:?}"));
    }
    sleep(lasting).await;
    replica.turn_clock(0)?;
    Ok(Done { what: format!("{} for {}", replica.name(), shown(lasting)), wrong })
}

fn milliseconds(random: &mut ChaCha8Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.random_range(range))
}

fn shown(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn done(what: String) -> Done {
    Done { what, wrong: Vec::new() }
}
