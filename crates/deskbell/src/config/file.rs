//! The file: read, parsed, and shown in errors with its secrets blotted out.

use std::ops::Range;
use std::path::Path;

use miette::NamedSource;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Fault, Place, Step};
use super::lookup::Lookup;
use super::reader::Node;
use super::{Config, ConfigError, DestinationKind, Environment};

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

/// A config file's name and text, for errors that point into it.
pub(super) struct FileText(Option<(String, String)>);

/// Reads and types the file. Values are not yet held against each other.
pub(super) fn read(
    path: &Path,
    environment: &Environment,
) -> Result<(Config, FileText), ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let help = "name a file that is there with --config, or leave the flag out";
        ConfigError::new(format!("{name} cannot be read: {error}"), help.to_owned())
    })?;
    let root = DeTable::parse(&text).map_err(|error| syntax_error(&name, &text, &error))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let lookup = Lookup { environment, directory };
    let config = Config::read(Node::root(&root, &lookup)).map_err(Fault::from);
    let config = config.and_then(|mut config| {
        note_lines(&mut config, &text, &root);
        read_templates(&mut config, directory)?;
        Ok(config)
    });
    let file = FileText(Some((name, text)));
    match config {
        Ok(config) => Ok((config, file)),
        Err(fault) => Err(file.locate(fault)),
    }
}

/// Reads the files that hold templates.
fn read_templates(config: &mut Config, directory: &Path) -> Result<(), Fault> {
    for (index, destination) in config.destinations.iter_mut().enumerate() {
        for (key, template) in destination.kind.templates_mut() {
            template.read_file(directory).map_err(|message| {
                let at = vec![Step::Key("destination"), Step::Index(index), Step::Key(key)];
                Fault::at(at, message)
                    .with_help("a path after `file:` is relative to the config file")
            })?;
        }
    }
    Ok(())
}

/// Has each mapped table and statement know the line that it begins on.
fn note_lines(config: &mut Config, text: &str, root: &Spanned<DeTable<'_>>) {
    for (index, destination) in config.destinations.iter_mut().enumerate() {
        let DestinationKind::Database(database) = &mut destination.kind else { continue };
        let line = |list, number| {
            let place = [Step::Key("destination"), Step::Index(index), Step::Key(list)];
            let element = span(root, &[&place[..], &[Step::Index(number)]].concat());
            Some(line_of(text, element.start))
        };
        for (number, table) in database.tables.iter_mut().enumerate() {
            table.line = line("table", number);
        }
        for (number, statement) in database.statements.iter_mut().enumerate() {
            statement.line = line("statement", number);
        }
    }
}

impl FileText {
    /// Where no file was read.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// The fault in one line, with its line of the file.
    pub(super) fn describe(&self, fault: &Fault) -> String {
        let line = self.0.as_ref().and_then(|(name, text)| {
            let root = DeTable::parse(text).ok()?;
            let bytes = bytes_of(&fault.place, text, &root)?;
            Some(format!("{name}:{}: ", line_of(text, bytes.start)))
        });
        let mut described = line.unwrap_or_default() + &fault.message;
        let mut help = fault.help.as_deref().unwrap_or_default().chars();
        if let Some(first) = help.next() {
            if fault.message.ends_with('?') {
                described.extend([' ', first.to_ascii_uppercase()]);
            } else {
                described.extend([';', ' ', first]);
            }
            described.push_str(help.as_str());
        }
        described
    }

    /// The error for this fault, with its place in the file.
    pub(super) fn locate(&self, fault: Fault) -> ConfigError {
        let Some((name, text)) = &self.0 else {
            return ConfigError::new(fault.message, fault.help);
        };
        // It was parsed before; once more costs nothing that an error would not pay.
        let root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => return syntax_error(name, text, &error),
        };
        let place = bytes_of(&fault.place, text, &root);
        let shown = NamedSource::new(name, blot_out_secrets(text, &root));
        ConfigError::in_file(fault.message, fault.help, shown, place)
    }
}

/// The bytes of the file at which a fault is.
fn bytes_of(place: &Place, text: &str, root: &Spanned<DeTable<'_>>) -> Option<Range<usize>> {
    match place {
        Place::Bytes(bytes) => Some(bytes.clone()),
        Place::Path(path) => Some(span(root, path)),
        Place::Within(path, byte) => Some(within(text, span(root, path), *byte)),
        Place::Nowhere => None,
    }
}

/// An error in the TOML itself. The text is not shown: it is not known which part is a secret.
fn syntax_error(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let place = error.span().map_or_else(String::new, |span| {
        let before = &text.as_bytes()[..span.start.min(text.len())];
        let line = line_of(text, span.start);
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        format!(":{line}:{column}")
    });
    ConfigError::new(format!("{name}{place} is not TOML: {}", error.message()), None)
}

fn line_of(text: &str, byte: usize) -> usize {
    let before = &text.as_bytes()[..byte.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The bytes of the value under this path, or of the nearest one around it.
fn span(root: &Spanned<DeTable<'_>>, path: &[Step]) -> Range<usize> {
    let mut at = root.span();
    let mut table = Some(root.get_ref());
    let mut list = None;
    for step in path {
        let next = match step {
            Step::Key(key) => table.and_then(|table| table.get(*key)),
            Step::Name(name) => table.and_then(|table| table.get(name.as_str())),
            Step::Index(index) => list.and_then(|list: &toml::de::DeArray<'_>| list.get(*index)),
        };
        let Some(next) = next else { break };
        at = next.span();
        table = next.get_ref().as_table();
        list = next.get_ref().as_array();
    }
    at
}

/// The place in the file of a byte of a string's content, where the string is written plainly; else
/// the whole string.
fn within(text: &str, value: Range<usize>, byte: usize) -> Range<usize> {
    let written = &text[value.clone()];
    let quotes =
        ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| written.starts_with(quotes));
    let Some(quotes) = quotes else { return value };
    let mut content = &written[quotes.len()..];
    if quotes.len() == 3 {
        // A line break right behind the quotes is not part of it.
        content = content.strip_prefix("\r\n").or(content.strip_prefix('\n')).unwrap_or(content);
    }
    let start = value.start + (written.len() - content.len()) + byte;
    let is_plain = !content.contains('\\') && !content.starts_with("env:");
    if is_plain && start < value.end { start..start + 1 } else { value }
}

/// The text with the content of every secret replaced by `*`, byte for byte.
fn blot_out_secrets(text: &str, root: &Spanned<DeTable<'_>>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
