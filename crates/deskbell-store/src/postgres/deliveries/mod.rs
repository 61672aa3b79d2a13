//! Deliveries in the log's database, shared by every process that has it open: claims are in the rows,
//! under a lease by the database's clock.
//!
//! A unit of work is one function in the database, so that it takes one round trip; the functions
//! and the order in which they lock are in `migrations/0002_deliveries.sql`, and others in later steps:
//! lists in `0019_lists.sql`.

mod attempt_log;
mod destinations;
mod lists;
mod query;
mod queue;
mod replay;
mod route;
mod settle;

use super::PostgresStore;

impl PostgresStore {
    /// Notifies the workers of each of these destinations, in all processes, that something is due.
    fn wake<'a>(&self, destinations: impl IntoIterator<Item = &'a str>) {
        for destination in destinations {
            self.wake.notify_due(destination);
        }
    }
}
