//! Workspaces and their members.

use deskbell_sim::Message;
use serde_json::json;

use super::converges;
use super::samples::event;

pub(super) fn workspace(event_type: &'static str, at: i64, id: &str, name: &str) -> Message {
    event(event_type, at, &[("/data/id", json!(id)), ("/data/name", json!(name))])
}

pub(super) fn member(event_type: &'static str, at: i64, ids: [&str; 3], role: &str) -> Message {
    let [id, organization, user] = ids;
    let values = [
        ("/data/id", json!(id)),
        ("/data/organization/id", json!(organization)),
        ("/data/public_user_data/user_id", json!(user)),
        ("/data/role", json!(role)),
    ];
    event(event_type, at, &values)
}

#[tokio::test]
async fn members_wait_for_their_workspace_and_who_joins_again_stays_whatever_the_order() {
    let (created, deleted) = ("organizationMembership.created", "organizationMembership.deleted");
    let (first, second) = (["orgmem_1", "org_1", "user_mira"], ["orgmem_2", "org_1", "user_mira"]);
    let kim = ["orgmem_3", "org_1", "user_kim"];
    let (at, gone) = (1_800_000_000_000, ["orgmem_4", "org_2", "user_kim"]);
    let events = [
        workspace("organization.created", at, "org_1", "Juniper"),
        member(created, at + 1, first, "org:admin"),
        member(created, at + 2, kim, "org:member"),
        workspace("organization.updated", at + 3, "org_1", "Juniper Freight"),
        workspace("organization.created", at + 4, "org_2", "Gone"),
        member(created, at + 5, gone, "org:member"),
        member(deleted, at + 1, first, "org:admin"),
        member(created, at + 7, second, "org:member"),
        member("organizationMembership.updated", at + 8, kim, "org:admin"),
        event("organization.deleted", at + 9, &[("/data/id", json!("org_2"))]),
    ];
    converges(
        "team-members",
        &events,
        "select name, user_id, role, desk from team_members join workspaces on id = workspace_id
         union all select 'workspaces', clerk_id, name, color from workspaces order by 1, 2",
        &[
            "Juniper Freight|user_kim|org:admin|none yet",
            "Juniper Freight|user_mira|org:member|none yet",
            "workspaces|org_1|Juniper Freight|teal",
        ],
    )
    .await;
}
