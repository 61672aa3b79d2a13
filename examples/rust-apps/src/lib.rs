//! What both apps share: which paths are public, who is signed in, and the users that Clerk's events make.

mod app;
mod guard;
mod public_routes;
mod rs256;
mod session;
mod users;

pub use app::App;
pub use guard::{Access, Visit};
pub use public_routes::{NotAPattern, PublicRoutes};
pub use session::{NotAKey, NotSignedIn, Session, Sessions};
pub use users::{Applied, User, Users};

// Every Rust block of the skill compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../skills/clerk-webhooks-rust/SKILL.md")]
mod skill {}
