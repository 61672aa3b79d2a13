//! Endpoints of the sender: listed, created and changed, by both names of their list of types.

use clerk_api::sender::{EndpointChange, EndpointError, EventFilter, NewEndpoint, ReadError};
use deskbell_sim::sender_api::{Fault, SenderApi, SenderApiOptions, SimulatedEndpoint};

use super::support::{client_of, messages, session_with};

fn only(types: &[&str]) -> EventFilter {
    EventFilter::Only(types.iter().map(|&name| name.to_owned()).collect())
}

fn new(events: EventFilter) -> NewEndpoint {
    NewEndpoint {
        uid: "deskbell-clerk".to_owned(),
        url: "https://hooks.example.com/api/webhooks".to_owned(),
        description: "Deskbell".to_owned(),
        events,
    }
}

#[tokio::test]
async fn an_endpoint_is_created_found_and_changed_by_either_name_of_its_types() {
    for types_member in ["filterTypes", "eventTypes"] {
        let options = SenderApiOptions { types_member, ..SenderApiOptions::default() };
        let (api, session) = session_with(options).await;
        let created = session.create_endpoint(&new(only(&["user.created"]))).await.unwrap();
        assert_eq!(created.uid.as_deref(), Some("deskbell-clerk"));
        assert_eq!(created.events, only(&["user.created"]), "{types_member}");
        assert!(!created.is_disabled);
        assert_eq!(session.endpoint("deskbell-clerk").await.unwrap().unwrap(), created);
        assert_eq!(session.endpoints().await.unwrap(), std::slice::from_ref(&created));

        let events = Some(only(&["user.created", "user.deleted"]));
        let change =
            EndpointChange { is_disabled: Some(true), events, ..EndpointChange::default() };
        let changed = session.change_endpoint(&created.id, &change).await.unwrap();
        assert_eq!(changed.events, only(&["user.created", "user.deleted"]), "{types_member}");
        assert!(changed.is_disabled);
        assert_eq!((&changed.url, &changed.uid), (&created.url, &created.uid), "these stay");

        let change = EndpointChange {
            url: Some("https://other.example.com/".to_owned()),
            uid: Some("deskbell-other".to_owned()),
            events: Some(EventFilter::All),
            ..EndpointChange::default()
        };
        session.change_endpoint(&created.id, &change).await.unwrap();
        let [stored] = &api.endpoints()[..] else { panic!("one endpoint") };
        assert_eq!(stored.url, "https://other.example.com/");
        assert_eq!(stored.uid.as_deref(), Some("deskbell-other"));
        assert_eq!(stored.event_types, None, "{types_member}: all types");
        assert_eq!(stored.description, "Deskbell");
    }
}

#[tokio::test]
async fn an_endpoint_is_created_once_although_an_answer_is_lost() {
    let api = SenderApi::start(SenderApiOptions::default(), |request| {
        if request.number == 3 { Fault::Lost } else { Fault::None }
    });
    let api = api.await.unwrap();
    let session = client_of(&api).sender_session().await.unwrap();
    let created = session.create_endpoint(&new(EventFilter::All)).await.unwrap();
    assert_eq!(api.endpoints().len(), 1);
    assert_eq!(api.endpoints()[0].id, created.id);
    assert_eq!(api.requests().len(), 4);
}

#[tokio::test]
async fn what_the_sender_refuses_is_said_by_it() {
    let (_api, session) = session_with(SenderApiOptions::default()).await;
    let error = session.create_endpoint(&new(only(&["user.created", "a.b"]))).await.unwrap_err();
    let said = messages(&error);
    assert!(said.starts_with("failed to create the endpoint in Clerk's sender: "), "{said}");
    assert!(
        said.contains(
            r#"answered 422: body.filterTypes: The following type names don't exist: ["a.b"]"#
        ),
        "{said}"
    );
    assert_eq!(error.api_error().unwrap().code.as_deref(), Some("value_error"));

    session.create_endpoint(&new(EventFilter::All)).await.unwrap();
    let error = session.create_endpoint(&new(EventFilter::All)).await.unwrap_err();
    assert_eq!(error.api_error().unwrap().status, 409);
    let change = EndpointChange::default();
    let error = session.change_endpoint("ep_unknown", &change).await.unwrap_err();
    let said = messages(&error);
    assert!(said.starts_with("failed to change the endpoint in Clerk's sender: "), "{said}");
    assert_eq!(error.api_error().unwrap().status, 404);
    for id in ["", "..", "ep_1/secret"] {
        let error = session.change_endpoint(id, &change).await.unwrap_err();
        assert!(matches!(error, EndpointError::Id(_)), "{id}: {error:?}");
        let error = session.endpoint_secret(id).await.unwrap_err();
        assert!(matches!(error, ReadError::Id(_)), "{id}: {error:?}");
    }
}

#[tokio::test]
async fn a_secret_is_read_and_not_shown() {
    let (api, session) = session_with(SenderApiOptions::default()).await;
    let created = session.create_endpoint(&new(EventFilter::All)).await.unwrap();
    let secret = session.endpoint_secret(&created.id).await.unwrap().unwrap();
    assert_eq!(secret.expose(), api.endpoints()[0].secret);
    assert_eq!(format!("{secret:?}"), "<redacted>");
    assert!(session.endpoint_secret("ep_unknown").await.unwrap().is_none());
    assert!(session.endpoint("ep_unknown").await.unwrap().is_none());
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let types: Vec<_> = (0..251).map(|number| format!("type.n{number:03}")).collect();
    let event_types = Some(types.clone());
    let options = SenderApiOptions { event_types, ..SenderApiOptions::default() };
    let (api, session) = session_with(options).await;
    assert_eq!(session.event_types().await.unwrap(), types);
    for number in 0..600 {
        api.insert_endpoint(SimulatedEndpoint::new(&format!("https://{number}.example.com/")));
    }
    let endpoints = session.endpoints().await.unwrap();
    let urls: Vec<_> = endpoints.iter().map(|endpoint| endpoint.url.as_str()).collect();
    assert_eq!((urls.len(), urls[599]), (600, "https://599.example.com/"));

    let options = SenderApiOptions { event_types: None, ..SenderApiOptions::default() };
    let (_api, session) = session_with(options).await;
    assert!(session.event_types().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_list_without_end_is_an_error() {
    let endless = r#"{"data": [], "iterator": "ep_1", "done": false}"#;
    let api = SenderApi::start(SenderApiOptions::default(), move |request| {
        if request.method == "GET" { Fault::Body(endless.into()) } else { Fault::None }
    });
    let api = api.await.unwrap();
    let session = client_of(&api).sender_session().await.unwrap();
    let error = session.endpoints().await.unwrap_err();
    assert_eq!(error.to_string(), "the endpoints of Clerk's sender have more than 40 pages");
}

#[tokio::test]
async fn an_answer_of_another_form_is_an_error() {
    for body in ["", "[]", "{}", r#"{"data": [{"id": "ep_1"}], "done": true}"#, r#"{"data": []}"#] {
        let api = SenderApi::start(SenderApiOptions::default(), move |request| {
            if request.method == "GET" { Fault::Body(body.into()) } else { Fault::None }
        });
        let api = api.await.unwrap();
        let session = client_of(&api).sender_session().await.unwrap();
        let error = session.endpoints().await.unwrap_err();
        let expected =
            "failed to read the endpoints of Clerk's sender: the answer is not the expected JSON";
        assert_eq!(messages(&error), expected, "{body}");
    }
}
