//! A client of Clerk's [Backend API](https://clerk.com/docs/reference/backend-api), for reading, and of Clerk's webhook
//! sender.
//!
//! - [`lists`] declares what can be read. [`Client::pages`] reads a list completely while it changes, from its
//!   beginning or from a stored [`Cursor`]; [`Client::get`] reads one object, [`Client::get_many`] several, [`Client::count`] counts.
//! - [`RateShare`] is the part of the instance's rate limit that all clones keep to, in any window of ten seconds.
//! - [`sender`] is the way into the sender: its endpoints, messages and attempts.
//! - Objects stay JSON text ([`Item::raw`]): what they mean is for the caller.
//!
//! ```no_run
//! use clerk_api::{Client, ClientOptions, DEFAULT_SHARE, RateShare, SecretKey, lists};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SecretKey::parse("sk_test_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let share = RateShare::of(key.environment(), DEFAULT_SHARE);
//! let client = Client::new(key, share, ClientOptions::default())?;
//! println!("{} users in {}", client.count(&lists::USERS.walk()).await?, client.instance().await?.id);
//! let mut pages = client.pages(lists::USERS.walk());
//! while let Some(page) = pages.next().await? {
//!     println!("{} users, then {:?}", page.items.len(), page.next.map(|cursor| cursor.to_string()));
//! }
//! # Ok(())
//! # }
//! ```

mod client;
mod cursor;
mod error;
mod item;
mod list;
pub mod lists;
mod object_id;
mod options;
mod order;
mod pages;
mod peer;
mod position;
mod rate_share;
mod requester;
mod secret_key;
pub mod sender;
mod token;
mod transport;
mod walk;

pub use client::{Client, IDS_MAX, Instance};
pub use cursor::{Cursor, CursorError};
pub use error::{
    AnswerError, ApiError, CountError, GetError, InstanceError, InvalidId, PageError, RequestError,
};
pub use item::{Item, Many, Single};
pub use list::{ChildList, Filters, List, ManyPath, SinglePath};
pub use options::{BASE_URL, ClientError, ClientOptions};
pub use order::Order;
pub use pages::{Page, Pages};
pub use peer::API_VERSION;
pub use rate_share::{
    DEFAULT_SHARE, DEVELOPMENT_REQUESTS_MAX, PRODUCTION_REQUESTS_MAX, RateShare, WINDOW,
};
pub use secret_key::{Environment, SecretKey, SecretKeyError};
pub use walk::{ForeignCursor, PAGE_SIZE_MAX, PAGE_SIZE_MIN, Walk};
