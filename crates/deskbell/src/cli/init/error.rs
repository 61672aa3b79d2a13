//! Why nothing is written.

use std::io;

use deskbell_sync::ConnectError;
use deskbell_sync::draft::DraftError;
use miette::Diagnostic;

#[derive(Debug, thiserror::Error, Diagnostic)]
pub(super) enum Error {
    #[error("{what}: {fault}")]
    #[diagnostic(help(
        "expected sqlite://FILE, postgres://USER:PASSWORD@HOST/DATABASE or env:NAME"
    ))]
    Location { what: &'static str, fault: String },
    #[error("the variable {name} is not set, and the table can only be read from its database")]
    #[diagnostic(help(
        "set it, also in .env, or pass the URL itself with --database: the config will not contain it"
    ))]
    NotSet { name: String },
    #[error("--set {given}: expected COLUMN=EXPRESSION")]
    #[diagnostic(help("for example --set \"plan='free'\""))]
    Assignment { given: String },
    #[error("cannot draft a mapping for table `{table}`")]
    #[diagnostic(help("name the table with --table, and its database with --database"))]
    Draft { table: String, source: DraftError },
    #[error("the mapping makes no sense")]
    #[diagnostic(help(
        "correct the values of --set; docs/expressions.md lists what they can name"
    ))]
    Expression(#[source] ConnectError),
    #[error("the answers ended early; nothing was written")]
    #[diagnostic(help("with --yes nothing is asked"))]
    NoAnswer,
    #[error("cannot read the answer; nothing was written")]
    Read(#[source] io::Error),
}
