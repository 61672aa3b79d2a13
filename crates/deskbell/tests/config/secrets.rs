//! Secrets never show: not in what is shown, not in `Debug`, not in an error.

use super::{environment, load};

/// Each secret of this config has this in it, in plain text or in base64.
const MARK: &str = "hunter2";
const SECRETS: &str = r#"
[server]
admin_token = "hunter2"
[[source]]
signing_secrets = ["whsec_hunter2hunter2hunter2hunter2hunt"]
[[destination]]
name = "app"
type = "http"
url = "https://a:hunter2@app.example/hook?token=hunter2"
secrets = ["whsec_hunter2hunter2hunter2hunter2hunt", { secret = "whsec_hunter2hunter2hunter2hunter2hunt", until = "2026-12-01T00:00:00Z" }]
[destination.headers]
x-auth = "Bearer hunter2"
x-key = "hunter2"
[[destination]]
name = "welcome"
type = "email"
provider = "smtp"
url = "smtp://me:hunter2@mail.example"
from = "a@b.example"
preset = "clerk"
[[destination]]
name = "resend"
type = "email"
provider = "resend"
api_key = 'hunter2'
base_url = "https://a:hunter2@api.example"
from = "a@b.example"
preset = "clerk"
[[destination]]
name = "ops"
type = "slack"
webhook_url = "https://hooks.slack.com/services/hunter2"
text = "hello"
[[destination]]
name = "loops"
type = "loops"
api_key = """
hunter2"""
[[destination]]
name = "db"
type = "database"
url = "postgres://a:hunter2@db/app"
"#;

#[test]
fn not_in_what_is_shown_and_not_in_debug() {
    let loaded = load(SECRETS, &environment(&[])).unwrap_or_else(|error| panic!("{error}"));
    let config = &loaded.config;
    for shown in [
        toml::to_string_pretty(config).unwrap(),
        serde_json::to_string(config).unwrap(),
        format!("{config:?}"),
        format!("{loaded:#?}"),
    ] {
        assert!(!shown.contains(MARK), "{shown}");
    }
}

/// An error next to each line, whatever is wrong with it.
#[test]
fn not_in_an_error_at_any_line() {
    let lines: Vec<_> = SECRETS.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        for broken in [
            format!("{key}x = {value}"),
            format!("x{key} = {value}"),
            format!("{line}\nunknown = 1"),
            format!("{key} = [7, {value}]"),
            format!("{key} = {{ name = {value} }}"),
        ] {
            if value == "\"\"\"" {
                continue;
            }
            let mut text = lines.clone();
            text[number] = &broken;
            if let Err(error) = load(&text.join("\n"), &environment(&[])) {
                assert!(!error.contains(MARK), "{broken}\n{error}");
            }
        }
    }
}

#[test]
fn not_from_a_variable() {
    for text in [
        "type = \"http\"\nurl = \"env:BAD\"\n",
        "type = \"http\"\nurl = \"https://a.example\"\nsecret = \"env:BAD\"\n",
        "type = \"slack\"\ntext = \"a\"\nwebhook_url = \"env:BAD\"\n",
        "type = \"email\"\nprovider = \"smtp\"\nfrom = \"a@b.example\"\nurl = \"env:BAD\"\n",
        "type = \"http\"\nurl = \"https://a.example\"\nheaders = { x-a = \"env:BAD\" }\n",
    ] {
        let text = format!("[[destination]]\nname = \"a\"\n{text}");
        let error = load(&text, &environment(&[("BAD", "hunter2\u{7}")])).unwrap_err();
        assert!(!error.contains(MARK), "{error}");
    }
}
