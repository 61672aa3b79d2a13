//! Orders: what a command beside the running program asks it to do.

use async_trait::async_trait;

use crate::{Leases, StoreError};

/// The orders of a store.
#[async_trait]
pub trait Commands: Leases {
    /// The oldest order that has not been carried out.
    ///
    /// # Errors
    /// The store could not be read.
    async fn next_order(&self) -> Result<Option<PlacedOrder>, StoreError>;

    /// Writes down what became of an order.
    ///
    /// # Errors
    /// It stays open, and is carried out again.
    async fn finish_order(&self, number: OrderNumber, outcome: &str) -> Result<(), StoreError>;

    /// The order with this number.
    ///
    /// # Errors
    /// The store could not be read.
    async fn order(&self, number: OrderNumber) -> Result<Option<PlacedOrder>, StoreError>;
}

/// The name, as a consumer, of who carries out orders.
pub const ORDERS: &str = "orders";

/// An order's number, in the order in which they were placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber(pub i64);

/// An order: a text that the program and its commands agree about; the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order(pub String);

/// An order as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    /// Its number.
    pub number: OrderNumber,
    /// What was asked for.
    pub order: Order,
    /// What became of it; `None` where it has not been carried out.
    pub outcome: Option<String>,
}
