//! Users, workspaces and members in applications that have ids of their own.

use deskbell_sim::Message;
use serde_json::json;

use super::converges_in;
use super::packages::{install, run};
use super::samples::event;
use super::sandbox::{Backend, Sandbox};
use super::team_members::{member, workspace};

fn user(event_type: &'static str, at: i64, name: &str) -> Message {
    let address = format!("{name}@x.example");
    let values = [
        ("/data/id", json!(format!("user_{name}"))),
        ("/data/email_addresses", json!([{ "id": "idn_1", "email_address": address }])),
        ("/data/primary_email_address_id", json!("idn_1")),
        ("/data/first_name", json!(name)),
        ("/data/last_name", json!(null)),
    ];
    event(event_type, at, &values)
}

/// Two users stay in a workspace, of which one left and joined again. A user and a workspace go.
fn events() -> Vec<Message> {
    let (joins, leaves) = ("organizationMembership.created", "organizationMembership.deleted");
    let (first, second) = (["orgmem_1", "org_1", "user_mira"], ["orgmem_2", "org_1", "user_mira"]);
    let (kim, lee) = (["orgmem_3", "org_1", "user_kim"], ["orgmem_4", "org_1", "user_lee"]);
    let (gone, at) = (["orgmem_5", "org_2", "user_kim"], 1_800_000_000_000);
    vec![
        user("user.created", at + 1, "mira"),
        user("user.created", at + 2, "kim"),
        user("user.created", at + 3, "lee"),
        workspace("organization.created", at + 4, "org_1", "Juniper"),
        workspace("organization.created", at + 5, "org_2", "Gone"),
        member(joins, at + 6, first, "org:admin"),
        member(joins, at + 7, kim, "org:member"),
        member(joins, at + 8, lee, "org:member"),
        member(joins, at + 9, gone, "org:member"),
        member(leaves, at + 6, first, "org:admin"),
        member(joins, at + 10, second, "org:member"),
        member("organizationMembership.updated", at + 11, kim, "org:admin"),
        workspace("organization.updated", at + 12, "org_1", "Juniper Freight"),
        event("organization.deleted", at + 13, &[("/data/id", json!("org_2"))]),
        event("user.deleted", at + 14, &[("/data/id", json!("user_lee"))]),
    ]
}

#[tokio::test]
async fn the_tables_of_drizzle_come_out_the_same_whatever_the_order() {
    converges_in(
        async || Sandbox::new("drizzle-app", Backend::Postgres).await,
        &events(),
        "select w.name, u.clerk_id, role from team_members
             join workspaces w on w.id = workspace_id join users u on u.id = user_id
         union all select 'user', clerk_id, email from users
         union all select 'workspace', clerk_id, name from workspaces order by 1, 2",
        &[
            "Juniper Freight|user_kim|org:admin",
            "Juniper Freight|user_mira|org:member",
            "user|user_kim|kim@x.example",
            "user|user_mira|mira@x.example",
            "workspace|org_1|Juniper Freight",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_tables_of_prisma_come_out_the_same_whatever_the_order() {
    converges_in(
        async || Sandbox::new("prisma-app", Backend::Postgres).await,
        &events(),
        r#"select t.name, u."clerkId", role::text from "_TeamToUser"
             join "Team" t on t.id = "A" join "User" u on u.id = "B"
         union all select 'team', "clerkId", name from "Team"
         union all select 'user', "clerkId", concat(email, ' ', name) from "User" order by 1, 2"#,
        &[
            "Juniper Freight|user_kim|MEMBER",
            "Juniper Freight|user_mira|MEMBER",
            "team|org_1|Juniper Freight",
            "user|user_ada|ada@old.example ",
            "user|user_kim|kim@x.example kim",
            "user|user_lee|user_lee@deleted.invalid ",
            "user|user_mira|mira@x.example mira",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_tables_of_django_come_out_the_same_whatever_the_order() {
    let example = Sandbox::new("django", Backend::Postgres).await;
    install("django", &example);
    let schema = run("python3 manage.py sqlmigrate team 0001", &example).await;
    converges_in(
        async || {
            let sandbox = Sandbox::new("django", Backend::Postgres).await;
            sandbox.run(schema.clone()).await;
            sandbox
        },
        &events(),
        "select w.name, m.clerk_id, role from team_membership
             join team_workspace w on w.id = workspace_id join team_member m on m.id = member_id
         union all select 'member', clerk_id, concat_ws(' ', name, email, is_active) from team_member
         union all select 'workspace', clerk_id, concat_ws(' ', name, is_active) from team_workspace
         order by 1, 2",
        &[
            "Juniper Freight|user_kim|org:admin",
            "Juniper Freight|user_mira|org:member",
            "member|user_kim|kim kim@x.example t",
            "member|user_lee| f",
            "member|user_mira|mira mira@x.example t",
            "workspace|org_1|Juniper Freight t",
            "workspace|org_2|Gone f",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_schema_of_drizzle_is_what_drizzle_kit_makes() {
    let sandbox = Sandbox::new("drizzle-app", Backend::Postgres).await;
    install("drizzle-app", &sandbox);
    let made = run("npx drizzle-kit export --config drizzle.config.ts", &sandbox).await;
    let shown =
        std::fs::read_to_string(super::directory("drizzle-app").join("schema.postgres.sql"));
    assert_eq!(made.trim(), shown.unwrap().trim());
    run("npx tsc", &sandbox).await;
}
