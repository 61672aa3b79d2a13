//! One row, or the knowledge that there is none any more.

use deskbell_sync::{DatabaseConfig, Known, MirrorOptions, OnDelete, RowReader, entity};
use serde_json::json;

use super::support::{Mirror, deleted, event, membership, user};

fn known_id(known: Option<Known>) -> Option<String> {
    match known {
        Some(Known::Row(row)) => row["id"].as_str().map(str::to_owned),
        Some(Known::Deleted) => Some("deleted".to_owned()),
        None => None,
    }
}

#[tokio::test]
async fn an_entity_is_there_or_deleted_or_unknown() {
    let users = entity::find("user").unwrap();
    for on_delete in [OnDelete::Delete, OnDelete::Mark] {
        let config = DatabaseConfig { on_delete, ..DatabaseConfig::default() };
        let mut mirror = Mirror::with(MirrorOptions::new("mirror", config)).await;
        let reader = RowReader::new(&mirror.options).unwrap();
        assert_eq!(reader.by_id(users, "user_1").await.unwrap(), None);
        mirror
            .apply(&[
                event("msg_1", "user.created", 1, &user("user_1", 1)),
                event("msg_2", "user.created", 1, &user("user_2", 1)),
                event("msg_3", "user.deleted", 2, &deleted("user", "user_2")),
            ])
            .await;
        for (id, expected) in
            [("user_1", Some("user_1")), ("user_2", Some("deleted")), ("user_3", None)]
        {
            let found = known_id(reader.by_id(users, id).await.unwrap());
            assert_eq!(found.as_deref(), expected, "{id} {on_delete:?}");
        }
    }
}

#[tokio::test]
async fn a_row_has_the_columns_of_its_table_and_no_bookkeeping() {
    let mut mirror = Mirror::new().await;
    let reader = RowReader::new(&mirror.options).unwrap();
    let mut data = user("user_1", 1_767_225_600_123);
    data["public_metadata"] = json!({ "plan": "pro" });
    data["banned"] = json!(true);
    mirror.apply(&[event("msg_1", "user.created", 1, &data)]).await;
    let Some(Known::Row(row)) =
        reader.by_id(entity::find("user").unwrap(), "user_1").await.unwrap()
    else {
        panic!("no row")
    };
    assert_eq!(row, mirror.rows("users").await[0]);
    assert_eq!((&row["banned"], &row["public_metadata"]["plan"]), (&json!(true), &json!("pro")));
    assert_eq!(row["updated_at"], "2026-01-01T00:00:00.123Z");
}

#[tokio::test]
async fn of_several_memberships_the_newest_is_read() {
    let mut mirror = Mirror::new().await;
    let reader = RowReader::new(&mirror.options).unwrap();
    let memberships = entity::find("organization_membership").unwrap();
    let created = "organizationMembership.created";
    mirror
        .apply(&[
            event("msg_1", created, 5, &membership("orgmem_1", "org_1", "user_1", 5)),
            event("msg_2", created, 7, &membership("orgmem_2", "org_1", "user_1", 7)),
            event("msg_3", created, 6, &membership("orgmem_3", "org_1", "user_1", 6)),
            event("msg_4", created, 9, &membership("orgmem_4", "org_2", "user_1", 9)),
        ])
        .await;
    let with = [("user_id", "user_1"), ("organization_id", "org_1")];
    let row = reader.newest(memberships, &with).await.unwrap().unwrap();
    assert_eq!(row["id"], "orgmem_2");
    let with = [("user_id", "user_2"), ("organization_id", "org_1")];
    assert_eq!(reader.newest(memberships, &with).await.unwrap(), None);
}

#[tokio::test]
async fn a_mirror_that_is_not_there_is_an_error_and_is_read_once_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clerk.db");
    let url = format!("sqlite://{}", path.display()).parse().unwrap();
    let options = MirrorOptions::new("mirror", DatabaseConfig::at(url));
    let reader = RowReader::new(&options).unwrap();
    let users = entity::find("user").unwrap();
    assert!(reader.by_id(users, "user_1").await.is_err());
    assert!(!path.exists());
    let mut mirror = Mirror::at(options).await;
    mirror.apply(&[event("msg_1", "user.created", 1, &user("user_1", 1))]).await;
    assert!(reader.by_id(users, "user_1").await.unwrap().is_some());
}
