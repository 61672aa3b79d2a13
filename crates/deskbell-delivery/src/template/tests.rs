//! Tests of templates.

use deskbell_expr::{EventParts, EventView};
use serde_json::{Value as Json, json};

use super::*;

mod limits;
mod reference;

fn render_of(escape: Escape, text: &str, data: &Json) -> Result<String, TemplateError> {
    let parts = EventParts {
        id: "msg_1",
        event_type: "user.created",
        source: "clerk",
        subject: Some("user_1"),
        occurred_at_ms: 1_716_883_200_000,
        instance_id: None,
    };
    let template = Template::compile("text", text, escape).expect(text);
    template.render(Some(&EventView::of_data(parts, data, &[])))
}

fn render(text: &str) -> String {
    let data = json!({
        "id": "user_1", "first_name": "Mira", "last_name": null,
        "primary_email_address_id": "idn_1",
        "email_addresses": [{ "id": "idn_1", "email_address": "mira@example.com" }],
        "public_metadata": { "plan": "pro", "seats": 3, "tags": ["a", null, "b"] },
    });
    render_of(Escape::Text, text, &data).expect(text)
}

#[test]
fn the_roots_and_what_is_missing() {
    for (text, expected) in [
        ("{{ id }} {{ type }} {{ source }} {{ subject }}", "msg_1 user.created clerk user_1"),
        ("{{ occurred_at }}", "2024-05-28T08:00:00.000Z"),
        (
            "{{ user.primary_email }} {{ user.primary_email_address }}",
            "mira@example.com mira@example.com",
        ),
        ("{{ user.full_name }} {{ data.public_metadata.seats }}", "Mira 3"),
        (
            "[{{ user.last_name }}{{ data.no.such.path }}{{ instance_id }}{{ organization.name }}]",
            "[]",
        ),
        ("{{ user.first_name ~ ' ' ~ user.last_name }}|", "Mira |"),
        ("{{ user.last_name | upper }}|{{ user.last_name | default('?') }}", "|?"),
        ("{% if user.last_name %}a{% else %}b{% endif %}", "b"),
        (
            "{{ user.last_name is none }} {{ data.a.b.c is none }} {{ user.first_name is none }}",
            "true true false",
        ),
        (
            "{{ user.last_name == null }} {{ data.a.b == null }} {{ user.first_name == null }}",
            "true true false",
        ),
        ("{% for tag in user.public_metadata.tags %}{{ tag }},{% endfor %}", "a,,b,"),
        ("{% for e in user.email_addresses %}{{ loop.index }}{{ e.id }}{% endfor %}", "1idn_1"),
        ("{% set x = user.first_name %}{{ x }}", "Mira"),
        ("{{ user.first_name[0:1] }}{{ data['first_name'][1:] }}", "Mira"),
        (
            "{{ user.public_metadata | tojson }}",
            r#"{"plan":"pro","seats":3,"tags":["a",null,"b"]}"#,
        ),
    ] {
        assert_eq!(render(text), expected, "{text}");
    }
}

#[test]
fn values_are_escaped_for_where_they_go() {
    let data = json!({ "first_name": "<!here> & \"Co\"\n\\u", "list": ["<a>"], "n": 3 });
    for (escape, text, expected) in [
        (Escape::Text, "{{ user.first_name }}", "<!here> & \"Co\"\n\\u"),
        (
            Escape::Html,
            "<b>{{ user.first_name }}</b>",
            "<b>&lt;!here&gt; &amp; &quot;Co&quot;\n\\u</b>",
        ),
        (Escape::Html, "{{ user.first_name | safe }}", "<!here> & \"Co\"\n\\u"),
        (Escape::Slack, "<x|{{ user.first_name }}>", "<x|&lt;!here&gt; &amp; \"Co\"\n\\u>"),
        (Escape::Slack, "{{ '<!here>' | safe }}", "<!here>"),
        (Escape::SlackBlocks, r#""{{ user.first_name }}""#, r#""&lt;!here&gt; &amp; \"Co\"\n\\u""#),
        (Escape::SlackBlocks, "{{ data.list | tojson }}", r#"["&lt;a&gt;"]"#),
        (Escape::SlackBlocks, "{{ data.n }}{{ data.none | tojson }}", "3null"),
        (
            Escape::SlackBlocks,
            r#"{% autoescape false %}"{{ user.first_name }}"{% endautoescape %}"#,
            r#""&lt;!here&gt; &amp; \"Co\"\n\\u""#,
        ),
        (
            Escape::SlackBlocks,
            r#"{% set x %}{{ user.first_name }}{% endset %}"{{ x }}""#,
            r#""&lt;!here&gt; &amp; \"Co\"\n\\u""#,
        ),
        (Escape::Address, "{{ user.first_name }} <a@b.c>", " !here  &  Co   u <a@b.c>"),
        (Escape::Address, "{{ ['a@b.c', 'd@e.f,g@h.i'] | join(', ') }}", "a@b.c, d@e.f g@h.i"),
    ] {
        assert_eq!(render_of(escape, text, &data).as_deref(), Ok(expected), "{escape:?} {text}");
    }
    assert!(render_of(Escape::SlackBlocks, "{{ data.n | safe }}", &data).is_err());
}

#[test]
fn mistakes_are_found_at_start() {
    for (text, expected) in [
        ("{{ usr.name }}", "template text, line 1: unknown name `usr`, did you mean `user`?"),
        ("{{ zzzzz }}", "template text, line 1: unknown name `zzzzz`"),
        (
            "\n{% if user.banned %}{{ user.frist_name }}{% endif %}",
            "template text, line 2: `user` has no field `frist_name`, did you mean `first_name`? A field \
             that this version does not know can be reached as `data.frist_name`",
        ),
        (
            "{% for e in user.emial_addresses %}{{ e.id }}{% endfor %}",
            "template text, line 1: `user` has no field `emial_addresses`, did you mean \
             `email_addresses`? A field that this version does not know can be reached as \
             `data.emial_addresses`",
        ),
        (
            "a\nb {% if user %}",
            "template text, line 2: unexpected end of input, expected end of block",
        ),
        ("{% include 'x' %}", "template text, line 1: unknown statement include"),
        ("{{ debug() }}", "template text, line 1: unknown name `debug`"),
        (
            "\n{% if data.a != none %}x{% endif %}",
            "template text, line 2: write `is none` or `is not none` in place of a comparison",
        ),
    ] {
        let error = Template::compile("text", text, Escape::Text).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }
    for text in ["{{ 'a == none' is none }} == none", "{% if data.x == 'none' %}y{% endif %}"] {
        let compiled = Template::compile("text", text, Escape::Text);
        assert!(compiled.is_ok(), "{text}: {compiled:?}");
    }
}

#[test]
fn failures_bear_no_values() {
    let data = json!({ "secret": "hunter2" });
    for (text, expected) in [
        ("\n{{ data.secret | round }}", "template text, line 2: invalid operation"),
        ("{{ data.secret | nofilter }}", "template text, line 1: unknown filter"),
        ("{{ data.secret.x() }}", "template text, line 1: unknown method"),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            "template text, line 1: it needs too many steps, or too much memory for intermediate values",
        ),
        (
            "{% for a in range(15000) %}{{ data.secret }}{{ '0123456789' * 7 }}{% endfor %}",
            "template text: its output is larger than 1048576 bytes",
        ),
    ] {
        let error = render_of(Escape::Text, text, &data).unwrap_err().to_string();
        assert_eq!(error, expected);
        assert!(!error.contains("hunter2"));
    }
}

#[test]
fn samples_find_what_compiling_cannot() {
    let compile = |text| Template::compile("subject", text, Escape::Text).unwrap();
    assert_eq!(compile("{{ user.full_name }}").check(&["user.created", "no.such.type"]), []);
    let failures = compile("{{ user.created_at | upcase }}").check(&["user.created"]);
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].reason, "template subject, line 1: unknown filter");
}

#[test]
fn samples_find_fields_that_are_asked_for_in_other_ways() {
    for (text, said) in [
        ("{% for e in user.email_addresses %}{{ e.emial_address }}{% endfor %}", "`emial_address`"),
        ("{{ user['frist_name'] }}", "`frist_name`, did you mean `first_name`?"),
        ("{{ user.email_addresses[0].verification.stauts }}", "`stauts`"),
        ("{% set u = user %}{{ u.frist_name }}", "`frist_name`"),
        ("{{ user.email_addresses | map(attribute='emial_address') | join }}", "`emial_address`"),
    ] {
        let template = Template::compile("text", text, Escape::Text).unwrap();
        let failures = template.check(&["user.created"]);
        assert_eq!(failures.len(), 1, "{text}");
        assert!(failures[0].reason.contains(said), "{text}: {}", failures[0].reason);
    }
    for text in [
        "{% for e in user.email_addresses %}{{ e.email_address }}{{ loop.index }}{% endfor %}",
        "{{ user | tojson }} {{ user }} {% for name in user %}{{ name }}{% endfor %}",
        "{{ user.public_metadata.any.thing }} {{ user.public_metadata['x'] }} {{ organization.name }}",
        "{{ user.email_addresses | selectattr('id', 'equalto', user.primary_email_address_id) | list | length }}",
        "{% if 'first_name' in user %}{{ user | length }}{% endif %}",
    ] {
        let template = Template::compile("text", text, Escape::Text).unwrap();
        assert_eq!(template.check(&["user.created", "user.deleted"]), [], "{text}");
    }
}

#[test]
fn a_path_that_no_sample_has_deserves_a_word() {
    let unknown = |text: &str, event_types: &[&str]| {
        let template = Template::compile("text", text, Escape::Text).unwrap();
        template.unknown_paths(event_types)
    };
    assert_eq!(
        unknown("{{ data.frist_name }} {{ data.public_metadata.x }}", &["user.created"]),
        ["template text: `data` has no field `frist_name`, did you mean `first_name`?"]
    );
    assert_eq!(unknown("{{ data.frist_name }}", &[]), [""; 0]);
    assert_eq!(unknown("{% set x = data.id %}{{ x }}", &["user.created"]), [""; 0]);
}

#[test]
fn what_no_value_holds_hides_nothing_else() {
    let parts = EventParts {
        id: "msg_1",
        event_type: "user.created",
        source: "clerk",
        subject: Some("user_1"),
        occurred_at_ms: 0,
        instance_id: None,
    };
    let deep = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    for odd in [&*deep(126), &*deep(200_000), r#""\ud800""#, "1e400"] {
        let body = format!(
            r#"{{"type":"user.created","event_attributes":{{"http_request":{{"client_ip":"::1"}}}},
            "data":{{"first_name":"Mira","unsafe_metadata":{{"x":{odd}}}}}}}"#
        );
        let view = EventView::of_body(parts, body.as_bytes());
        for escape in [Escape::Text, Escape::Html, Escape::Slack, Escape::SlackBlocks] {
            let text = "{{ user.full_name }} {{ event_attributes.http_request.client_ip }}";
            let render = |text| {
                let template = Template::compile("text", text, escape).unwrap();
                template.render(Some(&view))
            };
            assert_eq!(render(text).unwrap(), "Mira ::1", "{odd:.9}");
            assert!(render("{{ data }} {{ data | tojson }}").is_ok(), "{odd:.9}");
        }
    }
}
