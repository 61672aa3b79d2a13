//! The alarm for sources that fall silent. Clerk's sender disables an endpoint after five days of
//! failures, and from inside everything looks calm then.
//!
//! The [`Rhythm`] of a source is learned from the times of its events, by hour of the week. A silence is
//! measured by how surprising it is, in other words in operational time: an hour of the night counts
//! little, a busy hour much. It is alarming if it is improbable even for traffic that has fallen by a
//! third, and at least 1.5 times as long and as surprising as every silence of the last weeks. Nothing
//! is alarming in the first two weeks.
//!
//! All of it is pure: the time is passed in.

mod after;
mod gaps;
mod gauges;
mod hours;
mod learned;
mod rates;
mod rhythm;
mod verdict;
mod weeks;

pub use after::SilenceAfter;
pub use gauges::SilenceGauges;
pub use learned::Learned;
pub use rhythm::Rhythm;
pub use verdict::{Silence, SilenceCause, judge};
