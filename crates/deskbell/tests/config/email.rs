//! `type = "email"`.

use deskbell::config::{DestinationKind, EmailConfig, EmailPreset, EmailProvider, StartFrom};

use deskbell_delivery::EmailChannel;

use super::{
    assert_rendered, assert_shown_is_read_again, destination_of, load, load_beside, usual,
};

/// An `email` destination through Resend with these keys.
pub(crate) fn email(keys: &str) -> String {
    format!(
        "[[destination]]\nname = \"welcome\"\ntype = \"email\"\nprovider = \"resend\"\n\
         api_key = \"re_hunter2\"\nfrom = \"Acme <hello@acme.example>\"\n{keys}\n"
    )
}

const WHOLE: &str = r#"
to = ["{{ user.primary_email_address }}", "us@acme.example"]
reply_to = "help@acme.example"
subject = "Welcome, {{ user.first_name }}"
text = "Hello"
html = "<p>Hello"
events = ["user.created"]
start = "beginning"
base_url = "http://127.0.0.1:9"
"#;

fn of(kind: DestinationKind) -> EmailConfig {
    match kind {
        DestinationKind::Email(email) => *email,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_key_is_read() {
    let email = of(destination_of(&email(WHOLE)).kind);
    assert_eq!(email.start, StartFrom::Beginning, "`from` is the sender");
    assert_eq!(email.from, "Acme <hello@acme.example>");
    assert_eq!(email.to, ["{{ user.primary_email_address }}", "us@acme.example"]);
    assert_eq!(email.reply_to, ["help@acme.example"]);
    assert_eq!(email.subject.as_deref(), Some("Welcome, {{ user.first_name }}"));
    assert_eq!(email.text.unwrap().text, "Hello");
    assert_eq!(email.html.unwrap().text, "<p>Hello");
    assert_eq!(email.provider, EmailProvider::Resend);
    assert_eq!(email.api_key.unwrap().expose(), "re_hunter2");
    assert_eq!(email.base_url.unwrap().to_string(), "http://127.0.0.1:9/");
}

fn smtp(keys: &str) -> String {
    let url = "url = \"smtps://me:hunter2@mail.example\"";
    email(&format!("{WHOLE}{keys}"))
        .replace("provider = \"resend\"", "provider = \"smtp\"")
        .replace("api_key = \"re_hunter2\"", url)
        .replace("base_url = \"http://127.0.0.1:9\"\n", "")
}

#[test]
fn a_mail_server_is_read() {
    let email = of(destination_of(&smtp("")).kind);
    assert_eq!(email.provider, EmailProvider::Smtp);
    let url = email.url.unwrap();
    assert_eq!(url.expose_secrets().as_str(), "smtps://me:hunter2@mail.example");
    assert_eq!(url.to_string(), "smtps://me:***@mail.example");
}

#[test]
fn certificate_authorities_of_a_mail_server_are_in_a_file_beside_the_config() {
    let pem = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap().cert.pem();
    let text = smtp("ca_certificates = \"ca.pem\"");
    let loaded = load_beside(&[("ca.pem", &pem)], &text).unwrap();
    let email = of(loaded.config.destinations[0].kind.clone());
    EmailChannel::new("welcome", &email).unwrap();
    let resend = super::email::email(&format!("{WHOLE}ca_certificates = \"ca.pem\""));
    assert_rendered("email_ca_of_smtp", &load_beside(&[("ca.pem", &pem)], &resend).unwrap_err());
}

#[test]
fn the_preset_needs_a_provider_and_a_sender_only() {
    let destination = destination_of(&email("preset = \"clerk\""));
    let delivery = destination.delivery.unwrap();
    assert_eq!(delivery.events.unwrap(), ["email.created"]);
    assert_eq!(delivery.when.as_deref(), Some("data.delivered_by_clerk == false"));
    let preset = of(destination.kind);
    assert_eq!(
        (preset.preset, preset.subject, preset.text),
        (Some(EmailPreset::Clerk), None, None)
    );
    let own = destination_of(&email("preset = \"clerk\"\nwhen = \"data.slug == 'invitation'\""));
    assert_eq!(own.delivery.unwrap().when.as_deref(), Some("data.slug == 'invitation'"));
}

#[test]
fn a_template_may_be_in_a_file_beside_the_config() {
    let text = email("to = \"a@b.example\"\nsubject = \"x\"\nhtml = \"file:welcome.html\"");
    let loaded = load_beside(&[("welcome.html", "<p>{{ user.id }}")], &text).unwrap();
    let shown = toml::to_string_pretty(&loaded.config).unwrap();
    assert!(shown.contains("html = \"file:welcome.html\""), "{shown}");
    let html = of(loaded.config.destinations[0].kind.clone()).html.unwrap();
    assert_eq!(html.text, "<p>{{ user.id }}");
    assert_rendered("email_missing_file", &load_beside(&[], &text).unwrap_err());
}

#[test]
fn what_is_shown_is_read_again() {
    assert_shown_is_read_again(&email(WHOLE), "re_x");
    assert_shown_is_read_again(&smtp(""), "re_x");
    assert_shown_is_read_again(&email("preset = \"clerk\""), "re_x");
}

#[test]
fn mistakes_say_what_where_and_how_to_mend_it() {
    for (name, text) in [
        ("email_without_recipient", email("")),
        ("email_without_subject", email("to = \"a@b.example\"")),
        ("email_without_body", email("to = \"a@b.example\"\nsubject = \"x\"")),
        ("email_from_is_the_sender", email("").replace("Acme <hello@acme.example>", "beginning")),
        ("email_bad_sender", email("").replace("Acme <hello@acme.example>", "Acme")),
        ("email_without_key", email(WHOLE).replace("api_key = \"re_hunter2\"\n", "")),
        ("email_url_of_smtp", email(&format!("{WHOLE}url = \"smtp://a:hunter2@b.example\""))),
        ("email_without_server", smtp("").replace("url = ", "# url = ")),
        ("email_key_of_resend", smtp("base_url = \"https://b.example\"")),
        ("email_provider", email("").replace("\"resend\"", "\"sendgrid\"")),
        ("email_preset", email("preset = \"clark\"")),
        ("email_smtp_scheme", smtp("").replace("smtps://", "https://")),
    ] {
        let error = load(&text, &usual()).expect_err(name);
        assert!(!error.contains("hunter2"), "{error}");
        assert_rendered(name, &error);
    }
}
