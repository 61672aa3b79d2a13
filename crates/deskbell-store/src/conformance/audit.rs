//! The audit log is read in pages, the newest entry first.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::Backend;
use crate::NewAuditEntry;

fn entry(target: &str, details: Option<&str>) -> NewAuditEntry {
    NewAuditEntry {
        who: "ops".to_owned(),
        action: "destination.pause".to_owned(),
        target: target.to_owned(),
        details: details.map(ToOwned::to_owned),
    }
}

pub async fn the_newest_entry_comes_first(backend: &dyn Backend) {
    let store = backend.create().await;
    assert_eq!(store.audit_entries(None, 10).await.unwrap(), []);
    let start_ms = store.now_ms().await.unwrap();
    let written =
        [entry("app", None), entry("crm", Some("for \"maintenance\"")), entry("app", None)];
    for one in &written {
        store.record_audit(one).await.unwrap();
        backend.advance(Duration::from_secs(1));
    }
    let store = backend.reopen(store).await;
    let read = store.audit_entries(None, 10).await.unwrap();
    assert!(read.iter().map(|one| &one.entry).eq(written.iter().rev()));
    let times: Vec<_> = read.iter().map(|one| one.at_ms - start_ms).collect();
    assert_eq!(times, [2_000, 1_000, 0]);
    assert!(read.windows(2).all(|pair| pair[0].number > pair[1].number), "numbers grow");
}

pub async fn pages_have_each_entry_once(backend: &dyn Backend) {
    let store = backend.create().await;
    for n in 0..7 {
        store.record_audit(&entry(&n.to_string(), None)).await.unwrap();
    }
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let page = store.audit_entries(before, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        read.extend(page.into_iter().map(|one| one.entry.target));
        // What is written meanwhile is on no later page.
        store.record_audit(&entry("late", None)).await.unwrap();
    }
    assert_eq!(read, ["6", "5", "4", "3", "2", "1", "0"]);
}
