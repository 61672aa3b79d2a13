//! The faults: what each does to a test cluster, for how long, and what must hold meanwhile.

mod full;
mod injected;
mod log_moved;
mod mirror_away;
mod never_reads;
mod stderr_gone;

use std::time::Duration;

use clap::ValueEnum;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use testkit::Mode;
use tokio::time::sleep;

pub(crate) use self::injected::Injected;
use self::injected::{SEEN_TIME_MAX, milliseconds, says, shown};
use crate::error::FaultError;
use crate::load::send_by_hand;
use crate::server::Stop;
use crate::test_cluster::{Backend, TestCluster};

/// How much later each way is with [`Fault::Delay`].
const DELAY: Duration = Duration::from_millis(200);
/// How far the clock is turned.
const CLOCK_SECONDS: i64 = 3600;
/// Of 5 s, in which a lease of 3 s ends, so that others go on.
const FROZEN_MS: std::ops::Range<u64> = 4_000..8_000;
/// Longer than the lease of a delivery with this timeout: 9 timeouts of 1 s and 30 s.
const FROZEN_LONG_MS: std::ops::Range<u64> = 40_000..44_000;

/// What can be done to a test cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// `kill -9` of a replica
    Kill,
    /// `kill -9` of the only replica, on SQLite
    KillSqlite,
    /// `SIGSTOP` of a replica until after its leases, then `SIGCONT`
    Freeze,
    /// PostgreSQL restarts in fast mode
    RestartFast,
    /// PostgreSQL crashes and recovers
    RestartImmediate,
    /// Connections to PostgreSQL are cut
    Cut,
    /// Connections to PostgreSQL are 200 ms slower each way
    Delay,
    /// Connections to PostgreSQL go silent without being closed
    HalfOpen,
    /// A SQLite store cannot grow
    Full,
    /// A replica's clock is one hour ahead
    Clock,
    /// A replica starts while the mirror's database accepts no connections
    MirrorAwayAtStart,
    /// The reader of a replica's log is gone
    StderrGone,
    /// The files of a SQLite store are moved away and back
    LogMoved,
    /// More connections than a replica accepts send requests and read no reply
    NeverReads,
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
    /// Longer than the lease of the deliveries that a dead process had claimed (39 s); and where no replica learns that
    /// connections are gone, than a mirror waits for its database's answer (120 s).
    pub(crate) fn recovery_time_max(self) -> Duration {
        Duration::from_secs(if self == Self::HalfOpen { 150 } else { 60 })
    }

    /// Does it, waits, and undoes it.
    pub(crate) async fn inject(
        self,
        cluster: &mut TestCluster<'_>,
        random: &mut ChaCha8Rng,
    ) -> Result<Injected, FaultError> {
        match self {
            Self::Kill | Self::KillSqlite => kill(cluster, random).await,
            Self::Freeze => freeze(cluster, random).await,
            Self::RestartFast => restart(cluster, random, Stop::Fast).await,
            Self::RestartImmediate => restart(cluster, random, Stop::Immediate).await,
            Self::Cut => through_proxies(cluster, random, Mode::Cut, 500..5_000).await,
            Self::Delay => {
                through_proxies(cluster, random, Mode::Delay(DELAY), 4_000..10_000).await
            }
            Self::HalfOpen => through_proxies(cluster, random, Mode::Swallow, 5_000..15_000).await,
            Self::Full => full::full(cluster, random).await,
            Self::Clock => clock(cluster, random).await,
            Self::MirrorAwayAtStart => mirror_away::mirror_away(cluster, random).await,
            Self::StderrGone => stderr_gone::stderr_gone(cluster, random).await,
            Self::LogMoved => log_moved::log_moved(cluster, random).await,
            Self::NeverReads => never_reads::never_reads(cluster, random).await,
        }
    }
}

async fn kill(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Injected, FaultError> {
    let victim = random.random_range(0..cluster.replicas.len());
    let away = milliseconds(random, 100..5_000);
    let replica = &mut cluster.replicas[victim];
    replica.kill().await?;
    sleep(away).await;
    replica.start_again()?;
    Ok(Injected::as_expected(format!("{}, away for {}", replica.name(), shown(away))))
}

async fn freeze(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Injected, FaultError> {
    let victim = random.random_range(0..cluster.replicas.len());
    let range = if random.random_bool(0.5) { FROZEN_LONG_MS } else { FROZEN_MS };
    let frozen = milliseconds(random, range);
    let replica = &cluster.replicas[victim];
    replica.freeze().await?;
    sleep(frozen).await;
    replica.thaw().await?;
    Ok(Injected::as_expected(format!("{} for {}", replica.name(), shown(frozen))))
}

async fn restart(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
    how: Stop,
) -> Result<Injected, FaultError> {
    let away = milliseconds(random, 0..5_000);
    cluster.server.stop(how).await?;
    sleep(away).await;
    cluster.server.start_again().await?;
    Ok(Injected::as_expected(format!("away for {}", shown(away))))
}

/// To the connections of one replica, or of all.
async fn through_proxies(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
    mode: Mode,
    range: std::ops::Range<u64>,
) -> Result<Injected, FaultError> {
    let victim = random.random_range(0..=cluster.proxies.len());
    let lasting = milliseconds(random, range);
    let is_victim = |number: usize| victim == number || victim == cluster.proxies.len();
    for (number, proxy) in cluster.proxies.iter().enumerate() {
        if is_victim(number) {
            proxy.set(mode);
        }
    }
    sleep(lasting).await;
    cluster.proxies.iter().for_each(|proxy| proxy.set(Mode::Pass));
    let whom = cluster.replicas.get(victim).map_or("every replica", |replica| replica.name());
    Ok(Injected::as_expected(format!("{whom} for {}", shown(lasting))))
}

/// Past the lease of a consumer, so that one that went by the replica's clock would be taken over.
async fn clock(
    cluster: &mut TestCluster<'_>,
    random: &mut ChaCha8Rng,
) -> Result<Injected, FaultError> {
    let victim = random.random_range(0..cluster.replicas.len());
    let lasting = milliseconds(random, 4_000..8_000);
    let replica = &cluster.replicas[victim];
    replica.turn_clock(CLOCK_SECONDS)?;
    let mut wrong = Vec::new();
    if !says(&cluster.client, replica, false, SEEN_TIME_MAX).await {
        wrong.push("/readyz says ready with a clock that is an hour off".to_owned());
    }
    let host = replica.address().to_string();
    let id = "msg_clock_1".to_owned();
    let answer = send_by_hand(&cluster.client, &host, id, &cluster.ledger).await?;
    if answer.is_none_or(|answer| answer.status != 400) {
        wrong.push(format!("an event from an hour ago was answered with {answer:?}"));
    }
    sleep(lasting).await;
    replica.turn_clock(0)?;
    Ok(Injected { what: format!("{} for {}", replica.name(), shown(lasting)), wrong })
}
