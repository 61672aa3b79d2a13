//! The text of `.env.example`: the names of variables, without values.

use super::choices::{Choices, Compose, DATABASE_VARIABLE, STORE_VARIABLE};

const HEAD: &str = "\
# Copy this file to .env, fill it in, and keep .env out of the repository.
";
const SIGNING_SECRET: (&str, &str) = (
    "CLERK_WEBHOOK_SIGNING_SECRET",
    "The signing secret of your endpoint, whsec_…: Clerk's dashboard, Configure > Webhooks.",
);
const SECRET_KEY: (&str, &str) = (
    "CLERK_SECRET_KEY",
    "Optional: the instance's secret key, sk_…, with which the mirror is filled and `deskbell connect` works.",
);
const ADMIN_TOKEN: (&str, &str) = (
    "DESKBELL_ADMIN_TOKEN",
    "Optional: opens the admin API, the dashboard and /metrics: openssl rand -hex 32",
);
const POSTGRES_PASSWORD: (&str, &str) = (
    "POSTGRES_PASSWORD",
    "The password of the database in compose.yaml, letters and digits: openssl rand -hex 32",
);

pub(super) fn example(choices: &Choices) -> String {
    let mut variables = vec![SIGNING_SECRET, SECRET_KEY];
    let with_postgres = choices.compose == Some(Compose::WithPostgres);
    if with_postgres {
        variables.push(POSTGRES_PASSWORD);
    }
    let database = choices.database.variable(DATABASE_VARIABLE);
    let store = choices.store.variable(STORE_VARIABLE).filter(|store| Some(*store) != database);
    let is_given = |name: &&str| !(with_postgres && *name == DATABASE_VARIABLE);
    if let Some(name) = database.filter(is_given) {
        variables.push((
            name,
            "The database of the destination: postgres://USER:PASSWORD@HOST/DATABASE",
        ));
    }
    if let Some(name) = store.filter(is_given) {
        variables
            .push((name, "The database of the event log: postgres://USER:PASSWORD@HOST/DATABASE"));
    }
    variables.push(ADMIN_TOKEN);
    let lines = variables.iter().map(|(name, comment)| format!("\n# {comment}\n{name}=\n"));
    HEAD.to_owned() + &lines.collect::<String>()
}
