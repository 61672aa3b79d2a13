//! Whether nothing is sent to a destination, and who said so.

use deskbell_admin::{DestinationState, DestinationView};

/// Whether its settings say that nothing is sent to it; a pause is none of them.
pub(crate) fn is_switched_off(destination: &DestinationView) -> bool {
    destination.enabled == Some(false) && !is_stopped(destination)
}

/// Whether nothing is sent to it until it is resumed.
pub(crate) fn is_stopped(destination: &DestinationView) -> bool {
    matches!(destination.state, DestinationState::Paused | DestinationState::Disabled)
}
