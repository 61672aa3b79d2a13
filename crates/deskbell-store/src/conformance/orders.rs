//! Orders are carried out in the order in which they were placed, each until it is finished.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use super::Backend;
use crate::{Order, OrderNumber, PlacedOrder};

pub async fn orders_are_taken_in_turn(backend: &dyn Backend) {
    let store = backend.create().await;
    assert_eq!(store.next_order().await.unwrap(), None);
    let first = backend.place_order(&*store, &Order("first".to_owned())).await;
    let second = backend.place_order(&*store, &Order("second".to_owned())).await;
    assert!(first < second);
    let next = store.next_order().await.unwrap().unwrap();
    assert_eq!((next.number, &*next.order.0, next.outcome), (first, "first", None));
    assert_eq!(store.next_order().await.unwrap().unwrap().number, first, "until it is finished");
    store.finish_order(first, "done").await.unwrap();
    assert_eq!(store.next_order().await.unwrap().unwrap().number, second);
}

pub async fn a_finished_order_says_what_came_of_it(backend: &dyn Backend) {
    let store = backend.create().await;
    let order = Order("replay everything".to_owned());
    let number = backend.place_order(&*store, &order).await;
    store.finish_order(number, "3 deliveries").await.unwrap();
    let store = backend.reopen(store).await;
    let outcome = Some("3 deliveries".to_owned());
    let finished = PlacedOrder { number, order, outcome };
    assert_eq!(store.order(number).await.unwrap(), Some(finished));
    assert_eq!(store.order(OrderNumber(number.0 + 1)).await.unwrap(), None);
    assert_eq!(store.next_order().await.unwrap(), None);
}
