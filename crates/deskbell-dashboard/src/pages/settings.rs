//! Settings: the effective config, retention, tokens, and who changed what.

mod audit;
mod tokens;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use deskbell_admin::{Caller, SettingsView};
use maud::{Markup, html};

pub(crate) use self::audit::page as audit_page;
pub(crate) use self::tokens::revoke as revoke_token;

use crate::dashboard::{Dashboard, may_change};
use crate::form;
use crate::layout::{self, Section};
use crate::notice;
use crate::params::{Form, Params, Query};
use crate::reply::Failure;
use crate::table::facts;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
) -> Result<Response, Failure> {
    render(&dashboard, &caller, &params, None).await
}

/// Makes a token, and shows its text this once.
pub(crate) async fn create_token(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let made = tokens::create(&dashboard, &caller, &params).await?;
    render(&dashboard, &caller, &Params::default(), Some(&made)).await
}

async fn render(
    dashboard: &Dashboard,
    caller: &Caller,
    params: &Params,
    made: Option<&tokens::Made>,
) -> Result<Response, Failure> {
    let settings = dashboard.admin.settings().await?;
    let about = html! { "Deskbell " (settings.version) };
    let content = html! {
        (layout::head(&html! { "Settings" }, &about, &html! {}))
        (notice::of(params))
        @if may_change(caller) {
            (tokens::section(dashboard, made).await?)
            (audit::newest(dashboard).await?)
        } @else {
            section.card {
                h2 { "Your access" }
                p { "You are signed in as " strong { (caller.name) } " with the role " (caller.role) ". "
                    "Tokens and the audit log are shown to the role admin." }
            }
        }
        (retention(&settings))
        (config(&settings))
    };
    let page = layout::page(caller, Section::Settings, "Settings", &content);
    Ok(page.into_response())
}

fn retention(settings: &SettingsView) -> Markup {
    let retention = &settings.retention;
    let erased = if retention.erase_on_delete { "when Clerk deletes them" } else { "no" };
    html! {
        section.card {
            h2 { "Retention" }
            (facts(&[
                ("Payloads", html! { (retention.payloads) }),
                ("Events", html! { (retention.events) }),
                ("Attempts", html! { (retention.attempts) }),
                ("Users are erased", html! { (erased) }),
            ]))
            p.muted { "Set under " code { "[store]" } " in the config file. Nothing that is pending is deleted." }
        }
    }
}

fn config(settings: &SettingsView) -> Markup {
    html! {
        section.card {
            div.title { h2 { "Effective config" } (form::copy(&settings.toml, "the config")) }
            p.muted { "With defaults, and secrets left out. Change it in deskbell.toml." }
            pre.scroll tabindex="0" aria-label="Effective config" role="region" { (settings.toml) }
        }
    }
}
