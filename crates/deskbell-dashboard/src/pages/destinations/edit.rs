//! Making an HTTP destination, and changing one.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use deskbell_admin::{AdminError, Caller, EndpointSettings, SealedSecret};
use http::StatusCode;
use maud::{Markup, html};

use super::endpoint;
use super::endpoint_form::{self, Mistake};
use super::list::PATH;
use crate::dashboard::Dashboard;
use crate::document::Html;
use crate::form;
use crate::layout::{self, Section};
use crate::link;
use crate::notice::Notice;
use crate::params::Form;
use crate::reply::{Failure, see};

const NEW: &str = "/dashboard/destinations/new";

pub(crate) async fn new(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
) -> Html {
    new_page(&dashboard, &caller, &EndpointSettings::default(), None)
}

fn new_page(
    dashboard: &Dashboard,
    caller: &Caller,
    settings: &EndpointSettings,
    mistake: Option<&Mistake>,
) -> Html {
    let sources: Vec<_> =
        dashboard.admin.sources().into_iter().map(|name| (name.clone(), name)).collect();
    let extra = html! {
        (form::field("source", "Source", "Whose events it takes.", &form::select("source", "source", &sources, None)))
        (form::field("secret", "Signing secret", "Leave it empty for a random one.", &html! {
            input id="secret" type="password" name="secret" placeholder="whsec_…" autocomplete="off"
                aria-describedby="secret-help";
        }))
    };
    let title = "Add an HTTP destination";
    page(caller, title, &form_of(NEW, "Add", settings, mistake, &extra))
}

fn page(caller: &Caller, title: &str, form: &Markup) -> Html {
    let content = html! {
        (layout::crumbs(&[("Destinations", PATH)]))
        (layout::head(&html! { (title) }, &html! {}, &html! {}))
        section.card.narrow { (form) }
    };
    layout::page(caller, Section::Destinations, title, &content)
}

fn form_of(
    action: &str,
    button: &str,
    settings: &EndpointSettings,
    mistake: Option<&Mistake>,
    extra: &Markup,
) -> Markup {
    html! {
        form.stack method="post" action=(action) {
            (endpoint_form::fields(settings, mistake))
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
    let source = params.required("source")?;
    let secret = params.owned("secret").map(SealedSecret);
    let empty = EndpointSettings::default();
    let (settings, mistake) = match endpoint_form::read(&params, empty.clone()) {
        Ok(settings) => {
            let made =
                dashboard.admin.create_endpoint(&caller, source, settings.clone(), secret).await;
            match made {
                Ok(endpoint) => {
                    return Ok(see(&Notice::Created.at(&link::destination(&endpoint.id), None)));
                }
                Err(error) => (settings, mistake_of(error)?),
            }
        }
        Err(mistake) => (empty, mistake),
    };
    let page = new_page(&dashboard, &caller, &settings, Some(&mistake));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// What can be put right in the form; anything else is no page of a form.
fn mistake_of(error: AdminError) -> Result<Mistake, Failure> {
    match error {
        AdminError::Invalid { field, message } => Ok((field.to_owned(), message)),
        AdminError::Conflict(message) => Ok(("destination".to_owned(), message)),
        error => Err(error.into()),
    }
}

pub(crate) async fn edit(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Html, Failure> {
    let found = endpoint::required(&dashboard, &name).await?;
    Ok(edit_page(&caller, &name, &found.endpoint.settings, None))
}

fn edit_page(
    caller: &Caller,
    name: &str,
    settings: &EndpointSettings,
    mistake: Option<&Mistake>,
) -> Html {
    let action = format!("{}/edit", link::destination(name));
    page(caller, &format!("Edit {name}"), &form_of(&action, "Save", settings, mistake, &html! {}))
}

pub(crate) async fn update(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let found = endpoint::required(&dashboard, &name).await?;
    let before = found.endpoint.settings;
    let (settings, mistake) = match endpoint_form::read(&params, before.clone()) {
        Ok(settings) => {
            let saved = dashboard
                .admin
                .update_endpoint(&caller, &found.source, &name, settings.clone())
                .await;
            match saved {
                Ok(_) => return Ok(see(&Notice::Saved.at(&link::destination(&name), None))),
                Err(error) => (settings, mistake_of(error)?),
            }
        }
        Err(mistake) => (before, mistake),
    };
    let page = edit_page(&caller, &name, &settings, Some(&mistake));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
