//! The engine, put together from the config: the store, the way in, and the consumers.

mod check;
mod error;
mod listening;
mod parts;
mod reload;
pub(crate) mod routes;
mod running;

pub use self::check::check_destinations;
pub use self::error::StartError;
pub(crate) use self::listening::Listening;
pub(crate) use self::reload::Reloaded;
pub use self::running::Engine;
