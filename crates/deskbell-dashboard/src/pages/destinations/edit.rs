//! Making an HTTP destination, and changing one.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use deskbell_admin::{Caller, EndpointSettings, NewEndpoint, SealedSecret};
use http::StatusCode;
use maud::{Markup, html};

use super::actions::changed;
use super::endpoint;
use super::endpoint_form::{self, Mistake, Typed};
use crate::dashboard::Dashboard;
use crate::form;
use crate::layout::{self, Html, Section};
use crate::link;
use crate::notice::Notice;
use crate::params::{Form, Params};
use crate::reply::Failure;

const NEW: &str = "/dashboard/destinations/new";

pub(crate) async fn new(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
) -> Html {
    new_page(&dashboard, &caller, &Params::default(), None)
}

/// The form with what was typed, but for the secret.
fn new_page(
    dashboard: &Dashboard,
    caller: &Caller,
    params: &Params,
    mistake: Option<&Mistake>,
) -> Html {
    let sources: Vec<_> =
        dashboard.admin.sources().into_iter().map(|name| (name.clone(), name)).collect();
    let source = form::select("source", "source", &sources, params.one("source"));
    let help = match params.one("secret") {
        Some(_) => "Type it again, or leave it empty for a random one.",
        None => "Leave it empty for a random one.",
    };
    let extra = html! {
        (form::field("source", "Source", "Whose events it takes.", &source))
        (form::field("secret", "Signing secret", help, &html! {
            input id="secret" type="password" name="secret" placeholder="whsec_…" autocomplete="off"
                aria-describedby="secret-help";
        }))
    };
    let title = "Add an HTTP destination";
    page(caller, title, &form_of(NEW, "Add", &Typed::from(params), mistake, &extra))
}

fn page(caller: &Caller, title: &str, form: &Markup) -> Html {
    let content = html! {
        (layout::crumbs(&[("Destinations", link::DESTINATIONS)]))
        (layout::head(&html! { (title) }, &html! {}, &html! {}))
        section.card.narrow { (form) }
    };
    layout::page(caller, Section::Destinations, title, &content)
}

fn form_of(
    action: &str,
    button: &str,
    typed: &Typed,
    mistake: Option<&Mistake>,
    extra: &Markup,
) -> Markup {
    html! {
        form.stack method="post" action=(action) {
            (endpoint_form::fields(typed, mistake))
            (extra)
            button.primary type="submit" { (button) }
        }
    }
}

pub(crate) async fn create(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let made = made(&dashboard, &caller, &params).await?;
    Ok(match made {
        Ok(id) => changed(&id, Notice::Created),
        Err(mistake) => {
            let page = new_page(&dashboard, &caller, &params, Some(&mistake));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    })
}

/// The new destination's name, or what is wrong in the form.
async fn made(
    dashboard: &Dashboard,
    caller: &Caller,
    params: &Params,
) -> Result<Result<String, Mistake>, Failure> {
    let source = params.required("source")?;
    let secret = params.owned("secret").map(SealedSecret);
    let settings = match Typed::from(params).settings(EndpointSettings::default()) {
        Ok(settings) => settings,
        Err(mistake) => return Ok(Err(mistake)),
    };
    let new = NewEndpoint { settings, secret, ..NewEndpoint::default() };
    match dashboard.admin.create_endpoint(caller, source, new).await {
        Ok(endpoint) => Ok(Ok(endpoint.id)),
        Err(error) => Mistake::of(error).map(Err),
    }
}

pub(crate) async fn edit(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Html, Failure> {
    let found = endpoint::changeable(&dashboard, &name).await?;
    Ok(edit_page(&caller, &name, &Typed::from(&found.endpoint.settings), None))
}

fn edit_page(caller: &Caller, name: &str, typed: &Typed, mistake: Option<&Mistake>) -> Html {
    let action = format!("{}/edit", link::destination(name));
    page(caller, &format!("Edit {name}"), &form_of(&action, "Save", typed, mistake, &html! {}))
}

pub(crate) async fn update(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let found = endpoint::changeable(&dashboard, &name).await?;
    let typed = Typed::from(&params);
    let mistake = match typed.settings(found.endpoint.settings) {
        Ok(settings) => {
            let saved = dashboard.admin.update_endpoint(&caller, &found.source, &name, settings);
            match saved.await {
                Ok(_) => return Ok(changed(&name, Notice::Saved)),
                Err(error) => Mistake::of(error)?,
            }
        }
        Err(mistake) => mistake,
    };
    let page = edit_page(&caller, &name, &typed, Some(&mistake));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
