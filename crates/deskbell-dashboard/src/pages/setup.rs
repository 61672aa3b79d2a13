//! The set-up guide: from a fresh install to the first event, and to what existed before.

use axum::Extension;
use axum::extract::State;
use deskbell_admin::{Caller, Overview, SourceOverview};
use maud::{Markup, html};

use crate::badge::{Tone, badge};
use crate::dashboard::Dashboard;
use crate::form;
use crate::layout::{self, Html, Section};
use crate::number;
use crate::reply::Failure;
use crate::time;

pub(crate) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
) -> Result<Html, Failure> {
    Ok(page_of(&caller, &dashboard.admin.overview().await?.for_caller(&caller)))
}

pub(crate) fn page_of(caller: &Caller, overview: &Overview) -> Html {
    let about = html! { "Four steps from a fresh install to your users in your database." };
    let content = html! {
        (layout::head(&html! { "Set up Deskbell" }, &about, &html! {}))
        ol.steps {
            li.card { (endpoint(overview)) }
            li.card { (secret(overview)) }
            (first_event(overview))
            li.card { (backfill(overview)) }
        }
    };
    layout::page(caller, Section::Overview, "Set up", &content)
}

fn endpoint(overview: &Overview) -> Markup {
    html! {
        h2 { "Give Clerk the address" }
        p { "In the Clerk dashboard, open " strong { "Configure → Webhooks" } ", choose "
            strong { "Add endpoint" } ", paste this URL, and subscribe to all events." }
        @for source in &overview.sources { (address(source)) }
        p.muted {
            "With Clerk's secret key in " code { "CLERK_SECRET_KEY" } ", "
            code { "deskbell connect --url URL" } " creates the endpoint for you. On a machine that Clerk cannot reach, set "
            code { "mode = \"pull\"" } " for the source instead."
        }
    }
}

fn address(source: &SourceOverview) -> Markup {
    let path = source.paths.first().map_or("/", String::as_str);
    html! {
        @if let Some(url) = &source.url {
            div.paste { span.label { (source.name) } code { (url) } (form::copy(url, "the URL")) }
        } @else {
            div.paste { span.label { (source.name) } code { "https://YOUR-HOST" (path) } }
            p.muted { "Set " code { "public_url" } " in the section " code { "[server]" }
                " of deskbell.toml, and the whole URL is shown here." }
        }
    }
}

fn secret(overview: &Overview) -> Markup {
    html! {
        h2 { "Give Deskbell the signing secret" }
        p { "Copy the endpoint's signing secret from Clerk (it begins with " code { "whsec_" }
            "), set the variable that " code { "signing_secrets" } " names, and restart Deskbell." }
        div.paste {
            code { "CLERK_WEBHOOK_SIGNING_SECRET=whsec_…" }
            (form::copy("CLERK_WEBHOOK_SIGNING_SECRET=", "the variable"))
        }
        @for refused in &overview.refused {
            p { (badge(Tone::Warn, &number::counted(refused.requests, "refused request")))
                " to " (refused.source) " (" code { (refused.cause) } "): " (refused.help) }
        }
    }
}

/// Until the first event comes, this step is asked for again.
fn first_event(overview: &Overview) -> Markup {
    let last = overview.sources.iter().filter_map(|source| source.last_event_at).max();
    html! {
        @if let Some(at) = last {
            li.card id="first-event" {
                h2 { "Wait for the first event" }
                p { (badge(Tone::Good, "received")) " The last event came " (time::ago(at, overview.now))
                    ". " a href="/dashboard/events" { "Show the events" } "." }
            }
        } @else {
            li.card id="first-event" hx-get="/dashboard/setup" hx-trigger="every 3s"
                hx-select="#first-event" hx-swap="outerHTML" { (no_event_yet()) }
        }
    }
}

fn no_event_yet() -> Markup {
    html! {
        h2 { "Wait for the first event" }
        p { (badge(Tone::Info, "waiting")) " No event has come yet. "
            span.js-only { "This page changes when one does." }
            noscript { "Reload this page to look again." } }
        p { "Send one with the " strong { "Testing" } " tab of the endpoint in the Clerk dashboard, or from a terminal:" }
        div.paste {
            code { "deskbell trigger user.created" }
            (form::copy("deskbell trigger user.created", "the command"))
        }
    }
}

fn backfill(overview: &Overview) -> Markup {
    let ready = overview.sources.iter().any(|source| source.has_secret_key);
    html! {
        h2 { "Fill the mirror with what existed before" }
        @if ready {
            p { (badge(Tone::Good, "secret key set"))
                " A new mirror is filled with every user and organization that Clerk has. To do it again:" }
        } @else {
            p { "Set Clerk's secret key, and a new mirror is filled with every user and organization \
                that Clerk has, and compared with Clerk every day." }
            div.paste { code { "CLERK_SECRET_KEY=sk_…" } (form::copy("CLERK_SECRET_KEY=", "the variable")) }
            p { "Then restart Deskbell, or run:" }
        }
        div.paste { code { "deskbell backfill" } (form::copy("deskbell backfill", "the command")) }
    }
}
