//! Following the log: when a reader's next step is due.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{Backoff, Seq};

/// Tells a reader of the log when to take its next step, and what to wait for before it.
///
/// ```
/// # use std::time::Duration;
/// # use deskbell_store::{FollowOptions, LogFollower, Seq};
/// # use tokio_util::sync::CancellationToken;
/// # async fn step() -> Result<bool, std::io::Error> { Ok(false) }
/// # async fn follow(head: tokio::sync::watch::Receiver<Seq>, shutdown: CancellationToken) {
/// let mut follower = LogFollower::new(head, FollowOptions::default());
/// while follower.next_step(&shutdown).await {
///     match step().await {
///         Ok(has_more) => follower.succeeded(has_more),
///         Err(error) => {
///             let retry_in = follower.failed();
///             eprintln!("{error}; retrying in {retry_in:?}");
///         }
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct LogFollower {
    head: watch::Receiver<Seq>,
    poll_interval: Duration,
    backoff: Backoff,
    wait: Wait,
}

/// How often to look, and how seldom.
#[derive(Debug, Clone, Copy)]
pub struct FollowOptions {
    /// The next step is due after this long even without a hint that the log has grown.
    pub poll_interval: Duration,
    /// The longest pause after a step that failed.
    pub backoff_max: Duration,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { poll_interval: Duration::from_secs(1), backoff_max: Duration::from_secs(5) }
    }
}

/// What comes before the next step.
#[derive(Debug, Clone, Copy)]
enum Wait {
    Nothing,
    LogOrPoll,
    Retry(Duration),
}

impl LogFollower {
    /// Follows the log whose head this is, as [`EventLog::subscribe`](crate::EventLog::subscribe)
    /// gives it. The first step is due at once.
    #[must_use]
    pub fn new(head: watch::Receiver<Seq>, options: FollowOptions) -> Self {
        let FollowOptions { poll_interval, backoff_max } = options;
        Self { head, poll_interval, backoff: Backoff::new(backoff_max), wait: Wait::Nothing }
    }

    /// Waits until the next step is due; `false` once `shutdown` is cancelled.
    ///
    /// Report each step by [`succeeded`](Self::succeeded) or [`failed`](Self::failed). A step that
    /// is not reported counts as one that left nothing to do.
    pub async fn next_step(&mut self, shutdown: &CancellationToken) -> bool {
        let wait = std::mem::replace(&mut self.wait, Wait::LogOrPoll);
        if shutdown.run_until_cancelled(self.wait_for(wait)).await.is_none() {
            return false;
        }
        // Before the step reads the log: an event that comes in between ends the next wait.
        self.head.mark_unchanged();
        !shutdown.is_cancelled()
    }

    /// The step succeeded. If it left something to do, the next one is due at once.
    pub fn succeeded(&mut self, has_more: bool) {
        self.backoff.reset();
        self.wait = if has_more { Wait::Nothing } else { Wait::LogOrPoll };
    }

    /// The step failed; how long until the next one is due, whatever happens to the log.
    pub fn failed(&mut self) -> Duration {
        let pause = self.backoff.failed();
        self.wait = Wait::Retry(pause);
        pause
    }

    /// Whether the last step failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.backoff.is_failing()
    }

    async fn wait_for(&mut self, wait: Wait) {
        match wait {
            Wait::Nothing => {}
            Wait::Retry(pause) => sleep(pause).await,
            Wait::LogOrPoll => {
                tokio::select! {
                    Ok(()) = self.head.changed() => {}
                    () = sleep(self.poll_interval) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const POLL: Duration = Duration::from_secs(10);

    fn follower() -> (watch::Sender<Seq>, LogFollower, CancellationToken) {
        let (head, receiver) = watch::channel(Seq::ZERO);
        let options = FollowOptions { poll_interval: POLL, backoff_max: Duration::from_secs(5) };
        (head, LogFollower::new(receiver, options), CancellationToken::new())
    }

    /// How long until the next step is due.
    async fn waited(follower: &mut LogFollower, shutdown: &CancellationToken) -> Duration {
        let began = Instant::now();
        assert!(follower.next_step(shutdown).await);
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_step_and_one_with_more_to_do_are_due_at_once() {
        let (_head, mut follower, shutdown) = follower();
        assert_eq!(waited(&mut follower, &shutdown).await, Duration::ZERO);
        follower.succeeded(true);
        assert_eq!(waited(&mut follower, &shutdown).await, Duration::ZERO);
        follower.succeeded(false);
        assert_eq!(waited(&mut follower, &shutdown).await, POLL);
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_during_the_step_or_the_wait_ends_the_wait() {
        let (head, mut follower, shutdown) = follower();
        head.send_replace(Seq::new(1));
        assert_eq!(waited(&mut follower, &shutdown).await, Duration::ZERO);
        head.send_replace(Seq::new(2));
        follower.succeeded(false);
        assert_eq!(waited(&mut follower, &shutdown).await, Duration::ZERO, "during the step");
        follower.succeeded(false);
        let appending = async {
            sleep(POLL / 2).await;
            head.send_replace(Seq::new(3));
        };
        let (waited, ()) = tokio::join!(waited(&mut follower, &shutdown), appending);
        assert_eq!(waited, POLL / 2, "during the wait");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_retried_with_growing_pauses_whatever_the_log_does() {
        let (head, mut follower, shutdown) = follower();
        assert!(follower.next_step(&shutdown).await);
        let mut longest = Duration::from_millis(100);
        for failures in 0_i64..10 {
            let pause = follower.failed();
            assert!(follower.is_failing());
            assert!((longest / 2..=longest).contains(&pause), "{failures}: {pause:?}");
            head.send_replace(Seq::new(failures + 1));
            // The timer is accurate to a millisecond.
            let waited = waited(&mut follower, &shutdown).await;
            assert!(waited.abs_diff(pause) <= Duration::from_millis(1), "{waited:?} {pause:?}");
            longest = (longest * 2).min(Duration::from_secs(5));
        }
        follower.succeeded(false);
        assert!(!follower.is_failing());
        assert!(follower.failed() <= Duration::from_millis(100), "starts over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_is_gone_is_polled() {
        let (head, mut follower, shutdown) = follower();
        drop(head);
        assert!(follower.next_step(&shutdown).await);
        assert_eq!(waited(&mut follower, &shutdown).await, POLL);
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_ends_every_wait() {
        let (_head, mut follower, shutdown) = follower();
        assert!(follower.next_step(&shutdown).await);
        follower.failed();
        let stopping = async {
            sleep(Duration::from_millis(1)).await;
            shutdown.cancel();
        };
        let (goes_on, ()) = tokio::join!(follower.next_step(&shutdown), stopping);
        assert!(!goes_on);
        assert!(!follower.next_step(&shutdown).await, "and so it stays");
    }
}
