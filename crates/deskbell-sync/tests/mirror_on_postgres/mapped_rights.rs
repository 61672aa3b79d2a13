//! Mapped tables that refer to tables of which the role may not read everything.

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete, TableConfig};

use super::application::Application;
use super::mapped::{pairs, user, users};
use super::support::event;

/// Users, each with a plan, and one of the application's who has an address that another one wants.
const TABLES: &str = "CREATE TABLE plans (name text PRIMARY KEY); INSERT INTO plans VALUES ('pro');
    CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text NOT NULL UNIQUE,
        plan text REFERENCES plans (name));
    INSERT INTO app_users VALUES ('ours', 'taken@x.dev')";
const ADDRESSES: &str = "SELECT email FROM app_users WHERE clerk_id <> 'ours' ORDER BY clerk_id";

fn has(id: &str, email: &str, at: i64) -> StoredEvent {
    event(&format!("msg_{id}_{at}"), "user.updated", at, &user(id, email, at))
}

/// The application, with a destination that is of a role of its own.
async fn of_a_role() -> (Application, String) {
    let columns = [("email", "user.primary_email_address"), ("plan", "data.public_metadata.plan")];
    let table = TableConfig { columns: pairs(&columns), ..users(OnRowDelete::Delete) };
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    );
    let mut app = Application::new(&[TABLES], options).await;
    app.apply(&[has("user_1", "a@x.dev", 1), has("user_2", "b@x.dev", 1)]).await;
    let role = format!("{}_role", app.place.name());
    app.run(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA clerk TO {role};
         GRANT ALL ON ALL TABLES IN SCHEMA clerk TO {role}; GRANT ALL ON app_users, plans TO {role}"
    ))
    .await;
    app.options.database.url = app.place.url_of(&role, "p").parse().unwrap();
    app.restart().await;
    (app, role)
}

async fn end(app: Application, role: &str) {
    app.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_table_that_may_not_be_read_hides_no_ring() {
    let (mut app, role) = of_a_role().await;
    app.run(&format!("REVOKE ALL ON plans FROM {role}")).await;
    app.apply(&[has("user_3", "taken@x.dev", 1)]).await;
    app.make_due().await;
    app.apply(&[has("user_1", "b@x.dev", 2), has("user_2", "a@x.dev", 2)]).await;
    assert_eq!(app.rows(ADDRESSES).await, [["b@x.dev"], ["a@x.dev"]]);
    app.restart().await;
    app.make_due().await;
    app.apply(&[has("user_1", "a@x.dev", 3), has("user_2", "b@x.dev", 3)]).await;
    assert_eq!(app.rows(ADDRESSES).await, [["a@x.dev"], ["b@x.dev"]]);
    end(app, &role).await;
}

#[tokio::test]
async fn a_row_that_a_policy_hides_is_not_waited_for() {
    let (mut app, role) = of_a_role().await;
    app.run("ALTER TABLE plans ENABLE ROW LEVEL SECURITY").await;
    app.restart().await;
    app.apply(&[has("user_3", "taken@x.dev", 1)]).await;
    app.run("DELETE FROM app_users WHERE clerk_id = 'ours'").await;
    app.make_due().await;
    app.apply(&[]).await;
    assert_eq!(app.rows(ADDRESSES).await, [["a@x.dev"], ["b@x.dev"], ["taken@x.dev"]]);
    end(app, &role).await;
}
