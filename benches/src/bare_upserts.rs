//! Upserts with nothing around them: no versions that guard them, no tombstones, no checkpoint.

use deskbell_sync::entity::{self, Kind};
use deskbell_sync::{Batch, Mappings, Row, Value};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe, Connection, PgConnection};

use crate::error::BenchError;

/// Rows for one table.
pub(crate) struct Rows {
    upsert: String,
    /// Removes the elements of these entities first, where it is a child table.
    replace: Option<(String, Vec<String>)>,
    kinds: Vec<Kind>,
    rows: Vec<Vec<Value>>,
}

/// What a batch comes to, ready to be written.
pub(crate) struct Work {
    tables: Vec<Rows>,
    /// The statement, and the ids that it removes.
    removals: Vec<(String, Vec<String>)>,
}

impl Work {
    /// `one_by_one`: a piece of work a row, as for one event each.
    pub(crate) fn of(batch: &Batch, mappings: &Mappings, one_by_one: bool) -> Vec<Self> {
        let mut works = Vec::new();
        for table in &batch.tables {
            let size = if one_by_one { 1 } else { table.rows.len() };
            for rows in table.rows.chunks(size.max(1)) {
                works.push(Self { tables: tables(mappings, table.entity, rows), removals: vec![] });
            }
        }
        for gone in &batch.tombstones {
            let Some(entity) = entity::find(gone.entity) else { continue };
            let sql = format!("DELETE FROM clerk.{} WHERE id = ANY($1)", entity.table);
            works.push(Self { tables: vec![], removals: vec![(sql, vec![gone.id.clone()])] });
        }
        if one_by_one { works } else { vec![merged(works)] }
    }

    /// Writes it in one transaction.
    pub(crate) async fn write(&self, connection: &mut PgConnection) -> Result<(), BenchError> {
        let mut transaction = connection.begin().await?;
        for table in &self.tables {
            if let Some((sql, ids)) = &table.replace {
                let query = sqlx::query(AssertSqlSafe(sql.clone())).bind(ids);
                query.execute(&mut *transaction).await?;
            }
            let mut arguments = PgArguments::default();
            for (index, kind) in table.kinds.iter().enumerate() {
                bind(&mut arguments, &table.rows, index, *kind);
            }
            let query = sqlx::query_with(AssertSqlSafe(table.upsert.clone()), arguments);
            query.execute(&mut *transaction).await?;
        }
        for (sql, ids) in &self.removals {
            sqlx::query(AssertSqlSafe(sql.clone())).bind(ids).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

fn merged(works: Vec<Work>) -> Work {
    let mut whole = Work { tables: Vec::new(), removals: Vec::new() };
    for work in works {
        whole.tables.extend(work.tables);
        for (sql, ids) in work.removals {
            match whole.removals.iter_mut().find(|(known, _)| *known == sql) {
                Some((_, known)) => known.extend(ids),
                None => whole.removals.push((sql, ids)),
            }
        }
    }
    whole
}

fn tables(mappings: &Mappings, entity: &entity::Entity, rows: &[Row]) -> Vec<Rows> {
    let Some(mapping) = mappings.of(entity) else { return Vec::new() };
    let own: Vec<_> = mapping.columns.iter().map(|column| (column.name, column.kind)).collect();
    let values = rows.iter().map(|row| whole_row(row.values.clone(), &row.raw, row)).collect();
    let mut tables = vec![Rows::new(entity.table, "id", own, values)];
    for (index, list) in entity.children.iter().enumerate() {
        let columns = list.columns.iter().map(|column| (column.name, column.kind));
        let columns = [(list.parent, Kind::Id)].into_iter().chain(columns).collect();
        let mut values = Vec::new();
        for row in rows {
            for child in row.children.get(index).into_iter().flatten() {
                let own = [vec![Value::Text(row.id.clone())], child.values.clone()].concat();
                values.push(whole_row(own, &child.raw, row));
            }
        }
        let ids = rows.iter().map(|row| row.id.clone()).collect();
        let sql = format!("DELETE FROM clerk.{} WHERE {} = ANY($1)", list.table, list.parent);
        let key = format!("{}, id", list.parent);
        let replace = Some((sql, ids));
        tables.push(Rows { replace, ..Rows::new(list.table, &key, columns, values) });
    }
    tables
}

fn whole_row(mut values: Vec<Value>, raw: &str, row: &Row) -> Vec<Value> {
    values.extend([
        Value::Json(raw.to_owned()),
        Value::Integer(row.version.updated_at_ms),
        Value::Integer(row.version.occurred_at_ms),
        Value::Integer(row.version.rank.stored()),
        Value::Text(row.version.message_id.clone()),
    ]);
    values
}

impl Rows {
    fn new(table: &str, key: &str, mut columns: Vec<(&str, Kind)>, rows: Vec<Vec<Value>>) -> Self {
        columns.extend([
            ("raw", Kind::Json),
            ("_updated_at_ms", Kind::Integer),
            ("_occurred_at_ms", Kind::Integer),
            ("_rank", Kind::Integer),
            ("_message_id", Kind::Id),
        ]);
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let given: Vec<_> = (1..=columns.len()).map(|index| format!("c{index}")).collect();
        let arrays = columns.iter().enumerate().map(|(index, (_, kind))| {
            let kind = match kind {
                Kind::Id | Kind::Text | Kind::Json | Kind::Decimal => "text",
                Kind::Integer | Kind::Time => "bigint",
                Kind::Boolean => "boolean",
            };
            format!("${}::{kind}[]", index + 1)
        });
        let read = columns.iter().zip(&given).map(|((_, kind), given)| match kind {
            Kind::Json => format!("{given}::jsonb"),
            Kind::Decimal => format!("{given}::numeric"),
            Kind::Time => format!("to_timestamp({given} / 1000.0)"),
            _ => given.clone(),
        });
        let set = names.iter().filter(|name| **name != "id");
        let set = set.map(|name| format!("{name} = excluded.{name}"));
        let upsert = format!(
            "INSERT INTO clerk.{table} ({}, _mapping_rev) SELECT {}, 1 FROM UNNEST({}) AS given ({})
             ON CONFLICT ({key}) DO UPDATE SET {}",
            names.join(", "),
            read.collect::<Vec<_>>().join(", "),
            arrays.collect::<Vec<_>>().join(", "),
            given.join(", "),
            set.collect::<Vec<_>>().join(", "),
        );
        let kinds = columns.iter().map(|(_, kind)| *kind).collect();
        Self { upsert, replace: None, kinds, rows }
    }
}

fn bind(arguments: &mut PgArguments, rows: &[Vec<Value>], index: usize, kind: Kind) {
    let cells = rows.iter().map(|row| &row[index]);
    let added = match kind {
        Kind::Id | Kind::Text | Kind::Json | Kind::Decimal => {
            let text = |value: &'_ Value| match value {
                Value::Text(text) | Value::Json(text) => Some(text.clone()),
                _ => None,
            };
            arguments.add(cells.map(text).collect::<Vec<_>>())
        }
        Kind::Integer | Kind::Time => {
            let integer = |value: &Value| match value {
                Value::Integer(integer) => Some(*integer),
                Value::Time(time) => Some(time.as_millis()),
                _ => None,
            };
            arguments.add(cells.map(integer).collect::<Vec<_>>())
        }
        Kind::Boolean => {
            let boolean = |value: &Value| match value {
                Value::Boolean(boolean) => Some(*boolean),
                _ => None,
            };
            arguments.add(cells.map(boolean).collect::<Vec<_>>())
        }
    };
    debug_assert!(added.is_ok());
}
