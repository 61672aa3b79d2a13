//! Texts of messages: templates, written in the config or in a file beside it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most bytes that a template's file may have.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What a value that names a file begins with.
const FILE: &str = "file:";
/// The type's name where it is read.
pub(super) const NAME: &str = "Template";

/// Whether this text names the template's file.
pub(super) fn is_file(text: &str) -> bool {
    text.starts_with(FILE)
}

/// A template: its text, or `"file:NAME"`, a path relative to the config file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// The text of the template; with a `file`, what was in it when the config was read.
    pub text: String,
    /// The file as the config names it; `None` where the config holds the text itself.
    pub file: Option<PathBuf>,
}

impl Template {
    /// Reads the file, where there is one.
    pub(super) fn read_file(&mut self, directory: &Path) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let path = directory.join(file);
        let unreadable = |error| format!("{} cannot be read: {error}", path.display());
        let bytes = std::fs::metadata(&path).map_err(unreadable)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(format!(
                "{} has {bytes} bytes; a template may have {FILE_BYTES_MAX}",
                path.display()
            ));
        }
        self.text = std::fs::read_to_string(&path).map_err(unreadable)?;
        Ok(())
    }
}

/// A template as the config has it.
#[derive(Deserialize)]
#[serde(rename = "Template")]
struct Text(String);

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        Ok(match text.strip_prefix(FILE) {
            Some(file) => Self { text: String::new(), file: Some(PathBuf::from(file.trim())) },
            None => Self { text, file: None },
        })
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.file {
            Some(file) => serializer.collect_str(&format_args!("{FILE}{}", file.display())),
            None => serializer.serialize_str(&self.text),
        }
    }
}
