//! From a table's columns to a draft. Pure.

use std::collections::BTreeSet;

use deskbell_expr::Kind;

use super::catalog::FoundTable;
use super::column::{DraftedColumn, UnfilledColumn};
use super::error::DraftError;
use super::names::plain;
use super::rules::{DELETED, KEYS, PRIMARY_EMAIL, Rule, rule_of};
use super::table_draft::TableDraft;
use crate::db::{ColumnClass, Dialect, LiveColumn, quoted};

/// What Clerk's id of a user is.
const ID: &str = "user.id";
/// What stands in for a time that Clerk does not give.
const NOW: &str = "occurred_at";

pub(super) fn draft(found: &FoundTable) -> Result<TableDraft, DraftError> {
    let key = key(found)?;
    let mut draft = TableDraft {
        into: found.into.clone(),
        key: DraftedColumn { remark: doubt(key), ..DraftedColumn::new(&key.name, ID) },
        columns: Vec::new(),
        on_insert: Vec::new(),
        on_delete: Vec::new(),
        unfilled: Vec::new(),
        missing_index: (!found.is_unique(key)).then(|| found.create_index(key)),
        untouched: Vec::new(),
    };
    let others = found.live.columns.iter();
    for column in others.filter(|column| column.name != key.name && !column.generated) {
        found.place(column, &mut draft);
    }
    Ok(draft)
}

/// The column that has Clerk's ids: one that is unique goes before one that is not.
fn key(found: &FoundTable) -> Result<&LiveColumn, DraftError> {
    let named = |name: &&'static str| {
        let mut columns = found.live.columns.iter();
        columns.find(|column| plain(&column.name) == **name && column.class == ColumnClass::Text)
    };
    let candidates: Vec<_> = KEYS.iter().filter_map(named).collect();
    let unique = candidates.iter().find(|column| found.is_unique(column));
    let key = unique.or(candidates.first()).copied().filter(|key| !key.generated);
    key.ok_or_else(|| {
        let create = format!("ALTER TABLE {} ADD COLUMN clerk_id text", found.live.name);
        let index = format!("CREATE UNIQUE INDEX ON {} (clerk_id)", found.live.name);
        let create = match found.dialect {
            Dialect::Postgres => format!("{create}; {index}"),
            Dialect::Sqlite => {
                format!("{create}; {}", index.replace("INDEX ON", "INDEX clerk_id_unique ON"))
            }
        };
        DraftError::NoKey { into: found.into.clone(), create }
    })
}

/// What to say of a key whose name does not say that it is Clerk's.
fn doubt(key: &LiveColumn) -> Option<String> {
    (!plain(&key.name).contains("clerk")).then(|| {
        "taken for Clerk's id of the user; if it holds ids of your own, add a column clerk_id"
            .to_owned()
    })
}

impl FoundTable {
    fn is_unique(&self, column: &LiveColumn) -> bool {
        let columns = BTreeSet::from([column.name.clone()]);
        let mut unique = self.live.unique.iter();
        unique.any(|index| index.flaw.is_none() && index.columns == columns)
    }

    fn create_index(&self, column: &LiveColumn) -> String {
        let table = self.into.split('.').next_back().unwrap_or_default();
        let name = quoted(&format!("{table}_{}_key", column.name));
        format!("CREATE UNIQUE INDEX {name} ON {} ({})", self.live.name, quoted(&column.name))
    }

    /// Puts the column where it belongs.
    fn place(&self, column: &LiveColumn, draft: &mut TableDraft) {
        let name = plain(&column.name);
        if let Some(rule) = rule_of(&name)
            && let Some(drafted) = self.value(column, rule)
        {
            let into = if rule.is_of_new_rows { &mut draft.on_insert } else { &mut draft.columns };
            into.push(drafted);
            return;
        }
        if DELETED.contains(&&*name)
            && let Some(value) = deleted(column)
        {
            draft.on_delete.push(DraftedColumn::new(&column.name, value));
        }
        if !is_needed(column) && !self.is_own_id(column) {
            draft.untouched.push(column.name.clone());
            return;
        }
        match self.generated_id(column) {
            Some(drafted) => draft.on_insert.push(drafted),
            None => draft.unfilled.push(self.unfilled(column)),
        }
    }

    /// Whether it identifies rows, although it may be null: SQLite lets a primary key be that.
    fn is_own_id(&self, column: &LiveColumn) -> bool {
        let is_open = column.class == ColumnClass::Text && column.default.is_none();
        is_open && plain(&column.name) == "id" && self.is_unique(column)
    }

    /// What the column is given by this rule, if it can hold that.
    fn value(&self, column: &LiveColumn, rule: &Rule) -> Option<DraftedColumn> {
        let takes = match (column.class, rule.kind) {
            // A time is a number of milliseconds: no text, and in which unit is an integer?
            (class, Kind::Time) => class == ColumnClass::Time,
            (class, Kind::Bool) => matches!(class, ColumnClass::Boolean | ColumnClass::Integer),
            (class, Kind::Json) => matches!(class, ColumnClass::Json | ColumnClass::Text),
            (class, _) => class == ColumnClass::Text,
        };
        if !takes {
            return None;
        }
        let mut drafted = DraftedColumn::new(&column.name, rule.value);
        if is_needed(column) {
            let instead = match rule.kind {
                Kind::Time => NOW,
                Kind::Bool => "false",
                Kind::Json => "{}",
                _ if rule.value == PRIMARY_EMAIL => "user.id + '@none.invalid'",
                _ if self.is_unique(column) => ID,
                _ => "''",
            };
            drafted.value = format!("default({}, {instead})", rule.value);
            if rule.kind == Kind::Text {
                drafted.remark = Some("must not be null, and not every user has it".to_owned());
            }
        }
        if (column.class, rule.kind) == (ColumnClass::Integer, Kind::Bool) {
            drafted.value = format!("{} ? 1 : 0", drafted.value);
        }
        Some(drafted)
    }

    /// An id that the application's client would generate, as Prisma's `@default(cuid())` does.
    fn generated_id(&self, column: &LiveColumn) -> Option<DraftedColumn> {
        let value = match (column.class, column.base.to_ascii_lowercase().as_str()) {
            (_, "uuid") => "uuid()",
            (ColumnClass::Text, _) if plain(&column.name) == "id" => "cuid()",
            _ => return None,
        };
        self.is_unique(column).then(|| DraftedColumn {
            remark: Some("the database has no default for it".to_owned()),
            ..DraftedColumn::new(&column.name, value)
        })
    }

    fn unfilled(&self, column: &LiveColumn) -> UnfilledColumn {
        let name = &column.name;
        let labels = self.labels.get(name).cloned().unwrap_or_default();
        let mut keys = self.live.foreign_keys.iter();
        let refers_to = keys.find(|key| key.columns.contains(name)).map(|key| key.parent.clone());
        let example = match (column.class, labels.first()) {
            _ if refers_to.is_some() => None,
            (_, Some(label)) => Some(format!("'{}'", label.replace('\'', "\\'"))),
            (ColumnClass::Text, _) => Some("''".to_owned()),
            (ColumnClass::Integer | ColumnClass::Number, _) => Some("0".to_owned()),
            (ColumnClass::Boolean, _) => Some("false".to_owned()),
            (ColumnClass::Time, _) => Some(NOW.to_owned()),
            (ColumnClass::Json, _) => Some("{}".to_owned()),
            (ColumnClass::Array, _) => Some("[]".to_owned()),
            (ColumnClass::Clock | ColumnClass::Other, _) => None,
        };
        let set_default = (self.dialect == Dialect::Postgres && refers_to.is_none()).then(|| {
            format!("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT …", self.live.name, quoted(name))
        });
        let (column, type_name) = (name.clone(), column.type_name.clone());
        UnfilledColumn { column, type_name, labels, refers_to, example, set_default }
    }
}

/// What says of a deleted user's row that it is deleted.
fn deleted(column: &LiveColumn) -> Option<&'static str> {
    match column.class {
        ColumnClass::Time => Some(NOW),
        ColumnClass::Boolean => Some("true"),
        _ => None,
    }
}

/// Whether a new row must be given a value for it.
fn is_needed(column: &LiveColumn) -> bool {
    column.not_null && column.default.is_none()
}
