//! What became of each message, and what must hold then.

use crate::truth::Truth;
use crate::world::{Scenario, World};

/// What became of a message, as far as its sender knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was acked: the endpoint has it.
    Acked,
    /// It was begun and never acked: the endpoint may have it or not.
    Unknown,
    /// It was never begun: the endpoint cannot have it.
    Unsent,
}

impl Truth {
    /// What must hold where some of the scenario's messages may not have arrived.
    ///
    /// An entity that a message of [`Fate::Unknown`] is about is left out: neither its row nor its absence would be wrong.
    #[must_use]
    pub fn of_fates(scenario: &Scenario, fate: impl Fn(&str) -> Fate) -> Self {
        let mut truth = Self::empty();
        for (message, effect) in World::new(scenario).into_effects() {
            match fate(&message.id) {
                Fate::Acked => truth.apply(effect),
                Fate::Unknown => truth.unsettle(effect),
                Fate::Unsent => {}
            }
        }
        truth.leave_out_unsettled();
        truth
    }
}
