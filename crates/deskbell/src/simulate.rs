//! A simulated Clerk against any webhook handler: what was sent, what was acked, and what a mirror
//! behind it has made of that.

mod comparison;
mod first_ack;
mod property;
mod simulation;
mod verdict;
mod watch;

pub(crate) use self::comparison::{Comparison, TableComparison};
pub(crate) use self::property::{Property, PropertyResult, properties};
pub(crate) use self::simulation::{Mirror, Outcome, SimulateError, Simulation};
pub(crate) use self::verdict::{Verdict, described, most_often};
pub(crate) use self::watch::Watch;
