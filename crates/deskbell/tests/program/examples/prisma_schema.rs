//! The example's `schema.prisma` has the tables that the program makes.

use std::collections::BTreeSet;

use super::directory;
use crate::program::support::{deskbell, finish};

#[tokio::test]
async fn the_schema_for_prisma_has_every_table_as_it_is() {
    let schema = std::fs::read_to_string(directory("prisma").join("schema.prisma")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = deskbell(elsewhere.path());
    let ran = finish(command.args(["schema", "print", "--dialect", "postgres"])).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (made, described) = (of_sql(&ran.stdout), of_prisma(&schema));
    let missing: Vec<_> = made.difference(&described).collect();
    let outdated: Vec<_> = described.difference(&made).collect();
    assert!(made.len() > 100, "{made:?}");
    assert!(
        missing.is_empty() && outdated.is_empty(),
        "missing {missing:#?} outdated {outdated:#?}"
    );
}

/// The columns, keys and indexes of a script, a line each.
fn of_sql(script: &str) -> BTreeSet<String> {
    let script = script.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = BTreeSet::new();
    for statement in script.split(';').map(str::trim) {
        if let Some(table) = statement.strip_prefix("CREATE TABLE \"clerk\".") {
            let (name, body) = table.split_once(" ( ").unwrap();
            let (columns, key) = body.split_once(", PRIMARY KEY (").unwrap();
            let name = unquoted(name);
            lines.extend(
                columns.split(", ").map(|column| format!("{name}: {}", sql_column(column))),
            );
            lines.insert(format!("{name}: key {}", unquoted(key.split_once(')').unwrap().0)));
        } else if let Some((_, index)) = statement.split_once(" ON \"clerk\".") {
            let (name, columns) = index.trim_end_matches(')').split_once(" (").unwrap();
            lines.insert(format!("{}: index {}", unquoted(name), unquoted(columns)));
        }
    }
    lines
}

fn sql_column(definition: &str) -> String {
    let (column, default) = definition.split_once(" DEFAULT ").unwrap_or((definition, ""));
    let mut words = column.split(' ');
    let (name, kind) = (unquoted(words.next().unwrap()), words.next().unwrap());
    let null = if column.contains(" NOT NULL") { "not null" } else { "null" };
    format!("{name} {kind} {null} {}", default.trim_matches('\''))
}

/// As [`of_sql`], of the models of a schema.
fn of_prisma(schema: &str) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for model in schema.split("\nmodel ").skip(1) {
        let body = model.split_once("{\n").unwrap().1.split_once("\n}").unwrap().0;
        let table = within(body, "@@map(\"", "\"").unwrap();
        for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let described = match line.strip_prefix("@@") {
                Some(attribute) => list(attribute),
                None => prisma_column(line),
            };
            lines.extend(described.map(|described| format!("{table}: {described}")));
            if let (true, Some((field, _))) = (line.ends_with(" @id"), line.split_once(' ')) {
                lines.insert(format!("{table}: key {field}"));
            }
        }
    }
    lines
}

/// A key or an index.
fn list(attribute: &str) -> Option<String> {
    let columns = within(attribute, "([", "])")?;
    match attribute.split_once('(')?.0 {
        "id" => Some(format!("key {columns}")),
        "index" => Some(format!("index {columns}")),
        _ => None,
    }
}

/// A field that is a column; `None` for a relation.
fn prisma_column(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let (field, kind) = (words.next()?, words.next()?);
    let name = within(line, "@map(\"", "\"").unwrap_or(field);
    let null = if kind.ends_with('?') { "null" } else { "not null" };
    let kind = match (kind.trim_end_matches('?'), within(line, "@db.", " ")) {
        ("String", None) => "text",
        ("Boolean", None) => "boolean",
        ("BigInt", None) => "bigint",
        ("Json", None) => "jsonb",
        ("DateTime", Some("Timestamptz(6)")) => "timestamptz",
        ("Decimal", Some("Decimal")) => "numeric",
        _ => return None,
    };
    let default = within(line, "@default(", ")").unwrap_or_default();
    Some(format!("{name} {kind} {null} {}", default.trim_matches('"')))
}

fn within<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after).map_or(rest, |(inside, _)| inside))
}

fn unquoted(names: &str) -> String {
    names.replace('"', "")
}
