//! Scenarios: linked events with consistent ids, in the order in which Clerk sends them.

mod builtin;
mod error;
mod events;
mod file;
mod reference;
mod step;

pub use self::builtin::{BUILTIN, BuiltIn, builtin};
pub use self::error::{ScenarioError, ScenarioFault};
pub use self::events::{Event, Round, shuffle};
pub use self::step::{Scenario, Step};
