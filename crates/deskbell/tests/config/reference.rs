//! The reference pages: what they list is what there is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use deskbell_delivery::template_reference::{self, Reference};
use deskbell_expr::{ROOTS, reference};
use deskbell_sync::entity::{self, Entity, Raw};
use deskbell_sync::reference::{ColumnReference, TableReference};

use super::{load, usual};

/// Set to write the generated part of the page anew.
const UPDATE: &str = "UPDATE_DOCS";
const BEGIN: &str = "<!-- generated: UPDATE_DOCS=1 cargo test -p deskbell reference -->\n";

fn page(name: &str) -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The names in backquotes that the rows of a table begin with, in the section of this heading.
fn listed(text: &str, heading: &str) -> BTreeSet<String> {
    let (_, section) = text.split_once(&format!("\n{heading}\n")).expect(heading);
    let section = section.split("\n#").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let first = rows.map(|row| row.split('|').nth(1).unwrap());
    first.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

/// Compares the generated part of a page, or writes it.
#[expect(
    clippy::disallowed_methods,
    reason = "it asks for another run of the test, not for a config"
)]
fn assert_page(name: &str, made: &str) {
    let (path, text) = page(name);
    let (head, shown) = text.split_once(BEGIN).expect("where the generated part begins");
    if std::env::var_os(UPDATE).is_some() {
        fs::write(path, format!("{head}{BEGIN}{made}")).unwrap();
        return;
    }
    assert!(shown == made, "docs/{name} is not what the code has: run its test with {UPDATE}=1");
}

#[test]
fn the_fields_of_every_entity_are_listed() {
    let mut made = String::new();
    for (root, fields) in reference::entities() {
        writeln!(made, "\n### `{root}`\n\n| field | holds |\n| --- | --- |").unwrap();
        for field in fields {
            let holds = field.holds.unwrap_or("");
            writeln!(made, "| `{}` | {holds} |", field.path).unwrap();
        }
    }
    assert_page("expressions.md", &made);
}

#[test]
fn everything_that_templates_can_call_is_listed() {
    let mut made = String::new();
    for (heading, first, references) in [
        ("Filters", "filter", template_reference::FILTERS),
        ("Tests", "test", template_reference::TESTS),
        ("Functions", "function", template_reference::FUNCTIONS),
    ] {
        write!(made, "\n## {heading}\n\n| {first} | meaning | example | renders to |\n").unwrap();
        made.push_str("| --- | --- | --- | --- |\n");
        for Reference { names, gives, example, rendered } in references {
            let (example, rendered) = (in_cell(example), in_cell(rendered));
            writeln!(made, "| {} | {gives} | {example} | {rendered} |", quoted(names)).unwrap();
        }
    }
    assert_page("templates.md", &made);
}

/// A text as code in a table.
fn in_cell(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_columns_of_every_table_are_listed() {
    let mut made = String::new();
    let tables = deskbell_sync::reference::tables().unwrap();
    made.push_str("\n## Tables\n\n| entity | tables |\n| --- | --- |\n");
    for own in tables.iter().filter(|table| table.list.is_none()) {
        let all = tables.iter().filter(|table| table.entity == own.entity);
        let all: Vec<_> = all.map(|table| format!("[`{0}`](#{0})", table.name)).collect();
        writeln!(made, "| `{}` | {} |", own.entity.name, all.join(", ")).unwrap();
    }
    made.push_str("\n## At the end of every table\n");
    write_columns(&mut made, &deskbell_sync::reference::last_columns().unwrap());
    for table in tables {
        writeln!(made, "\n## `{}`\n\n{}", table.name, described(&table)).unwrap();
        write_columns(&mut made, &table.columns);
    }
    assert_page("mirror-columns.md", &made);
}

/// Which rows a table has, and how they are found.
fn described(table: &TableReference) -> String {
    let entity = table.entity;
    let mut text = match table.list {
        Some(list) => format!("The elements of `{list}` of each `{}`", entity.name),
        None => format!("The entity `{}`, from {}", entity.name, quoted(entity.upserted_by)),
    };
    if table.list.is_none() {
        text.push_str(&life(entity));
    }
    text.push('.');
    if entity.raw == Raw::Columns {
        text.push_str(" `raw` holds only what the columns do.");
    }
    if !entity.by_default {
        text.push_str(" Only if `entities` names it.");
    }
    write!(text, " Primary key: {}.", quoted(&table.primary_key)).unwrap();
    let indexes: Vec<_> = table.indexes.iter().map(|columns| quoted(columns)).collect();
    if !indexes.is_empty() {
        write!(text, " Indexes: {}.", indexes.join("; ")).unwrap();
    }
    text
}

/// What else makes the rows of an entity's own table, and what deletes them.
fn life(entity: &Entity) -> String {
    let mut text = String::new();
    for holder in entity::ALL {
        for embedded in holder.embedded.iter().filter(|embedded| embedded.entity == entity.name) {
            write!(text, ", and from `{}` of each `{}`", embedded.list, holder.name).unwrap();
        }
    }
    let mut deleted = Vec::new();
    if !entity.deleted_by.is_empty() {
        deleted.push(format!("by {}", quoted(entity.deleted_by)));
    }
    deleted.extend(entity.parents.iter().map(|parent| format!("with its `{}`", parent.entity)));
    if !deleted.is_empty() {
        write!(text, "; deleted {}", deleted.join(" or ")).unwrap();
    }
    text
}

fn write_columns(made: &mut String, columns: &[ColumnReference]) {
    made.push_str("\n| column | SQLite | PostgreSQL | filled from |\n| --- | --- | --- | --- |\n");
    for ColumnReference { name, sqlite, postgres, source } in columns {
        writeln!(made, "| `{name}` | {sqlite} | {postgres} | {source} |").unwrap();
    }
}

#[test]
fn every_root_and_function_of_an_expression_is_listed() {
    let (_, text) = page("expressions.md");
    let roots = ROOTS.iter().map(|root| (*root).to_owned()).collect();
    assert_eq!(listed(&text, "## Roots"), roots);
    let called: BTreeSet<String> =
        reference::functions()[0].iter().map(ToString::to_string).collect();
    let [_, methods, macros] = reference::functions();
    let methods = methods.iter().chain(macros).filter(|name| !called.contains(**name));
    let known = called.iter().cloned().chain(methods.map(ToString::to_string)).collect();
    let shown = listed(&text, "## Functions");
    let name = |shown: &String| {
        let call = shown.split('(').next().unwrap_or_default();
        call.split('.').next_back().unwrap_or_default().to_owned()
    };
    assert_eq!(shown.iter().map(name).collect::<BTreeSet<_>>(), known);
}

#[test]
fn every_key_of_a_table_and_a_statement_is_listed() {
    let (_, text) = page("your-tables.md");
    for (section, heading) in [
        ("table", "### Keys of `[[destination.table]]`"),
        ("statement", "### Keys of `[[destination.statement]]`"),
    ] {
        let config = format!(
            "[[destination]]\nname = \"app\"\ntype = \"database\"\nurl = \"sqlite://a.db\"\n\
             [[destination.{section}]]\nzzz = 1\n"
        );
        let error = load(&config, &usual()).unwrap_err().replace(['│', '\n'], " ");
        let (_, known) = error.split_once("known keys here:").expect(&error);
        let known = known.split(',').map(|key| key.trim().to_owned()).collect();
        assert_eq!(listed(&text, heading), known, "{section}");
    }
}
