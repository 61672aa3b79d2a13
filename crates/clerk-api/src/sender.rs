//! The way into Clerk's webhook sender, Svix, with the instance's secret key.
//!
//! Clerk does not document it as a whole. Every step can therefore fail on any day; each error says which step it was,
//! so that a program can send its user to Clerk's dashboard instead.
//!
//! [`Client::sender_session`](crate::Client::sender_session) asks Clerk for a login of the sender's page, exchanges it
//! for a token, and gives a [`SenderSession`]: the endpoints, messages and attempts of this one instance.

mod endpoint;
mod error;
mod json;
mod link;
mod message;
mod open;
mod page;
mod session;
mod time;

pub use endpoint::{Endpoint, EndpointChange, EndpointSecret, EventFilter, NewEndpoint};
pub use error::{
    EndpointError, LinkError, ReadError, SendAgainError, SenderAnswerError, SenderRequestError,
    SessionError,
};
pub use message::{Attempt, AttemptStatus, Message, TimeRange};
pub use page::{LIMIT_MAX, SenderPage};
pub use session::SenderSession;
