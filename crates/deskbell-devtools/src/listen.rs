//! Live events of a deployed Deskbell, or of Clerk's sender, for handlers on this machine: each one is
//! signed again with a secret of its own and sent on.

mod answer;
mod feed;
mod filter;
mod message;
mod sender_feed;
mod server;
mod server_feed;
mod session;
mod start;
mod targets;
mod wire;

pub use answer::Answer;
pub use feed::{Feed, FeedError, FeedItem};
pub use filter::{Filter, FilterError};
pub use message::{Body, Message, Withheld};
pub use sender_feed::SenderFeed;
pub use server_feed::ServerFeed;
pub use session::{Listening, Totals, Update, listen};
pub use start::Start;
pub use targets::{TargetError, TargetOptions, Targets};
