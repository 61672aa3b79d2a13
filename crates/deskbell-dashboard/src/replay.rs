//! What the pages that replay have in common: a form that counts and begins, and where it leads.

use axum::response::Response;
use deskbell_admin::ReplayStatus;
use maud::{Markup, html};

use crate::link;
use crate::notice::Notice;
use crate::number;
use crate::params::Params;
use crate::reply::see;

/// The form's field that says what was counted.
const COUNTED: &str = "counted";

/// A form whose first button counts what its fields say, and whose second one, where there is something
/// to replay, begins. `choice` is what the fields of `choices` say.
pub(crate) fn form(
    action: &str,
    fields: &[(&str, &str)],
    choices: &Markup,
    choice: &str,
    outlook: &Markup,
    counted: &ReplayStatus,
) -> Markup {
    html! {
        form.stack action=(action) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            input type="hidden" name=(COUNTED) value=(choice);
            div.row { (choices) button type="submit" { "Count" } }
            p.outlook { (outlook) }
            @if counted.deliveries > 0 {
                div { button.primary type="submit" formmethod="post" { (begin(counted)) } }
            }
        }
    }
}

fn begin(counted: &ReplayStatus) -> String {
    match counted.more {
        true => "Replay all of them".to_owned(),
        false => format!("Replay {}", number::count(counted.deliveries)),
    }
}

/// Whether this choice was changed since it was counted: then it is counted again.
pub(crate) fn is_changed(params: &Params, choice: &str) -> bool {
    params.one(COUNTED).unwrap_or_default() != choice
}

/// Where a replay that began leads: to its progress, or back with a notice where it is done.
pub(crate) fn begun(status: &ReplayStatus, back: &str) -> Response {
    see(&match status.id {
        Some(id) if !status.done => link::replay(id),
        _ => Notice::Replayed.at(back, Some(status.deliveries)),
    })
}
