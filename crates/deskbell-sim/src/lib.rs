//! A simulated Clerk: realistic lifecycles, sent as Clerk's webhook sender sends them.
//!
//! - [`World`] makes the messages, the same ones for the same [`Scenario`], and keeps the [`Truth`]: the rows
//!   that a mirror must hold once all of them have arrived, in whatever order.
//! - [`drift`] compares that truth with the rows that a mirror holds.

mod drift;
mod truth;
mod world;

pub use drift::{ColumnDifference, Difference, Finding, SECRET_MARKERS, Tables, drift};
pub use truth::{Row, Truth};
pub use world::{Message, Scenario, World};
