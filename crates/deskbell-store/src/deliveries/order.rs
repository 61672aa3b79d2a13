//! Orders: what a command beside the running program asks it to do.

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
