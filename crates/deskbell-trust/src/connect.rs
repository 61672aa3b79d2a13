//! The endpoint of a source in Clerk's sender: what it should be, and the one change that makes it so.

use clerk_api::sender::{
    Endpoint, EndpointChange, EndpointError, EventFilter, NewEndpoint, SenderSession,
};
use url::Url;

/// What our endpoints' uids begin with; the source's name follows.
const UID_PREFIX: &str = "deskbell-";
/// Bytes of a uid: the sender takes no more.
const UID_BYTES_MAX: usize = 256;
/// What the sender's pages show beside the address.
const DESCRIPTION: &str = "Deskbell";

/// What the endpoint of a source should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedEndpoint {
    /// The name that says that it is ours: see [`endpoint_uid`].
    pub uid: String,
    pub url: Url,
    /// The types of event that the config has a use for.
    pub event_types: Vec<String>,
    /// Whether types that the endpoint has already are kept, since the config has a use for more than is known here.
    pub keeps_event_types: bool,
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointPlan {
    pub action: EndpointAction,
    /// Types that are wanted and that the sender does not know: the endpoint cannot have them.
    pub left_out: Vec<String>,
    /// Further endpoints of the same address, which somebody else made: every event arrives once more for each.
    pub others: Vec<Endpoint>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointAction {
    Create(NewEndpoint),
    Change {
        endpoint: Endpoint,
        change: EndpointChange,
    },
    /// It is already as it should be.
    Keep(Endpoint),
}

/// Why the endpoint cannot be what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointPlanError {
    /// Somebody else made an endpoint of this address.
    #[error("the endpoint {id} already has the URL {url}, and Deskbell did not create it")]
    OtherOwner { id: String, url: String },
    /// Somebody else made several; it is not known which one to take over.
    #[error("the endpoints {} already have this URL, and Deskbell did not create them", .ids.join(", "))]
    SeveralOthers { ids: Vec<String> },
    /// An endpoint without a list of types would get all of them.
    #[error("the sender knows none of the event types that the config uses")]
    NoEventTypes,
}

/// The uid of a source's endpoint: the sender takes letters, digits, `-` and `_`.
#[must_use]
pub fn endpoint_uid(source: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' }
    };
    UID_PREFIX.chars().chain(source.chars().map(plain)).take(UID_BYTES_MAX).collect()
}

/// What to do, given the sender's endpoints and the event types that it knows; it knows all if there are none.
/// An endpoint of somebody else is taken over with `adopt` alone.
///
/// # Errors
/// [`EndpointPlanError`]: nothing may be done.
pub fn plan_endpoint(
    wanted: &WantedEndpoint,
    endpoints: &[Endpoint],
    known_types: &[String],
    adopt: bool,
) -> Result<EndpointPlan, EndpointPlanError> {
    let (known, left_out): (Vec<_>, Vec<_>) = sorted(&wanted.event_types)
        .into_iter()
        .partition(|name| known_types.is_empty() || known_types.contains(name));
    let is_ours = |endpoint: &&Endpoint| endpoint.uid.as_deref() == Some(&*wanted.uid);
    let ours = endpoints.iter().find(is_ours);
    let mut others: Vec<_> = endpoints
        .iter()
        .filter(|endpoint| !is_ours(endpoint) && is_url(&endpoint.url, &wanted.url))
        .cloned()
        .collect();
    if known.is_empty() && !wanted.keeps_event_types {
        return Err(EndpointPlanError::NoEventTypes);
    }
    let action = match (ours, &others[..]) {
        (Some(ours), _) => change(ours.clone(), wanted, known),
        (None, []) if known.is_empty() => return Err(EndpointPlanError::NoEventTypes),
        (None, []) => EndpointAction::Create(NewEndpoint {
            uid: wanted.uid.clone(),
            url: wanted.url.to_string(),
            description: DESCRIPTION.to_owned(),
            events: EventFilter::Only(known),
        }),
        (None, [_]) if adopt => change(others.remove(0), wanted, known),
        (None, [other]) => {
            let (id, url) = (other.id.clone(), other.url.clone());
            return Err(EndpointPlanError::OtherOwner { id, url });
        }
        (None, several) => {
            let ids = several.iter().map(|endpoint| endpoint.id.clone()).collect();
            return Err(EndpointPlanError::SeveralOthers { ids });
        }
    };
    Ok(EndpointPlan { action, left_out, others })
}

/// Does it, and gives the endpoint as it is then.
///
/// # Errors
/// The sender refused it.
pub async fn apply_endpoint(
    action: EndpointAction,
    session: &SenderSession,
) -> Result<Endpoint, EndpointError> {
    match action {
        EndpointAction::Create(new) => session.create_endpoint(&new).await,
        EndpointAction::Change { endpoint, change } => {
            session.change_endpoint(&endpoint.id, &change).await
        }
        EndpointAction::Keep(endpoint) => Ok(endpoint),
    }
}

/// Changes the endpoint in what differs.
fn change(endpoint: Endpoint, wanted: &WantedEndpoint, known: Vec<String>) -> EndpointAction {
    let events = match &endpoint.events {
        EventFilter::All if wanted.keeps_event_types => EventFilter::All,
        EventFilter::Only(types) if wanted.keeps_event_types => {
            EventFilter::Only(sorted(types.iter().chain(&known)))
        }
        _ => EventFilter::Only(known),
    };
    let change = EndpointChange {
        uid: (endpoint.uid.as_ref() != Some(&wanted.uid)).then(|| wanted.uid.clone()),
        url: (!is_url(&endpoint.url, &wanted.url)).then(|| wanted.url.to_string()),
        is_disabled: endpoint.is_disabled.then_some(false),
        events: (!is_same(&endpoint.events, &events)).then_some(events),
    };
    if change == EndpointChange::default() {
        EndpointAction::Keep(endpoint)
    } else {
        EndpointAction::Change { endpoint, change }
    }
}

/// Whether the text is this address, however it is written.
fn is_url(text: &str, url: &Url) -> bool {
    Url::parse(text).is_ok_and(|found| found == *url)
}

fn is_same(one: &EventFilter, other: &EventFilter) -> bool {
    match (one, other) {
        (EventFilter::All, EventFilter::All) => true,
        (EventFilter::Only(one), EventFilter::Only(other)) => sorted(one) == sorted(other),
        _ => false,
    }
}

/// Each name once, in order.
fn sorted<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<_> = names.into_iter().cloned().collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://hooks.example.com/api/webhooks";

    fn wanted(types: &[&str]) -> WantedEndpoint {
        WantedEndpoint {
            uid: endpoint_uid("clerk"),
            url: URL.parse().unwrap(),
            event_types: names(types),
            keeps_event_types: false,
        }
    }

    fn names(types: &[&str]) -> Vec<String> {
        types.iter().map(|&name| name.to_owned()).collect()
    }

    fn only(types: &[&str]) -> EventFilter {
        EventFilter::Only(names(types))
    }

    /// An endpoint as the sender has it; without types it takes all.
    fn endpoint(uid: Option<&str>, url: &str, types: &[&str]) -> Endpoint {
        let types = (!types.is_empty()).then_some(types);
        serde_json::from_value(json!({
            "id": "ep_1", "uid": uid, "url": url, "filterTypes": types, "createdAt": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    fn disabled(endpoint: Endpoint) -> Endpoint {
        let mut endpoint = endpoint;
        endpoint.is_disabled = true;
        endpoint
    }

    fn action(wanted: &WantedEndpoint, endpoints: &[Endpoint], adopt: bool) -> EndpointAction {
        plan_endpoint(wanted, endpoints, &[], adopt).unwrap().action
    }

    #[test]
    fn an_endpoint_is_created_with_the_types_that_the_sender_knows() {
        let wanted = wanted(&["user.created", "a.b", "user.created"]);
        let known = names(&["user.created", "user.deleted"]);
        let other = endpoint(None, "https://hooks.example.com/other", &[]);
        let plan = plan_endpoint(&wanted, &[other], &known, false).unwrap();
        assert_eq!(plan.left_out, ["a.b"]);
        let EndpointAction::Create(new) = plan.action else { panic!("{:?}", plan.action) };
        assert_eq!((&*new.uid, &*new.url), ("deskbell-clerk", URL));
        assert_eq!(new.events, only(&["user.created"]));
        assert!(plan.others.is_empty());

        let plan = plan_endpoint(&wanted, &[], &[], false).unwrap();
        assert!(plan.left_out.is_empty(), "a sender without a list takes every type");
        let none = plan_endpoint(&wanted, &[], &names(&["user.deleted"]), false);
        assert_eq!(none.unwrap_err(), EndpointPlanError::NoEventTypes);
    }

    #[test]
    fn what_differs_is_changed_and_nothing_else() {
        let ours = Some("deskbell-clerk");
        let types = &["user.created", "user.deleted"];
        let none = EndpointChange::default();
        for (found, expected) in [
            (endpoint(ours, URL, &["user.deleted", "user.created"]), none.clone()),
            (endpoint(ours, "HTTPS://hooks.example.com:443/api/webhooks", types), none.clone()),
            (
                endpoint(ours, "https://old.example.com/", types),
                EndpointChange { url: Some(URL.to_owned()), ..none.clone() },
            ),
            (
                disabled(endpoint(ours, URL, types)),
                EndpointChange { is_disabled: Some(false), ..none.clone() },
            ),
            (
                endpoint(ours, URL, &["user.created", "session.created"]),
                EndpointChange { events: Some(only(types)), ..none.clone() },
            ),
            (
                endpoint(ours, URL, &[]),
                EndpointChange { events: Some(only(types)), ..none.clone() },
            ),
        ] {
            match action(&wanted(types), std::slice::from_ref(&found), false) {
                EndpointAction::Keep(endpoint) => {
                    assert_eq!((endpoint, none.clone()), (found, expected));
                }
                EndpointAction::Change { endpoint, change } => {
                    assert_eq!((endpoint, change), (found, expected));
                }
                EndpointAction::Create(new) => panic!("{new:?}"),
            }
        }
    }

    #[test]
    fn an_endpoint_of_somebody_else_is_not_touched_unless_it_is_adopted() {
        for uid in [None, Some("their-own"), Some("deskbell-staging")] {
            let theirs = endpoint(uid, URL, &["user.created"]);
            let refused = plan_endpoint(
                &wanted(&["user.created"]),
                std::slice::from_ref(&theirs),
                &[],
                false,
            );
            let expected = EndpointPlanError::OtherOwner { id: "ep_1".into(), url: URL.into() };
            assert_eq!(refused.unwrap_err(), expected, "{uid:?}");

            let plan =
                plan_endpoint(&wanted(&["user.created"]), std::slice::from_ref(&theirs), &[], true);
            let plan = plan.unwrap();
            let uid = Some("deskbell-clerk".to_owned());
            let change = EndpointChange { uid, ..EndpointChange::default() };
            assert_eq!(plan.action, EndpointAction::Change { endpoint: theirs, change });
            assert!(plan.others.is_empty());
        }
        let theirs = [endpoint(None, URL, &[]), endpoint(Some("b"), URL, &[])];
        let several = plan_endpoint(&wanted(&["user.created"]), &theirs, &[], true).unwrap_err();
        assert!(matches!(several, EndpointPlanError::SeveralOthers { ids } if ids.len() == 2));
    }

    #[test]
    fn another_endpoint_of_the_same_address_is_named_beside_ours() {
        let endpoints =
            [endpoint(None, URL, &[]), endpoint(Some("deskbell-clerk"), URL, &["user.created"])];
        for adopt in [false, true] {
            let plan = plan_endpoint(&wanted(&["user.created"]), &endpoints, &[], adopt).unwrap();
            assert_eq!(plan.action, EndpointAction::Keep(endpoints[1].clone()));
            assert_eq!(plan.others, [endpoints[0].clone()]);
        }
    }

    #[test]
    fn types_are_kept_where_the_config_is_not_known_as_a_whole() {
        let wanted = WantedEndpoint { keeps_event_types: true, ..wanted(&["user.created"]) };
        let ours = |types: &[&str]| endpoint(Some("deskbell-clerk"), URL, types);
        let more = ours(&["session.created"]);
        let expected = Some(only(&["session.created", "user.created"]));
        let EndpointAction::Change { change, .. } = action(&wanted, &[more], false) else {
            panic!()
        };
        assert_eq!(change.events, expected);
        for kept in [ours(&[]), ours(&["session.created", "user.created"])] {
            let found = action(&wanted, std::slice::from_ref(&kept), false);
            assert_eq!(found, EndpointAction::Keep(kept));
        }
        let nothing = WantedEndpoint { event_types: Vec::new(), ..wanted };
        let refused = plan_endpoint(&nothing, &[], &[], false).unwrap_err();
        assert_eq!(refused, EndpointPlanError::NoEventTypes);
    }

    #[test]
    fn a_uid_has_letters_that_the_sender_takes() {
        assert_eq!(endpoint_uid("clerk"), "deskbell-clerk");
        assert_eq!(endpoint_uid("my app/ü.x"), "deskbell-my-app---x");
        assert_eq!(endpoint_uid(&"a".repeat(400)).len(), 256);
    }
}
