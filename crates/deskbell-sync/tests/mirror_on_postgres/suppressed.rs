//! What a batch costs does not grow with the rows that went with their parents.

use deskbell_sync::MirrorOptions;

use super::backend::Place;
use super::support::{Mirror, event, membership};

/// Many memberships that went with their user or organization.
const MANY: &str = "INSERT INTO clerk._suppressed
        (entity, id, _updated_at_ms, _occurred_at_ms, _rank, _message_id)
    SELECT 'organization_membership', 'gone_' || n, 1, 1, 1, 'msg' FROM generate_series(1, 20000) n;
    ANALYZE clerk._suppressed";
/// The entries of the table and its index that statements have read, and the times that they did.
const READ: &str = "SELECT (seq_tup_read + sum(idx_tup_read))::bigint,
        (seq_scan + sum(indexes.idx_scan))::bigint
    FROM pg_stat_user_tables AS tables JOIN pg_stat_user_indexes AS indexes USING (relid)
    WHERE tables.relname = '_suppressed' GROUP BY seq_tup_read, seq_scan";

#[tokio::test]
async fn of_the_suppressed_versions_a_batch_reads_its_own_alone() {
    let place = Place::new().await;
    let mut mirror = Mirror::at(place.another(MirrorOptions::default()).await).await;
    place.run(MANY).await;
    let (before, scans) = place.pair(READ).await;
    let members = (0..100).map(|n| membership(&format!("orgmem_{n}"), "org_1", "user_1", 1));
    let members: Vec<_> = members.collect();
    let created = members
        .iter()
        .enumerate()
        .map(|(n, data)| event(&format!("msg_{n}"), "organizationMembership.created", 1, data));
    assert_eq!(mirror.apply(&created.collect::<Vec<_>>()).await, 100);
    // The server counts what a connection has read some time after that is closed.
    mirror.close().await;
    let after = loop {
        let (read, times) = place.pair(READ).await;
        if times > scans {
            break read;
        }
    };
    assert!(after - before < 2_000, "{} entries read for 100 rows", after - before);
}
