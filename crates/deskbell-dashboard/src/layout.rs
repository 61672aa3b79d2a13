//! What every page has around its content.

use deskbell_admin::Caller;
use maud::{DOCTYPE, Markup, html};

use crate::assets;
use crate::icon::{Icon, icon};

/// Scripts of data are off, nothing of a page is kept in the browser's storage, and htmx writes no
/// styles of its own: so the content security policy can be strict.
const HTMX_CONFIG: &str = r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"historyCacheSize":0,"selfRequestsOnly":true}"#;

pub(crate) type Html = axum::response::Html<String>;

/// The part of the pages that one is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Events,
    Destinations,
    DeadLetters,
    Catalog,
    Settings,
    Reference,
}

const SECTIONS: &[(Section, &str, &str, Icon)] = &[
    (Section::Overview, "Overview", "/dashboard", Icon::Pulse),
    (Section::Events, "Events", "/dashboard/events", Icon::List),
    (Section::Destinations, "Destinations", "/dashboard/destinations", Icon::Send),
    (Section::DeadLetters, "Dead letters", "/dashboard/dead-letters", Icon::Letter),
    (Section::Catalog, "Catalog", "/dashboard/catalog", Icon::Book),
    (Section::Settings, "Settings", "/dashboard/settings", Icon::Gear),
    (Section::Reference, "API reference", "/dashboard/reference", Icon::Code),
];

/// A page of a section.
pub(crate) fn page(caller: &Caller, section: Section, title: &str, content: &Markup) -> Html {
    let body = html! {
        a.skip href="#main" { "Skip to the content" }
        div.shell {
            (side(section))
            (bar(caller))
            main id="main" tabindex="-1" { (content) }
        }
    };
    axum::response::Html(document(title, &body).into_string())
}

/// A page that is no part of any section: a message alone.
pub(crate) fn message(title: &str, content: &Markup) -> Markup {
    document(
        title,
        &html! {
            main.alone id="main" {
                (brand())
                div.card { h1 { (title) } (content) }
            }
        },
    )
}

fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX_CONFIG);
                title { (title) " · Deskbell" }
                link rel="icon" type="image/svg+xml" href=(assets::url(assets::ICON));
                link rel="stylesheet" href=(assets::url(assets::STYLE));
                @for script in assets::SCRIPTS { script src=(assets::url(script)) defer {} }
            }
            body hx-ext="sse" { (body) }
        }
    }
}

pub(crate) fn brand() -> Markup {
    html! { a.brand href="/dashboard" { (icon(Icon::Bell)) "Deskbell" } }
}

fn side(current: Section) -> Markup {
    html! {
        nav.side aria-label="Sections" {
            (brand())
            ul {
                @for (section, name, url, symbol) in SECTIONS {
                    li {
                        a href=(url) aria-current=[(*section == current).then_some("page")] {
                            (icon(*symbol)) (name)
                        }
                    }
                }
            }
        }
    }
}

fn bar(caller: &Caller) -> Markup {
    html! {
        header.bar {
            form.find role="search" action="/dashboard/search" {
                (icon(Icon::Search))
                input id="find" type="search" name="q" maxlength="300" autocomplete="off" spellcheck="false"
                    aria-label="Go to an event, a subject or a type"
                    placeholder="Go to msg_…, user_…, user.created";
                kbd.js-only aria-hidden="true" { "/" }
            }
            div.who {
                span.name title={ "role: " (caller.role) } { (caller.name) }
                form method="post" action="/sign-out" { button.plain type="submit" { "Sign out" } }
            }
        }
    }
}

/// The head of a page's content: its title, what it is about, and what can be done.
pub(crate) fn head(title: &Markup, about: &Markup, actions: &Markup) -> Markup {
    html! {
        div.head {
            div { h1 { (title) } div.about { (about) } }
            div.actions { (actions) }
        }
    }
}

/// Where a page lies: the pages above it.
pub(crate) fn crumbs(above: &[(&str, &str)]) -> Markup {
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            ol { @for (name, url) in above { li { a href=(url) { (name) } } } }
        }
    }
}
