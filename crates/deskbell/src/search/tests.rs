use std::sync::Arc;

use deskbell_store::SqliteStore;
use deskbell_store::deliveries::{DeliveryKey, NewDelivery, Ordering, Registration, StartFrom};

use super::*;

#[tokio::test]
async fn a_message_is_found_by_its_id_only_in_the_state_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).await.unwrap());
    store.append(&[testkit::event("msg_1", "user.created").new_event()]).await.unwrap();
    let crm =
        Registration { name: "crm".to_owned(), from: StartFrom::Now, ordering: Ordering::None };
    store.register(&crm).await.unwrap();
    let key = DeliveryKey { destination: "crm".into(), seq: Seq::new(1) };
    store.enqueue(&[NewDelivery { key, subject: None }]).await.unwrap();
    for (state, destination, found) in [
        (DeliveryStateFilter::Pending, None, 1),
        (DeliveryStateFilter::Pending, Some("crm"), 1),
        (DeliveryStateFilter::Pending, Some("slack"), 0),
        (DeliveryStateFilter::DeadLettered, None, 0),
    ] {
        let query = EventQuery {
            message_id: Some("msg_1".to_owned()),
            state: Some(state),
            destination: destination.map(str::to_owned),
            ..EventQuery::default()
        };
        let page = search(&Config::default(), &*store, &query, Budget::LIST).await.unwrap();
        assert_eq!(page.events.len(), found, "{state:?} {destination:?}");
    }
}
