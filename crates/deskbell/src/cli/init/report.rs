//! What `init` says in the end.

use std::path::Path;

use deskbell_sync::draft::DraftedColumn;
use schemars::JsonSchema;
use serde::Serialize;

use crate::init::{Choices, NewFile, gitignore_warning};

/// What was written, and what is left to do, as `--json` has it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct Report {
    /// The files that were written, or would be.
    files: Vec<ReportedFile>,
    /// The mapping of users into a table of the application's.
    table: Option<ReportedTable>,
    /// What has to be looked at.
    warnings: Vec<String>,
    /// The commands that come next.
    next: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReportedFile {
    path: String,
    /// What is in it, with `--print`.
    content: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReportedTable {
    into: String,
    /// The columns that are given values.
    columns: Vec<ReportedColumn>,
    /// The columns that nobody fills: no row can be inserted before that is mended.
    unfilled: Vec<UnfilledColumn>,
    /// The columns that are left as they are.
    untouched: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReportedColumn {
    column: String,
    /// `key`, `columns`, `on_insert` or `on_delete`.
    section: &'static str,
    /// The expression of its value.
    value: String,
    remark: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct UnfilledColumn {
    column: String,
    reason: String,
    fix: String,
}

impl Report {
    pub(super) fn new(
        choices: &Choices,
        files: &[NewFile],
        problems: Vec<String>,
        directory: &Path,
    ) -> Self {
        let path = |file: &NewFile| file.path.display().to_string();
        let files = files.iter().map(|file| ReportedFile { path: path(file), content: None });
        let index = choices.table.as_ref().and_then(|table| table.missing_index.as_ref());
        let index =
            index.map(|create| format!("the table waits for a unique index on its key: {create}"));
        let warnings = problems.into_iter().chain(index).chain(gitignore_warning(directory));
        Self {
            files: files.collect(),
            table: choices.table.as_ref().map(ReportedTable::new),
            warnings: warnings.collect(),
            next: next(choices, directory),
        }
    }

    pub(super) fn print_json(mut self, contents: Option<&Vec<NewFile>>) {
        for (file, content) in self.files.iter_mut().zip(contents.into_iter().flatten()) {
            file.content = Some(content.content.clone());
        }
        outln!("{:#}", serde_json::json!(self));
    }

    pub(super) fn print_text(&self) {
        for file in &self.files {
            outln!("wrote {}", file.path);
        }
        if let Some(table) = &self.table {
            table.print();
        }
        for warning in &self.warnings {
            errln!("warning: {warning}");
        }
        outln!("\nnext:");
        for command in &self.next {
            outln!("  {command}");
        }
    }
}

impl ReportedTable {
    fn new(draft: &deskbell_sync::draft::TableDraft) -> Self {
        let reported = |section: &'static str, columns: &[DraftedColumn]| -> Vec<ReportedColumn> {
            let reported = columns.iter().cloned().map(|one| ReportedColumn {
                column: one.column,
                section,
                value: one.value,
                remark: one.remark,
            });
            reported.collect()
        };
        let sections = [
            reported("key", std::slice::from_ref(&draft.key)),
            reported("columns", &draft.columns),
            reported("on_insert", &draft.on_insert),
            reported("on_delete", &draft.on_delete),
        ];
        let unfilled = draft.unfilled.iter().map(|column| UnfilledColumn {
            column: column.column.clone(),
            reason: column.reason(),
            fix: column.fix(),
        });
        Self {
            into: draft.into.clone(),
            columns: sections.into_iter().flatten().collect(),
            unfilled: unfilled.collect(),
            untouched: draft.untouched.clone(),
        }
    }

    fn print(&self) {
        outln!("\nusers go into {}:", self.into);
        let longest = |text: fn(&ReportedColumn) -> &str| {
            self.columns.iter().map(|one| text(one).chars().count()).max().unwrap_or_default()
        };
        let (width, values) = (longest(|one| &one.column), longest(|one| &one.value));
        for ReportedColumn { column, section, value, remark } in &self.columns {
            let section = if *section == "columns" { "" } else { section };
            let remark = remark.as_deref().unwrap_or_default();
            let separator = if section.is_empty() || remark.is_empty() { "" } else { ": " };
            let line = format!("  {column:width$}  {value:values$}  {section}{separator}{remark}");
            outln!("{}", line.trim_end());
        }
        if !self.untouched.is_empty() {
            outln!("left as they are: {}", self.untouched.join(", "));
        }
        for UnfilledColumn { column, reason, fix } in &self.unfilled {
            errln!("warning: {column} {reason}\n  fix: {fix}");
        }
    }
}

/// The files one after the other.
pub(super) fn print_files(files: &[NewFile]) {
    for file in files {
        outln!("==> {} <==\n{}", file.path.display(), file.content);
    }
}

fn next(choices: &Choices, directory: &Path) -> Vec<String> {
    let mut next = Vec::new();
    if directory != Path::new(".") {
        next.push(format!("cd {}", directory.display()));
    }
    next.push("cp .env.example .env    # and fill it in".to_owned());
    next.push("deskbell connect --url https://YOUR-HOST --write-env .env    # or copy the signing secret from Clerk's dashboard".to_owned());
    let check = if choices.compose.is_some() {
        "deskbell config check"
    } else {
        "deskbell config check --live"
    };
    next.push(check.to_owned());
    next.push(match choices.compose {
        Some(_) => "docker compose up --build --detach".to_owned(),
        None => "deskbell serve".to_owned(),
    });
    next.push("deskbell trigger user.created    # in another terminal".to_owned());
    next
}
