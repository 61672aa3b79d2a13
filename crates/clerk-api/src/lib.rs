//! A client of Clerk's [Backend API](https://clerk.com/docs/reference/backend-api), for reading.
//!
//! [`RateShare`] is the part of the instance's rate limit that all clones keep to, in any window of ten seconds.

mod client;
mod error;
mod object_id;
mod options;
mod rate_share;
mod requester;
mod secret_key;
mod transport;

pub use client::{Client, Instance};
pub use error::{
    AnswerError, ApiError, CountError, GetError, InstanceError, InvalidId, PageError, RequestError,
};
pub use options::{BASE_URL, ClientError, ClientOptions};
pub use rate_share::{
    DEFAULT_SHARE, DEVELOPMENT_REQUESTS_MAX, PRODUCTION_REQUESTS_MAX, RateShare, WINDOW,
};
pub use secret_key::{Environment, SecretKey, SecretKeyError};
pub use transport::API_VERSION;
