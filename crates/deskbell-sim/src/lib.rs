//! A simulated Clerk: realistic lifecycles, sent as Clerk's webhook sender sends them.
//!
//! - [`World`] makes the messages, the same ones for the same [`Scenario`], and keeps the [`Truth`]: the rows
//!   that a mirror must hold once all of them have arrived, in whatever order.
//! - [`Sender`] takes them to an endpoint over HTTP: signed, retried, some twice, some late.
//! - [`drift`] compares the truth with the rows that a mirror holds.
//! - [`backend_api`] serves the state of the world, or any other, as Clerk's Backend API does.
//! - [`sender_api`] is Clerk's sender as an API: its endpoints, messages and attempts.
//! - [`load`] is for benchmarks, [`receiver`] for tests of senders.
//!
//! ```no_run
//! use clerk_webhooks::Secret;
//! use deskbell_sim::{Scenario, Sender, SenderOptions, Tables, World, drift};
//!
//! # async fn demo(read_mirror: fn() -> Tables) -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let sender = Sender::new(SenderOptions::new("http://127.0.0.1:3000/api/webhooks", secret))?;
//! let mut world = World::new(&Scenario::new(1, 20_000));
//! let report = sender.run(&mut world, |progress| println!("{}", progress.acked)).await;
//! assert!(report.unacked.is_empty());
//! assert_eq!(drift(world.truth(), &read_mirror()), []);
//! # Ok(())
//! # }
//! ```

pub mod backend_api;
mod clock;
mod drift;
mod fate;
mod http_server;
mod latency;
pub mod load;
pub mod receiver;
mod sender;
pub mod sender_api;
mod truth;
mod world;

pub use drift::{ColumnDifference, Difference, Finding, SECRET_MARKERS, Tables, drift, rows_of};
pub use fate::Fate;
pub use latency::Latencies;
pub use sender::{
    Failure, Failures, FirstAnswer, Progress, Reorder, Report, Sender, SenderError, SenderOptions,
    compressed_schedule, svix_schedule, svix_schedule_at,
};
pub use truth::{Row, Truth};
pub use world::{INSTANCE_ID, Message, Scenario, World, entity_id, replays};
