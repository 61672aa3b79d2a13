//! Whether a source is silent, and why that is alarming.

use deskbell_store::clock::whole_ms;

use super::after::SilenceAfter;
use super::rhythm::Rhythm;

/// Clerk's sender has this long for the event of a change.
const CHANGE_MISSED_AFTER_MS: i64 = 5 * 60_000;

/// A silence to alert about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// The time of the newest event; where there never was one, when the source was first observed.
    pub since_ms: i64,
    pub cause: SilenceCause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceCause {
    /// The rhythm does not explain it. With the longest silence of the last weeks.
    Improbable { longest_ms: i64 },
    /// It is longer than the config allows.
    Configured,
    /// Clerk has a change of this time, and its event has not come.
    ChangeMissed { changed_ms: i64 },
}

/// Judges the silence of a source. `newest_known_change_ms` is the time of the newest change that
/// Clerk's API shows, where somebody has asked it.
#[must_use]
pub fn judge(
    rhythm: &Rhythm,
    after: SilenceAfter,
    newest_known_change_ms: Option<i64>,
    now_ms: i64,
) -> Option<Silence> {
    let cause = match after {
        SilenceAfter::Never => return None,
        SilenceAfter::After(time) => {
            (rhythm.silent_ms() >= whole_ms(time.0)).then_some(SilenceCause::Configured)
        }
        SilenceAfter::Auto => {
            let longest_ms = rhythm.longest_ms();
            rhythm.is_alarming().then_some(SilenceCause::Improbable { longest_ms })
        }
    };
    let missed = newest_known_change_ms
        .filter(|changed_ms| is_missed(rhythm, *changed_ms, now_ms))
        .map(|changed_ms| SilenceCause::ChangeMissed { changed_ms });
    // That an event is missing is known, and all else is inferred from the silence.
    let cause = missed.or(cause)?;
    Some(Silence { since_ms: rhythm.since_ms(), cause })
}

/// The events of changes that were made while Deskbell could not receive come with a retry, hours
/// later.
fn is_missed(rhythm: &Rhythm, changed_ms: i64, now_ms: i64) -> bool {
    let is_newer = |than_ms: i64| changed_ms.saturating_sub(than_ms) > CHANGE_MISSED_AFTER_MS;
    let until_ms = changed_ms.saturating_add(CHANGE_MISSED_AFTER_MS);
    is_newer(rhythm.since_ms())
        && rhythm.was_present(changed_ms, until_ms)
        && now_ms.saturating_sub(changed_ms) > CHANGE_MISSED_AFTER_MS
}
