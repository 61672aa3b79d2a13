//! A destination's signing secret: shown when asked for, and rotated.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, SealedSecret};
use maud::{Markup, html};

use super::actions::changed;
use super::endpoint;
use crate::dashboard::Dashboard;
use crate::form;
use crate::link;
use crate::notice::Notice;
use crate::params::Form;
use crate::reply::Failure;

pub(super) fn section(name: &str, revealed: Option<&SealedSecret>) -> Markup {
    let path = link::destination(name);
    html! {
        section.card id="secret" {
            div.title {
                h2 { "Signing secret" }
                @if revealed.is_none() { (form::button(&format!("{path}/secret"), "Reveal", &[])) }
                (rotation(&path))
            }
            @if let Some(secret) = revealed {
                div.paste { code { (secret.0) } (form::copy(&secret.0, "the secret")) }
            }
            p.muted { "The receiver verifies requests with it, with any Svix or Standard Webhooks library. \
                Revealing it is written to the audit log." }
        }
    }
}

fn rotation(path: &str) -> Markup {
    html! {
        details.confirm {
            summary.button { "Rotate…" }
            div.popover {
                form.stack method="post" action={ (path) "/rotate" } {
                    p { "Requests are signed with the new secret, and for 24 hours with the old one too." }
                    (form::field("new-secret", "New secret", "Leave it empty for a random one.",
                        &html! { input id="new-secret" type="password" name="secret" placeholder="whsec_…"
                            autocomplete="off" aria-describedby="new-secret-help"; }))
                    button.danger type="submit" { "Rotate the secret" }
                }
            }
        }
    }
}

pub(crate) async fn rotate(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let found = endpoint::changeable(&dashboard, &name).await?;
    let secret = params.owned("secret").map(SealedSecret);
    dashboard.admin.rotate_endpoint_secret(&caller, &found.source, &name, secret).await?;
    Ok(changed(&name, Notice::Rotated))
}
