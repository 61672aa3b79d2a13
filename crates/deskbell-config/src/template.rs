//! Texts that are in files beside the config.

use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

/// The most bytes that such a file may have.
pub(crate) const BYTES_MAX: u64 = 1 << 20;
/// What a value that names a file begins with.
pub(crate) const FILE: &str = "file:";
/// The name under which the reader is asked for a text that is always in a file.
pub(crate) const FILE_TEXT: &str = "FileText";

/// A template: its text, or `"file:NAME"`, a path relative to the config file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "TemplateParts")]
pub struct TemplateText {
    /// The text of the template; with a `file`, what was in it when the config was read.
    pub text: String,
    /// The file as the config names it; `None` where the config has the text itself.
    pub file: Option<PathBuf>,
}

/// A file whose text is read with the config: a path relative to the config file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "FileParts")]
pub struct FileText {
    /// What was in it when the config was read.
    pub text: String,
    /// The file as the config names it.
    pub file: PathBuf,
}

/// What the reader gives: the file, or nothing, and the text.
#[derive(Deserialize)]
#[serde(rename = "TemplateText")]
struct TemplateParts(PathBuf, String);

#[derive(Deserialize)]
#[serde(rename = "FileText")]
struct FileParts(PathBuf, String);

impl From<TemplateParts> for TemplateText {
    fn from(TemplateParts(file, text): TemplateParts) -> Self {
        Self { text, file: Some(file).filter(|file| !file.as_os_str().is_empty()) }
    }
}

impl From<FileParts> for FileText {
    fn from(FileParts(file, text): FileParts) -> Self {
        Self { text, file }
    }
}

impl From<&str> for TemplateText {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), file: None }
    }
}

impl Serialize for TemplateText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.file {
            Some(file) => serializer.collect_str(&format_args!("{FILE}{}", file.display())),
            None => serializer.serialize_str(&self.text),
        }
    }
}

impl Serialize for FileText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.file.serialize(serializer)
    }
}
