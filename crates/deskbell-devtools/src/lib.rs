//! What the developer's commands are made of: sample events, requests signed as Clerk's sender signs
//! them, and what explains a request or a reply that is not as it should be.
//!
//! Nothing here opens a store or knows the engine: everything works against anybody's handler.

mod assignment;
mod cast;
mod client;
pub mod diagnosis;
pub mod doctor;
mod hints;
pub mod listen;
mod local;
mod new_secret;
mod probe;
mod reply;
mod samples;
pub mod scenario;
pub mod screen;
mod shown_url;
mod simulated;

pub use assignment::{Assignment, UnknownPath};
pub use client::{Client, ClientOptions};
pub use hints::{Hint, HintCode, excerpt, hint};
pub use local::is_local_host;
pub use new_secret::new_secret;
pub use probe::{Probe, ProbeResult};
pub use reply::{NoReply, NoReplyKind, Reply};
pub use samples::{UnknownType, entry, message_id, sample};
pub use shown_url::without_password;
pub use simulated::hint_of_failures;
