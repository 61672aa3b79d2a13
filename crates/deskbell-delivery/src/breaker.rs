//! The circuit breaker: a failing destination is probed, not hammered.

use std::time::Duration;

use tokio::time::Instant;

use crate::attempt::Outcome;

/// When a destination counts as failing, and how it is probed then.
#[derive(Debug, Clone)]
pub struct ProbePolicy {
    /// Failures in a row, with no success between them, after which it is only probed.
    pub failures: u32,
    /// The pause before the first probe. It doubles with every probe that fails.
    pub pause: Duration,
    /// The longest pause between probes.
    pub pause_max: Duration,
}

impl Default for ProbePolicy {
    fn default() -> Self {
        Self { failures: 10, pause: Duration::from_secs(1), pause_max: Duration::from_secs(60) }
    }
}

/// Which attempts may begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// As many at once as the options say.
    All,
    /// One, to see whether it is back.
    One,
    /// Nothing before this moment.
    NothingUntil(Instant),
}

/// Opens after failures in a row, and closes with the first success.
#[derive(Debug)]
pub(crate) struct Breaker {
    policy: ProbePolicy,
    failures: u32,
    quiet_until: Option<Instant>,
}

impl Breaker {
    pub(crate) fn new(policy: ProbePolicy) -> Self {
        Self { policy, failures: 0, quiet_until: None }
    }

    pub(crate) fn allowed(&self, now: Instant) -> Allowed {
        match self.quiet_until {
            Some(until) if until > now => Allowed::NothingUntil(until),
            _ if self.is_open() => Allowed::One,
            _ => Allowed::All,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.failures >= self.policy.failures.max(1)
    }

    /// A rejected message says nothing about the destination: the receiver is there.
    pub(crate) fn observe(&mut self, outcome: &Outcome, now: Instant) {
        match outcome {
            Outcome::Delivered => self.succeeded(),
            Outcome::Retry { after, .. } => self.failed(now, *after),
            Outcome::Gone { .. } | Outcome::Reject { .. } => {}
        }
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.quiet_until = None;
    }

    /// `asked`: the pause that the receiver asked for. Even after a long one it is probed, since the
    /// receiver may have meant this message alone.
    fn failed(&mut self, now: Instant, asked: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let probes = self.failures.saturating_sub(self.policy.failures.max(1));
        let pause = self.policy.pause.saturating_mul(1_u32.checked_shl(probes).unwrap_or(u32::MAX));
        let own = if self.is_open() { pause } else { Duration::ZERO };
        let pause = own.max(asked.unwrap_or_default()).min(self.policy.pause_max);
        if !pause.is_zero() {
            self.quiet_until = Some(now + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_few_failures_change_nothing_and_many_leave_a_probe_now_and_then() {
        let mut breaker = Breaker::new(ProbePolicy::default());
        let mut now = Instant::now();
        for _ in 0..9 {
            breaker.failed(now, None);
            assert_eq!(breaker.allowed(now), Allowed::All);
        }
        let mut pauses = Vec::new();
        for _ in 0..9 {
            breaker.failed(now, None);
            let Allowed::NothingUntil(until) = breaker.allowed(now) else { panic!("no pause") };
            pauses.push((until - now).as_secs());
            now = until;
            assert_eq!(breaker.allowed(now), Allowed::One);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        breaker.succeeded();
        assert_eq!(breaker.allowed(now), Allowed::All);
    }

    #[test]
    fn a_receiver_that_asks_for_quiet_gets_it_up_to_a_minute() {
        let now = Instant::now();
        for (asked, given) in [(7, 7), (86_400, 60)] {
            let mut breaker = Breaker::new(ProbePolicy::default());
            breaker.failed(now, Some(seconds(asked)));
            assert_eq!(breaker.allowed(now), Allowed::NothingUntil(now + seconds(given)));
            assert_eq!(breaker.allowed(now + seconds(given)), Allowed::All);
        }
    }

    #[test]
    fn very_many_failures_do_not_overflow() {
        let mut breaker = Breaker::new(ProbePolicy::default());
        let now = Instant::now();
        for _ in 0..1_000 {
            breaker.failed(now, None);
        }
        assert_eq!(breaker.allowed(now), Allowed::NothingUntil(now + seconds(60)));
    }
}
