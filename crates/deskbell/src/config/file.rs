//! The file: read, parsed, and shown in errors with its secrets blotted out.

use std::ops::Range;
use std::path::Path;

use miette::NamedSource;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Fault, Place, Step};
use super::reader::Node;
use super::{Config, ConfigError, Environment};

/// Keys whose values are secrets, or may bear one.
const SECRET_KEYS: &[&str] = &["signing_secrets", "admin_token", "secret_key", "url"];

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
    let config = Config::deserialize(Node::root(&root, environment));
    let file = FileText(Some((name, text)));
    match config {
        Ok(config) => Ok((config, file)),
        Err(error) => Err(file.locate(error.into())),
    }
}

impl FileText {
    /// Where no file was read.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// The error for this fault, with the place in the file that it stands at.
    pub(super) fn locate(&self, fault: Fault) -> ConfigError {
        let Some((name, text)) = &self.0 else {
            return ConfigError::new(fault.message, fault.help);
        };
        // It was parsed before; once more costs nothing that an error would not pay.
        let root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => return syntax_error(name, text, &error),
        };
        let place = match fault.place {
            Place::Bytes(bytes) => Some(bytes),
            Place::Path(path) => Some(span(&root, &path)),
            Place::Nowhere => None,
        };
        let shown = NamedSource::new(name, blot_out_secrets(text, &root));
        ConfigError::in_file(fault.message, fault.help, shown, place)
    }
}

/// An error in the TOML itself. The text is not shown: it is not known which part is a secret.
fn syntax_error(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let place = error.span().map_or_else(String::new, |span| {
        let before = &text.as_bytes()[..span.start.min(text.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        format!(":{line}:{column}")
    });
    ConfigError::new(format!("{name}{place} is not TOML: {}", error.message()), None)
}

/// The bytes of the value under this path, or of the nearest one around it.
fn span(root: &Spanned<DeTable<'_>>, path: &[Step]) -> Range<usize> {
    let mut at = root.span();
    let mut table = Some(root.get_ref());
    let mut list = None;
    for step in path {
        let next = match step {
            Step::Key(key) => table.and_then(|table| table.get(*key)),
            Step::Index(index) => list.and_then(|list: &toml::de::DeArray<'_>| list.get(*index)),
        };
        let Some(next) = next else { break };
        at = next.span();
        table = next.get_ref().as_table();
        list = next.get_ref().as_array();
    }
    at
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
        if SECRET_KEYS.contains(&&**key.get_ref()) {
            blot_out(text, value);
        } else {
            blot_out_below(text, value);
        }
    }
}

fn blot_out_below(text: &mut [u8], value: &Spanned<DeValue<'_>>) {
    match value.get_ref() {
        DeValue::Table(table) => blot_out_in_table(text, table),
        DeValue::Array(list) => list.iter().for_each(|value| blot_out_below(text, value)),
        _ => {}
    }
}

fn blot_out(text: &mut [u8], value: &Spanned<DeValue<'_>>) {
    match value.get_ref() {
        DeValue::String(content) if is_public(content) => {}
        DeValue::Array(list) => list.iter().for_each(|value| blot_out(text, value)),
        _ => text[value.span()].fill(b'*'),
    }
}

/// References to variables, and addresses without credentials, may be shown.
fn is_public(content: &str) -> bool {
    content.starts_with("env:") || (content.contains("://") && !content.contains('@'))
}
