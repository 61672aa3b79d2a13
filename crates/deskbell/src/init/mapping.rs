//! The text of `[[destination.table]]`.

use std::fmt::Write as _;

use deskbell_sync::draft::{DraftedColumn, TableDraft, UnfilledColumn};

/// Where a remark begins, if the line leaves room for it.
const REMARK_COLUMN: usize = 35;

pub(super) fn table(draft: &TableDraft) -> String {
    let mut text = String::from(
        "\n[[destination.table]]               # users into a table of yours: docs/your-tables.md\n",
    );
    let _ = writeln!(text, "entity = \"user\"\ninto = {}", quoted(&draft.into));
    text += &on_delete(&draft.on_delete);
    if let Some(create) = &draft.missing_index {
        let _ = writeln!(text, "\n# The key has no unique index yet: {create}");
    }
    text += &section("key", &[line(&draft.key)]);
    text += &section("columns", &draft.columns.iter().map(line).collect::<Vec<_>>());
    let unfilled = draft.unfilled.iter().map(unfilled);
    text += &section(
        "on_insert",
        &draft.on_insert.iter().map(line).chain(unfilled).collect::<Vec<_>>(),
    );
    if !draft.untouched.is_empty() {
        let _ = writeln!(text, "\n# Left as they are: {}", draft.untouched.join(", "));
    }
    text
}

fn on_delete(set: &[DraftedColumn]) -> String {
    if set.is_empty() {
        return "on_delete = \"delete\"                # or \"keep\"\n".to_owned();
    }
    let columns = set.iter().map(|one| format!("{} = {}", key(&one.column), quoted(&one.value)));
    format!("on_delete = {{ set = {{ {} }} }}\n", columns.collect::<Vec<_>>().join(", "))
}

fn section(name: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("\n[destination.table.{name}]\n{}", lines.concat())
}

fn line(drafted: &DraftedColumn) -> String {
    let assignment = format!("{} = {}", key(&drafted.column), quoted(&drafted.value));
    match &drafted.remark {
        None => assignment + "\n",
        Some(remark) => format!("{assignment:REMARK_COLUMN$} # {remark}\n"),
    }
}

/// A line for the user to finish: without it the table waits.
fn unfilled(column: &UnfilledColumn) -> String {
    let example = column.example.as_deref().unwrap_or("…");
    format!(
        "# {} {}:\n# {} = {}\n",
        column.column,
        column.reason(),
        key(&column.column),
        quoted(example)
    )
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}
