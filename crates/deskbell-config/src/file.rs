//! The file: read, parsed, and shown in errors with its secrets redacted.

mod redact;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use miette::NamedSource;
use toml::Spanned;
use toml::de::{DeArray, DeTable};

use crate::error::{ConfigError, Fault, Span, Step};
use crate::lookup::Lookup;
use crate::{Environment, Node, ReadError};

/// A config file that was read, for errors that point into it.
#[derive(Debug, Default)]
pub struct ConfigFile(Option<FileContent>);

#[derive(Debug)]
struct FileContent {
    name: String,
    text: String,
    /// Whether the value that begins at this byte may be shown, for those that were read.
    shown: BTreeMap<usize, bool>,
}

impl ConfigFile {
    /// Reads the file, and has `read` type it. Relative paths in it begin at its directory.
    ///
    /// With `without`, a value that is missing (an unset variable, say) is left out where its key is
    /// among these, and [`Node::is_lenient`] is true.
    ///
    /// # Errors
    /// There is no such file, it is not TOML, or `read` refuses it.
    pub fn read<T>(
        path: &Path,
        environment: &Environment,
        without: Option<&[&str]>,
        read: impl FnOnce(Node<'_>) -> Result<T, ReadError>,
    ) -> Result<(T, Self), ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let help = "name an existing file with --config, or omit the flag";
            ConfigError::new(format!("{name} cannot be read: {error}"), help.to_owned())
        })?;
        let root = DeTable::parse(&text).map_err(|error| syntax_error(&name, &text, &error))?;
        let lookup = Lookup::new(environment, path.parent().unwrap_or(Path::new("")), without);
        let read = read(Node::root(&root, &lookup)).map_err(Fault::from);
        let shown = lookup.into_shown();
        let file = Self(Some(FileContent { name, text, shown }));
        match read {
            Ok(read) => Ok((read, file)),
            Err(fault) => Err(file.locate(fault)),
        }
    }

    /// The line on which the value under these keys begins, or the nearest one around it.
    #[must_use]
    pub fn line(&self, path: &[Step]) -> Option<usize> {
        let FileContent { text, .. } = self.0.as_ref()?;
        Some(line_of(text, span(&DeTable::parse(text).ok()?, path).start))
    }

    /// The fault in one line, with its line of the file.
    #[must_use]
    pub fn describe(&self, fault: &Fault) -> String {
        let line = self.0.as_ref().and_then(|FileContent { name, text, .. }| {
            let root = DeTable::parse(text).ok()?;
            let bytes = bytes_of(&fault.span, text, &root)?;
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

    /// The error for this fault, with its span in the file.
    #[must_use]
    pub fn locate(&self, fault: Fault) -> ConfigError {
        let Some(FileContent { name, text, shown }) = &self.0 else {
            return ConfigError::new(fault.message, fault.help);
        };
        // It was parsed before; once more costs nothing that an error would not pay.
        let root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => return syntax_error(name, text, &error),
        };
        let bytes = bytes_of(&fault.span, text, &root);
        let redacted = NamedSource::new(name, redact::unread(text, &root, shown));
        ConfigError::in_file(fault.message, fault.help, redacted, bytes)
    }
}

/// The bytes of the file at which a fault is.
fn bytes_of(at: &Span, text: &str, root: &Spanned<DeTable<'_>>) -> Option<Range<usize>> {
    match at {
        Span::Bytes(bytes) => Some(bytes.clone()),
        Span::Path(path) => Some(span(root, path)),
        Span::Within(path, byte) => Some(within(text, span(root, path), *byte)),
        Span::Nowhere => None,
    }
}

/// An error in the TOML itself. No values are shown, since none has been read.
fn syntax_error(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let message = format!("{name} is not valid TOML: {}", error.message());
    let shown = NamedSource::new(name, redact::broken(text));
    ConfigError::in_file(message, None, shown, error.span())
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
            Step::Index(index) => list.and_then(|list: &DeArray<'_>| list.get(*index)),
        };
        let Some(next) = next else { break };
        at = next.span();
        table = next.get_ref().as_table();
        list = next.get_ref().as_array();
    }
    at
}

/// A byte of a string's content as a byte of the file, where the string is written plainly; else the
/// whole string.
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
