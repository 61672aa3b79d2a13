//! `deskbell init`: the files that a new installation begins with.

mod choices;
mod config_text;
mod deployment;
mod env_example;
mod files;
mod gitignore;
mod location;
mod mapping;
mod templates;

use std::path::Path;

pub(crate) use choices::{Choices, Compose, DATABASE_VARIABLE};
pub(crate) use files::{FileError, NewFile, check_absent, write_all};
pub(crate) use gitignore::warning as gitignore_warning;
pub(crate) use location::Location;

impl Choices {
    /// The files, each with its path in the directory.
    pub(crate) fn files(&self, directory: &Path) -> Vec<NewFile> {
        let file = |name: &str, content| NewFile { path: directory.join(name), content };
        let mut files = vec![
            file("deskbell.toml", config_text::config(self)),
            file(".env.example", env_example::example(self)),
        ];
        if let Some(compose) = self.compose {
            files.push(file("compose.yaml", deployment::compose(compose)));
        }
        if self.systemd {
            files.push(file("deskbell.service", deployment::systemd()));
        }
        files
    }
}
