//! Access tokens: listed, made and revoked.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use deskbell_admin::Caller;
use deskbell_store::{AccessToken, TokenRole};
use maud::{Markup, html};

use crate::dashboard::Dashboard;
use crate::form;
use crate::notice::Notice;
use crate::params::{Form, Params};
use crate::reply::{Failure, see};
use crate::table::{Column::Text, cards, cell};
use crate::time;

/// A token that was just made: its text is shown once.
pub(super) struct Made {
    name: String,
    token: AccessToken,
}

pub(super) async fn create(
    dashboard: &Dashboard,
    caller: &Caller,
    params: &Params,
) -> Result<Made, Failure> {
    let name = params.required("name")?.to_owned();
    let role = params.required("role")?;
    let role = role.parse().map_err(|_| Failure::BadRequest(format!("`{role}` is no role")))?;
    let token = dashboard.admin.create_token(caller, &name, role).await?;
    Ok(Made { name, token })
}

pub(crate) async fn revoke(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Form(params): Form,
) -> Result<Response, Failure> {
    dashboard.admin.revoke_token(&caller, params.required("name")?).await?;
    Ok(see(&Notice::Revoked.at("/dashboard/settings", None)))
}

pub(super) async fn section(dashboard: &Dashboard, made: Option<&Made>) -> Result<Markup, Failure> {
    let tokens = dashboard.admin.tokens().await?;
    let rows = html! {
        @for token in &tokens {
            tr {
                (cell("Name", &html! { (token.name) }))
                (cell("Role", &html! { (token.role) }))
                (cell("Created", &time::moment(token.created_at)))
                (cell("Change", &form::confirmed("/dashboard/settings/tokens/revoke", "Revoke",
                    "Whatever uses it is refused from now on.", &[("name", &token.name)])))
            }
        }
    };
    Ok(html! {
        section.card id="tokens" {
            h2 { "Access tokens" }
            @if let Some(made) = made { (shown_once(made)) }
            @if tokens.is_empty() {
                p.muted { "No tokens but the one of the config." }
            } @else {
                (cards("Access tokens", &[Text("Name"), Text("Role"), Text("Created"), Text("Change")], &rows))
            }
            (new())
        }
    })
}

fn shown_once(made: &Made) -> Markup {
    html! {
        div.notice.good role="status" {
            div {
                p { "The token " strong { (made.name) } ". It is shown once: store it now." }
                div.paste { code { (made.token.expose()) } (form::copy(made.token.expose(), "the token")) }
            }
        }
    }
}

fn new() -> Markup {
    let roles = TokenRole::ALL.map(|role| {
        let allows = match role {
            TokenRole::Viewer => "viewer: reads, personal data masked",
            TokenRole::Reader => "reader: reads payloads too",
            TokenRole::Admin => "admin: everything",
        };
        (role.to_string(), allows.to_owned())
    });
    html! {
        form.row method="post" action="/dashboard/settings/tokens" {
            label for="token-name" { "New token" }
            input id="token-name" type="text" name="name" required maxlength="100" placeholder="ci" autocomplete="off";
            label.visually-hidden for="token-role" { "Role" }
            (form::select("token-role", "role", &roles, None))
            button type="submit" { "Create" }
        }
    }
}
