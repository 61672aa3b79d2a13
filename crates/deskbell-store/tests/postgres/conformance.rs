//! The conformance suite: what every backend must do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::conformance::Backend;
use deskbell_store::deliveries::{Order, OrderNumber};
use deskbell_store::{Clock, Database, PostgresOptions, PostgresStore, conformance_tests};

use crate::place::Place;

/// What the clock says when a test begins.
const START_MS: i64 = 1_800_000_000_000;

/// Stores in databases of their own, which go with the backend.
struct Postgres {
    /// By the log's id.
    places: Mutex<HashMap<String, Place>>,
    clock: Clock,
}

impl Postgres {
    fn new() -> Self {
        Self { places: Mutex::default(), clock: Clock::manual(START_MS) }
    }

    fn options(&self, place: &Place) -> PostgresOptions {
        let mut options = place.options();
        options.clock = self.clock.clone();
        options
    }

    fn options_of(&self, store: &dyn Database) -> PostgresOptions {
        let places = self.places.lock().unwrap();
        self.options(&places[&store.log_id().to_string()])
    }
}

#[async_trait]
impl Backend for Postgres {
    async fn create(&self) -> Arc<dyn Database> {
        let place = Place::new().await;
        let store: Arc<dyn Database> =
            Arc::new(PostgresStore::open(&self.options(&place)).await.unwrap());
        self.places.lock().unwrap().insert(store.log_id().to_string(), place);
        store
    }

    async fn reopen(&self, store: Arc<dyn Database>) -> Arc<dyn Database> {
        store.close().await;
        Arc::new(PostgresStore::open(&self.options_of(&*store)).await.unwrap())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn place_order(&self, store: &dyn Database, order: &Order) -> OrderNumber {
        let command = PostgresStore::open_to_read(&self.options_of(store)).await.unwrap();
        command.place_order(order).await.unwrap()
    }
}

conformance_tests!(Postgres::new());
