//! A file's text without its secrets.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys whose values are secrets.
const SECRET_KEYS: &[&str] = &[
    "signing_secrets",
    "signing_secret",
    "admin_token",
    "secret_key",
    "secret",
    "secrets",
    "api_key",
    "webhook_url",
    "headers",
    "password",
];
/// Keys whose values are addresses, which may bear a secret.
const ADDRESS_KEYS: &[&str] = &["url", "base_url"];
/// Words of a key whose value is a secret, whatever else is in it.
const SECRET_WORDS: &[&str] = &["secret", "token", "password"];
/// How like a key must be to one of these to be taken for it, of 1.0 for equal ones.
const LIKENESS_MIN: f64 = 0.65;
/// What secrets begin with that were written under another key.
const SECRET_BEGINNINGS: &[&str] =
    &["whsec_", "whsk_", "sk_live_", "sk_test_", "re_", "https://hooks.slack.com/"];

/// The text with the content of every secret replaced by `*`, byte for byte.
pub(super) fn secrets(text: &str, root: &Spanned<DeTable<'_>>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    blot_out_in_table(&mut bytes, root.get_ref());
    // Only whole string literals were replaced, by ASCII.
    String::from_utf8(bytes).unwrap_or_default()
}

fn blot_out_in_table(text: &mut [u8], table: &DeTable<'_>) {
    for (key, value) in table {
        match secrecy(key.get_ref()) {
            Some(secrecy) => blot_out(text, value, secrecy),
            None => blot_out_below(text, value),
        }
    }
}

fn blot_out_below(text: &mut [u8], value: &Spanned<DeValue<'_>>) {
    match value.get_ref() {
        DeValue::Table(table) => blot_out_in_table(text, table),
        DeValue::Array(list) => list.iter().for_each(|value| blot_out_below(text, value)),
        DeValue::String(content) if looks_secret(content) => text[value.span()].fill(b'*'),
        _ => {}
    }
}

/// How much of a value may be shown.
#[derive(Clone, Copy)]
enum Secrecy {
    /// Nothing.
    Whole,
    /// An address without credentials and options.
    Address,
}

/// That of a key's value. A key that is written like one of a secret is taken for it: an error about
/// the wrong key must not show what stands there.
fn secrecy(key: &str) -> Option<Secrecy> {
    let is_like = |keys: &[&str]| {
        let likeness = |known| strsim::normalized_damerau_levenshtein(key, known);
        keys.iter().any(|known| likeness(known) >= LIKENESS_MIN)
    };
    if is_like(SECRET_KEYS) || SECRET_WORDS.iter().any(|word| key.contains(word)) {
        Some(Secrecy::Whole)
    } else if is_like(ADDRESS_KEYS) {
        Some(Secrecy::Address)
    } else {
        None
    }
}

fn blot_out(text: &mut [u8], value: &Spanned<DeValue<'_>>, secrecy: Secrecy) {
    match value.get_ref() {
        DeValue::String(content) if content.starts_with("env:") => {}
        DeValue::String(content) if matches!(secrecy, Secrecy::Address) && is_public(content) => {}
        DeValue::Array(list) => list.iter().for_each(|value| blot_out(text, value, secrecy)),
        // The bytes of a table may be its head alone.
        DeValue::Table(table) => {
            let secrets = table.iter().filter(|(key, _)| key.get_ref() != "until");
            secrets.for_each(|(_, value)| blot_out(text, value, secrecy));
        }
        _ => text[value.span()].fill(b'*'),
    }
}

/// Addresses without credentials and options may be shown.
fn is_public(content: &str) -> bool {
    content.contains("://") && !content.contains(['@', '?']) && !looks_secret(content)
}

/// Whether a value is a secret, whatever its key.
fn looks_secret(content: &str) -> bool {
    SECRET_BEGINNINGS.iter().any(|beginning| content.trim_start().starts_with(beginning))
}

/// The text of a file that cannot be parsed, so that it is not known where its values begin and end:
/// a line with a key that is not one of a secret's is shown, of all others the structure alone.
pub(super) fn broken(text: &str) -> String {
    text.split_inclusive('\n').map(broken_line).collect()
}

fn broken_line(line: &str) -> String {
    let is_header = line.trim_start().starts_with('[') && !line.contains(['"', '\'']);
    let (key, value) = line.split_once('=').unwrap_or(("", line));
    let name = key.trim().trim_matches(['"', '\'']);
    let is_shown = !name.is_empty() && secrecy(name).is_none() && is_harmless(value);
    if is_header || is_shown || line.trim_start().starts_with('#') && is_harmless(line) {
        return line.to_owned();
    }
    let hide = |c: char| if c.is_ascii_alphanumeric() || "+/_-:@.%".contains(c) { '*' } else { c };
    let hidden: String = value.chars().map(hide).collect();
    if name.is_empty() { hidden } else { format!("{key}={hidden}") }
}

/// Whether there is no other key in it, and nothing that looks like a secret.
fn is_harmless(value: &str) -> bool {
    !value.contains(['=', '@', '?'])
        && !SECRET_BEGINNINGS.iter().any(|beginning| value.contains(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_that_is_not_toml_secrets_are_not_shown() {
        let text = "[server]\nlisten = \"127.0.0.1:0\nadmin_token = \"s3cret\"\nurl = \"postgres://u:s3cret@h/d\"\n\
                    signing_secrets = [\n  \"whsec_s3cret\",\n]\nx = { secret = \"s3cret\" \ntext = \"whsec_s3cret\"\n";
        let shown = broken(text);
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("listen = \"127.0.0.1:0\n"), "{shown}");
        assert_eq!(shown.len(), text.len());
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        let plain = [
            "name",
            "type",
            "sources",
            "events",
            "when",
            "enabled",
            "from",
            "start",
            "retry",
            "schedule",
            "then_every",
            "until",
            "timeout",
            "ordering",
            "rate_limit",
            "schema",
            "key",
            "columns",
            "entities",
            "exclude_columns",
            "include_columns",
            "text",
            "html",
            "subject",
            "blocks",
            "to",
            "reply_to",
            "header_family",
            "signature",
            "allow_hosts",
            "listen",
            "path",
            "params",
            "set",
            "body_bytes_max",
            "tolerance",
            "mirror",
            "lisen_address",
        ];
        let hidden: Vec<_> = plain.iter().filter(|key| secrecy(key).is_some()).collect();
        assert!(hidden.is_empty(), "{hidden:?}");
        for key in ["secret", "scret", "api_kye", "webhok_url", "signing_secret", "header", "uri"] {
            assert!(secrecy(key).is_some(), "{key}");
        }
    }
}
