//! A walk goes on from a cursor that was stored as text.

use clerk_api::{Cursor, lists};
use deskbell_sim::backend_api::Fault;

use super::support::{assert_all, client, filled, ids, serve};

#[tokio::test]
async fn every_list_is_resumed_from_any_of_its_cursors() {
    for &list in lists::ALL {
        let directory = filled(list.name, 1_200);
        let all = directory.lock().ids(list.name);
        let api = serve(&directory, |_| Fault::None).await;
        let client = client(&api.url());
        let mut found = Vec::new();
        let mut stored: Option<String> = None;
        loop {
            // As after a restart: nothing but the text is left.
            let mut walk = list.walk().page_size(100);
            if let Some(text) = &stored {
                walk = walk.resume(text.parse().unwrap()).unwrap();
            }
            // A list that may be read by id can end with a page of its own that has nothing in it.
            let Some(page) = client.pages(walk).next().await.unwrap() else { break };
            found.extend(page.items.into_iter().map(|item| item.id));
            let Some(next) = page.next else { break };
            stored = Some(next.to_string());
        }
        assert_eq!(found.len(), 1_200, "{}: none is read twice", list.name);
        assert_all(&all, &found, list.name);
    }
}

#[tokio::test]
async fn a_walk_is_resumed_after_very_much_was_deleted() {
    for (list, kept_from) in [(&lists::USERS, 480), (&lists::ORGANIZATION_MEMBERSHIPS, 480)] {
        let directory = filled(list.name, 1_200);
        let all = directory.lock().ids(list.name);
        let api = serve(&directory, |_| Fault::None).await;
        let mut pages = client(&api.url()).pages(list.walk());
        let first = pages.next().await.unwrap().unwrap();
        let cursor: Cursor = first.next.unwrap().to_string().parse().unwrap();
        for id in all[..kept_from].iter().chain(&all[490..530]) {
            directory.lock().remove(list.name, id);
        }
        let walk = list.walk().resume(cursor).unwrap();
        let found = ids(&mut client(&api.url()).pages(walk)).await;
        assert_all(&all[530..], &found, list.name);
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let directory = filled("users", 30);
    let api = serve(&directory, |_| Fault::None).await;
    let mut pages = client(&api.url()).pages(lists::USERS.walk().page_size(10));
    let cursor = pages.next().await.unwrap().unwrap().next.unwrap();
    assert_eq!(cursor.list(), "users");
    let refused = lists::ORGANIZATIONS.walk().resume(cursor.clone()).unwrap_err();
    assert_eq!(refused.to_string(), "expected a cursor of organizations, found one of users");
    let refused = lists::PAYMENT_ATTEMPTS.walk("cstmt_1").unwrap().resume(cursor).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "expected a cursor of payment_attempts of cstmt_1, found one of users"
    );
}
