//! `deskbell tokens`: what opens the admin routes besides the config's admin token.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use clerk_webhooks::UnixMillis;
use deskbell_store::{AccessToken, StoredToken, TokenRole};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Context, exit, store, table};
use crate::admin::token_name;
use crate::command_runner::{Answer, Request};

/// What `tokens create --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewToken")]
pub(super) struct Created<'a> {
    name: &'a str,
    /// `viewer`, `reader` or `admin`.
    #[schemars(with = "String")]
    role: TokenRole,
    /// The token's text, which is not shown again.
    token: String,
}

/// What `tokens list --json` prints of each.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(super) struct Listed<'a> {
    name: &'a str,
    /// `viewer`, `reader` or `admin`.
    #[schemars(with = "String")]
    role: TokenRole,
    /// When it was made.
    created_at: String,
}

/// What `tokens revoke --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RevokedToken")]
pub(super) struct Revoked<'a> {
    name: &'a str,
    /// Always `true`.
    revoked: bool,
}

const CREATE_EXAMPLE: &str = "\
Example:
  deskbell tokens create --role reader --name laptop";

const LIST_EXAMPLE: &str = "\
Example:
  deskbell tokens list --json";

const REVOKE_EXAMPLE: &str = "\
Examples:
  deskbell tokens revoke laptop
  deskbell tokens revoke \"sign-in link\"";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a token and print it. It is not shown again.
    #[command(after_help = CREATE_EXAMPLE)]
    Create {
        /// What the token allows.
        #[arg(long, value_enum)]
        role: Role,
        /// A name to revoke it by, such as that of the application.
        #[arg(long, value_parser = token_name::check)]
        name: String,
    },
    /// List tokens, without their texts.
    #[command(after_help = LIST_EXAMPLE)]
    List,
    /// Delete a token. It opens nothing from then on.
    #[command(after_help = REVOKE_EXAMPLE)]
    Revoke {
        /// Name of the token, or "sign-in link": the sessions that printed links began.
        name: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Role {
    /// Reads, without the personal data of payloads.
    Viewer,
    /// Reads rows and payloads too.
    Reader,
    /// Everything.
    Admin,
}

pub(super) async fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    match command {
        Command::Create { role, name } => create(role.into(), name, context).await?,
        Command::List => list(context).await?,
        Command::Revoke { name } => revoke(name, context).await?,
    }
    Ok(ExitCode::from(exit::DONE))
}

async fn create(role: TokenRole, name: String, context: &Context) -> Result<(), exit::Failure> {
    let config = context.load_without_secrets()?;
    let token = AccessToken::random();
    // The running program gets the hash alone.
    let request = Request::CreateToken { name: name.clone(), role, hash: token.hash() };
    let done = store::execute(&config, request).await?;
    if done.answer != Answer::TokenCreated {
        return Err(store::unexpected(&done.answer));
    }
    if context.json {
        outln!("{}", json!(Created { name: &name, role, token: token.expose().to_string() }));
    } else {
        outln!("{}", token.expose());
        errln!("created the {role} token `{name}`; store it now, it is not shown again");
    }
    Ok(())
}

async fn list(context: &Context) -> Result<(), exit::Failure> {
    let config = context.load_to_read()?;
    let tokens = match store::to_read_if_there(&config).await? {
        Some(store) => {
            let tokens = store.tokens().await;
            store.close().await;
            tokens.map_err(store::failed_to_read)?
        }
        None => Vec::new(),
    };
    if context.json {
        let all = tokens.iter().map(|token| {
            let (name, role) = (&*token.name, token.role);
            json!(Listed { name, role, created_at: created_at(token) })
        });
        outln!("{:#}", Value::Array(all.collect()));
    } else {
        let rows = tokens
            .iter()
            .map(|token| [token.name.clone(), token.role.to_string(), created_at(token)]);
        table::print(["NAME", "ROLE", "CREATED"], rows);
    }
    Ok(())
}

async fn revoke(name: String, context: &Context) -> Result<(), exit::Failure> {
    let config = context.load_without_secrets()?;
    let request = Request::RevokeToken { name: name.clone() };
    let done = store::execute(&config, request).await?;
    if done.answer != Answer::TokenRevoked {
        return Err(store::unexpected(&done.answer));
    }
    if context.json {
        outln!("{}", json!(Revoked { name: &name, revoked: true }));
    } else {
        outln!("{name} revoked");
    }
    Ok(())
}

fn created_at(token: &StoredToken) -> String {
    UnixMillis::from_millis(token.created_at_ms).map(|at| at.to_string()).unwrap_or_default()
}

impl From<Role> for TokenRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Reader => Self::Reader,
            Role::Admin => Self::Admin,
        }
    }
}
