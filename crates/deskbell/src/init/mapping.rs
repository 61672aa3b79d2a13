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
        let _ = writeln!(text, "\n# The key has no unique index yet: {}", one_line(create));
    }
    text += &section("key", &[line(&draft.key)]);
    text += &section("columns", &draft.columns.iter().map(line).collect::<Vec<_>>());
    let unfilled = draft.unfilled.iter().map(unfilled);
    text += &section(
        "on_insert",
        &draft.on_insert.iter().map(line).chain(unfilled).collect::<Vec<_>>(),
    );
    if !draft.untouched.is_empty() {
        let _ = writeln!(text, "\n# Left as they are: {}", one_line(&draft.untouched.join(", ")));
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
        Some(remark) => format!("{assignment:REMARK_COLUMN$} # {}\n", one_line(remark)),
    }
}

/// A line for the user to finish: without it the table waits.
fn unfilled(column: &UnfilledColumn) -> String {
    let example = column.example.as_deref().unwrap_or("…");
    format!(
        "# {} {}:\n# {} = {}\n",
        one_line(&column.column),
        one_line(&column.reason()),
        key(&column.column),
        quoted(example)
    )
}

/// What a database calls something, so that it stays in the comment that it is in.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A text as TOML writes it, in one line.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            character => quoted.push(character),
        }
    }
    quoted + "\""
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}
