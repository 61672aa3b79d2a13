//! What is asked of Loops for an event.

use deskbell_expr::EventView;
use http::Method;
use serde_json::{Value as Json, json};

/// A request, with its body.
#[derive(Debug, PartialEq)]
pub(super) enum Call {
    /// Creates the contact or updates it.
    UpdateContact(Json),
    DeleteContact(Json),
    SendEvent(Json),
}

impl Call {
    pub(super) fn request(&self) -> (Method, &'static str, &Json) {
        match self {
            Self::UpdateContact(body) => (Method::PUT, "api/v1/contacts/update", body),
            Self::DeleteContact(body) => (Method::POST, "api/v1/contacts/delete", body),
            Self::SendEvent(body) => (Method::POST, "api/v1/events/send", body),
        }
    }
}

/// The entities whose events are about one user, and the member that names the user.
const OF_A_USER: &[(&str, &str)] = &[
    ("membership", "user_id"),
    ("session", "user_id"),
    ("subscription", "payer_user_id"),
    ("subscription_item", "payer_user_id"),
    ("payment_attempt", "payer_user_id"),
    ("email", "user_id"),
    ("sms", "user_id"),
];

/// What is to be asked, in order.
///
/// # Errors
/// Why nothing can be asked.
pub(super) fn calls(view: &EventView<'_>, event_name: Option<String>) -> Result<Vec<Call>, String> {
    let event_type = view.root("type");
    let event_type = event_type.as_ref().and_then(|name| name.as_str()).unwrap_or_default();
    match event_type {
        "user.created" | "user.updated" => upsert(view, event_name),
        "user.deleted" => {
            let id = text(view, "user", "id").ok_or("the event has no user id")?;
            Ok(vec![Call::DeleteContact(json!({ "userId": id }))])
        }
        _ => {
            let name = event_name.ok_or_else(|| {
                format!("{event_type} does not change a contact, and `event_name` is not set")
            })?;
            let user = OF_A_USER.iter().find_map(|(root, member)| text(view, root, member));
            let user = user.ok_or_else(|| format!("{event_type} is not about one user"))?;
            Ok(vec![Call::SendEvent(json!({ "userId": user, "eventName": name }))])
        }
    }
}

fn upsert(view: &EventView<'_>, event_name: Option<String>) -> Result<Vec<Call>, String> {
    let user = |member| text(view, "user", member);
    let id = user("id").ok_or("the event has no user id")?;
    let email = user("primary_email_address")
        .ok_or("the user has no primary email address, which a contact requires")?;
    let mut calls = vec![Call::UpdateContact(json!({
        "email": email,
        "userId": id,
        "firstName": user("first_name"),
        "lastName": user("last_name"),
    }))];
    if let Some(name) = event_name {
        let event = json!({ "email": email, "userId": id, "eventName": name });
        calls.push(Call::SendEvent(event));
    }
    Ok(calls)
}

/// A member that is a text and not empty.
fn text(view: &EventView<'_>, root: &str, member: &str) -> Option<String> {
    let entity = view.root(root)?;
    let text = entity.get(member)?.as_str()?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}
