//! `prisma`: a model for every table, in the schema on PostgreSQL. Deskbell's own columns and tables are
//! there too, ignored by the client: what a schema does not have, Prisma's tools would drop.

use super::header::header;
use super::names::{camel, pascal, pascal_singular};
use super::tables::{ModelTables, is_own};
use crate::db::{Dialect, Table, TableColumn};
use crate::value::Kind;

pub(super) fn write(tables: &ModelTables<'_>) -> String {
    let models = tables.mirrored_first().map(|table| model(tables, table));
    header(tables, "prisma", &more(tables)) + &models.collect::<String>()
}

fn more(tables: &ModelTables<'_>) -> String {
    let externals: Vec<_> = tables
        .mirrored_first()
        .map(|table| match tables.dialect {
            Dialect::Postgres => format!("\"{}.{}\"", tables.schema, table.name),
            Dialect::Sqlite => format!("\"{}\"", tables.local_name(table)),
        })
        .collect();
    let schemas = match tables.dialect {
        Dialect::Postgres => format!(
            "In the datasource, name both schemas: schemas = [\"public\", \"{}\"].\n",
            tables.schema
        ),
        Dialect::Sqlite => {
            "Times are texts such as 2026-01-05T09:04:22.417Z, which sort as the times do, and JSON is text.\n"
                .to_owned()
        }
    };
    format!(
        "Save it beside your schema.prisma. The datasource and the generator stay yours.\n\
         {schemas}\
         In prisma.config.ts, tell `prisma migrate` that it does not manage these tables:\n\
         \n\
         \u{20}\u{20}experimental: {{ externalTables: true }},\n\
         \u{20}\u{20}tables: {{ external: [\n{}\n\u{20}\u{20}] }},\n\
         \n\
         `@ignore` and `@@ignore` keep Deskbell's own columns and tables out of the client. `prisma db pull` keeps the names.",
        wrapped(&externals)
    )
}

/// The names in lines of at most this many characters, one after the other.
fn wrapped(names: &[String]) -> String {
    const LINE_CHARACTERS_MAX: usize = 100;
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.len() + name.len() < LINE_CHARACTERS_MAX => {
                *line += &format!(" {name},");
            }
            _ => lines.push(format!("    {name},")),
        }
    }
    lines.join("\n")
}

fn model(tables: &ModelTables<'_>, table: &Table) -> String {
    let fields: Vec<_> =
        table.columns.iter().map(|column| field(tables.dialect, table, column)).collect();
    let widths = [0, 1].map(|part| fields.iter().map(|field| field[part].len()).max());
    let [names, kinds] = widths.map(Option::unwrap_or_default);
    let lines = fields.iter().map(|[name, kind, attributes]| {
        format!("  {name:names$} {kind:kinds$} {attributes}").trim_end().to_owned() + "\n"
    });
    let attributes = attributes(tables, table);
    let attributes = attributes.iter().map(|attribute| format!("  {attribute}\n"));
    format!(
        "\nmodel {} {{\n{}\n{}}}\n",
        model_name(tables, table),
        lines.collect::<String>(),
        attributes.collect::<String>()
    )
}

/// With the schema's name before it, because a model of the application's may be a `User` too.
fn model_name(tables: &ModelTables<'_>, table: &Table) -> String {
    let own = if is_own(table.name) { "Deskbell" } else { "" };
    format!("{}{own}{}", pascal(tables.schema), pascal_singular(table.name))
}

fn attributes(tables: &ModelTables<'_>, table: &Table) -> Vec<String> {
    let listed = |columns: &[&str]| {
        columns.iter().map(|column| field_name(column)).collect::<Vec<_>>().join(", ")
    };
    let mut attributes = Vec::new();
    if table.primary_key.len() > 1 {
        attributes.push(format!("@@id([{}])", listed(&table.primary_key)));
    }
    attributes
        .extend(table.indexes.iter().map(|columns| format!("@@index([{}])", listed(columns))));
    attributes.push(format!("@@map(\"{}\")", tables.local_name(table)));
    if is_own(table.name) {
        attributes.push("@@ignore".to_owned());
    }
    if tables.dialect == Dialect::Postgres {
        attributes.push(format!("@@schema(\"{}\")", tables.schema));
    }
    attributes
}

/// A field begins with a letter. `_message_id` must not become a second `messageId`.
fn field_name(column: &str) -> String {
    if is_own(column) { camel(&format!("deskbell{column}")) } else { camel(column) }
}

/// The field's name, type and attributes.
fn field(dialect: Dialect, table: &Table, column: &TableColumn) -> [String; 3] {
    let (kind, native) = scalar(dialect, column.kind);
    let name = field_name(column.name);
    let is_key = table.primary_key == [column.name];
    let null = if column.not_null { "" } else { "?" };
    let ignored = is_own(column.name) && !is_own(table.name);
    let attributes = [
        is_key.then(|| "@id".to_owned()),
        column.default.map(|default| format!("@default({})", default.replace('\'', "\""))),
        (name != column.name).then(|| format!("@map(\"{}\")", column.name)),
        (!native.is_empty()).then(|| native.to_owned()),
        ignored.then(|| "@ignore".to_owned()),
    ];
    let attributes: Vec<_> = attributes.into_iter().flatten().collect();
    [name, format!("{kind}{null}"), attributes.join(" ")]
}

/// The type of a field, and the attribute of its type in the database where that is another than Prisma
/// would choose.
fn scalar(dialect: Dialect, kind: Kind) -> (&'static str, &'static str) {
    match (dialect, kind) {
        (_, Kind::Id | Kind::Text) | (Dialect::Sqlite, Kind::Decimal | Kind::Time | Kind::Json) => {
            ("String", "")
        }
        (_, Kind::Integer) => ("BigInt", ""),
        (_, Kind::Boolean) => ("Boolean", ""),
        (Dialect::Postgres, Kind::Decimal) => ("Decimal", "@db.Decimal"),
        (Dialect::Postgres, Kind::Time) => ("DateTime", "@db.Timestamptz(6)"),
        (Dialect::Postgres, Kind::Json) => ("Json", ""),
    }
}
