//! The file: read, parsed, and shown in errors with its secrets redacted.

mod redact;

use std::ops::Range;
use std::path::Path;

use miette::NamedSource;
use toml::Spanned;
use toml::de::DeTable;

use super::error::{Fault, Place, Step};
use super::lookup::Lookup;
use super::reader::Node;
use super::{Config, ConfigError, DestinationKind, Environment, Read};

/// A config file's name and text, for errors that point into it.
pub(super) struct FileText(Option<(String, String)>);

/// Reads and types the file. Values are not yet held against each other.
pub(super) fn read(
    path: &Path,
    environment: &Environment,
    is_lenient: bool,
) -> Result<(Read, FileText), ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let help = "name a file that is there with --config, or leave the flag out";
        ConfigError::new(format!("{name} cannot be read: {error}"), help.to_owned())
    })?;
    let root = DeTable::parse(&text).map_err(|error| syntax_error(&name, &text, &error))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let lookup = Lookup { environment, directory, is_lenient };
    let read = Config::read(Node::root(&root, &lookup)).map_err(Fault::from);
    let read = read.and_then(|mut read| {
        note_lines(&mut read, &text, &root);
        read.config.server.resolve(directory);
        read_templates(&mut read, directory)?;
        Ok(read)
    });
    let file = FileText(Some((name, text)));
    match read {
        Ok(read) => Ok((read, file)),
        Err(fault) => Err(file.locate(fault)),
    }
}

/// Reads the files that hold templates.
fn read_templates(read: &mut Read, directory: &Path) -> Result<(), Fault> {
    for (index, destination) in read.destinations_mut() {
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
fn note_lines(read: &mut Read, text: &str, root: &Spanned<DeTable<'_>>) {
    for (index, destination) in read.destinations_mut() {
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
        let shown = NamedSource::new(name, redact::secrets(text, &root));
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

/// An error in the TOML itself. Of the lines that may hold a secret the values are not shown.
fn syntax_error(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let message = format!("{name} is not TOML: {}", error.message());
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
