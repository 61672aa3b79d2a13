//! A release that runs while a later one adds to the tables.

use deskbell_store::conformance::event;
use deskbell_store::deliveries::{
    AttemptLog, AttemptRange, DeadLetterQuery, DeliveryQueries, DeliveryQueue, DeliveryState,
    Replays,
};
use deskbell_store::{
    Appended, EventHeads, EventLog, NewEvent, PostgresStore, ReadLimit, Seq, SubjectIndex,
};

use super::database::Database;
use super::{NewDelivery, Ordering, Verdict, claim, key, register, settlement};

/// To every table a column in its midst, as far as a query can tell, and a table.
const ADD: &str = "DO $$ DECLARE one text; BEGIN
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'deskbell' LOOP
        EXECUTE format('ALTER TABLE deskbell.%I ADD COLUMN added text DEFAULT ''later''', one);
    END LOOP;
    CREATE TABLE deskbell.added (seq bigint);
    INSERT INTO deskbell.migrations (version) VALUES (999);
END $$";

/// The whole way of the event at this place: one delivery is made, and one given up on, revived and
/// given up on again.
async fn a_day(store: &PostgresStore, place: i64) {
    let id = format!("msg_{place}");
    let event = NewEvent { subject: Some("user_1".to_owned()), ..event(&id) };
    let batch = std::slice::from_ref(&event);
    assert_eq!(store.append(batch).await.unwrap(), [Appended::New(Seq::new(place))]);
    assert_eq!(store.append(batch).await.unwrap(), [Appended::Duplicate(Seq::new(place))]);
    let read = store.read(Seq::new(place - 1), ReadLimit::default()).await.unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(store.find(&event.source, &id).await.unwrap().as_ref(), read.first());
    store.index_subjects(100).await.unwrap();
    let about = store.events_by_subject("user_1", None, ReadLimit::default()).await.unwrap();
    assert_eq!(about.events.first(), read.first());
    let pending = NewDelivery { key: key(place), subject: event.subject.clone() };
    assert_eq!(store.enqueue(&[pending]).await.unwrap(), 1);
    for _ in 0..2 {
        give_up(store).await;
        let query = DeadLetterQuery { limit: 100, ..DeadLetterQuery::default() };
        let [letter] = &store.dead_letters(&query).await.unwrap()[..] else { panic!("one") };
        assert_eq!((&letter.key, &*letter.message_id), (&key(place), &*id));
        assert_eq!(store.revive(&[key(place)]).await.unwrap(), 1);
    }
    let claimed = claim(store, 10).await;
    let delivered = [settlement(&claimed[0], Verdict::Delivered)];
    assert_eq!(store.settle("hook", &delivered).await.unwrap(), 0);
    let [delivery] = &store.deliveries_of(Seq::new(place)).await.unwrap()[..] else {
        panic!("one")
    };
    assert!(matches!(delivery.state, DeliveryState::Delivered { .. }), "{delivery:?}");
    assert_eq!(delivery.attempts.len(), 3);
    let newest = AttemptRange { attempts_max: 3, scanned_max: 10, ..AttemptRange::default() };
    let newest = store.newest_attempts(&newest).await.unwrap().attempts;
    assert!(newest.iter().all(|logged| logged.key == key(place)) && newest.len() == 3);
    let heads = store.heads_at(&[Seq::new(place)]).await.unwrap();
    assert_eq!(heads.first(), newest.first().map(|logged| &logged.event));
    store.check_writable().await.unwrap();
}

async fn give_up(store: &PostgresStore) {
    let claimed = claim(store, 10).await;
    let given_up = [settlement(&claimed[0], Verdict::DeadLetter("no".to_owned()))];
    assert_eq!(store.settle("hook", &given_up).await.unwrap(), 0);
}

#[tokio::test]
async fn it_goes_on_as_before() {
    let database = Database::new().await;
    let store = database.open().await;
    register(&store, Ordering::Subject).await;
    // Often enough that every plan is kept.
    for place in 1..=8 {
        a_day(&store, place).await;
    }
    sqlx::raw_sql(ADD).execute(&mut database.connect().await).await.unwrap();
    for place in 9..=16 {
        a_day(&store, place).await;
    }
}
