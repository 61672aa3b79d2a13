//! A column of an entity's table: what it holds, and where the entity's JSON has it.

use clerk_webhooks::payload::{Identifier, PrimaryId, primary};

use super::number;
use crate::json::Json;
use crate::value::{Kind, Value};

/// A column and its source. A value of another kind than the column's, or none, is null.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// Where the entity's JSON has the value.
    pub source: Source,
    /// Whether it has an index of its own.
    pub indexed: bool,
    /// Whether `""` is none: Clerk writes it where a payer has no email or name.
    pub blank_is_null: bool,
}

/// Where the entity's JSON has a column's value.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// The member with the column's name.
    Member,
    /// The first of these paths that leads to a value.
    Paths(&'static [&'static [&'static str]]),
    /// Of the objects in `list`, the [primary one](clerk_webhooks::payload::primary): its member
    /// `value`. It need not be the first of the list.
    Primary {
        /// The member that holds the list.
        list: &'static str,
        /// The member that holds the id of the primary one.
        id: &'static str,
        /// The member of the primary one that is wanted.
        value: &'static str,
    },
}

/// A column that holds a text.
pub(super) const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, source: Source::Member, indexed: false, blank_is_null: false }
}

/// A column that holds an id.
pub(super) const fn id(name: &'static str) -> Column {
    Column { kind: Kind::Id, ..text(name) }
}

/// A column that holds a number with every digit that it has.
pub(super) const fn decimal(name: &'static str) -> Column {
    Column { kind: Kind::Decimal, ..text(name) }
}

/// A column that holds a whole number.
pub(super) const fn integer(name: &'static str) -> Column {
    Column { kind: Kind::Integer, ..text(name) }
}

/// A column that holds true or false.
pub(super) const fn boolean(name: &'static str) -> Column {
    Column { kind: Kind::Boolean, ..text(name) }
}

/// A column that holds a moment.
pub(super) const fn time(name: &'static str) -> Column {
    Column { kind: Kind::Time, ..text(name) }
}

/// A column that holds JSON.
pub(super) const fn json(name: &'static str) -> Column {
    Column { kind: Kind::Json, ..text(name) }
}

impl Column {
    /// Filled from the first of these paths that leads to a value.
    pub(super) const fn from(self, paths: &'static [&'static [&'static str]]) -> Self {
        Self { source: Source::Paths(paths), ..self }
    }

    /// Filled from the member `value` of that object in `list` whose id is the member `id`.
    pub(super) const fn primary(
        self,
        list: &'static str,
        id: &'static str,
        value: &'static str,
    ) -> Self {
        Self { source: Source::Primary { list, id, value }, ..self }
    }

    /// With an index of its own, as people and deletes look rows up by it.
    pub(super) const fn indexed(self) -> Self {
        Self { indexed: true, ..self }
    }

    /// Null where the value is `""`.
    pub(super) const fn blank_is_null(self) -> Self {
        Self { blank_is_null: true, ..self }
    }

    /// The members of the entity's JSON that hold the value, which go where the column is excluded,
    /// and stay where only the columns' members do.
    /// A user's summary in other entities has an `identifier`, which is one of the primary values.
    pub(crate) fn members(&self) -> Vec<&'static str> {
        match self.source {
            Source::Member => vec![self.name],
            Source::Paths(paths) => paths.iter().filter_map(|path| path.first().copied()).collect(),
            Source::Primary { list, .. } => vec![list, "identifier"],
        }
    }

    /// The column's value, given how the members of the entity's object are found.
    pub(crate) fn read<'a>(&self, member: impl Fn(&str) -> Option<Json<'a>>) -> Value {
        let found = match self.source {
            Source::Member => member(self.name),
            Source::Paths(paths) => paths.iter().find_map(|path| {
                let (first, rest) = path.split_first()?;
                let found = rest.iter().try_fold(member(first)?, |json, name| json.member(name))?;
                (!self.is_missing(found)).then_some(found)
            }),
            Source::Primary { list, id, value } => {
                primary_of(member(list), member(id)).and_then(|primary| primary.member(value))
            }
        };
        let found = found.filter(|json| !self.is_missing(*json));
        found.map_or(Value::Null, |json| self.kind.read(json))
    }

    fn is_missing(&self, json: Json<'_>) -> bool {
        let blank_is_null = self.kind == Kind::Id || self.blank_is_null;
        json.is_null() || blank_is_null && json.is_empty_text()
    }
}

impl Kind {
    fn read(self, json: Json<'_>) -> Value {
        let value = match self {
            Self::Id | Self::Text => json.text().map(|text| Value::Text(text.into_owned())),
            Self::Integer => number::integer(json).map(Value::Integer),
            Self::Decimal => number::decimal(json).map(Value::Text),
            Self::Boolean => json.boolean().map(Value::Boolean),
            Self::Time => json.time().map(Value::Time),
            Self::Json => Some(Value::Json(json.cleaned().into_owned())),
        };
        value.unwrap_or(Value::Null)
    }
}

fn primary_of<'a>(list: Option<Json<'a>>, id: Option<Json<'a>>) -> Option<Json<'a>> {
    let id = match id.map(Json::text) {
        None => PrimaryId::Absent,
        Some(None) => PrimaryId::Null,
        Some(Some(id)) => PrimaryId::Id(id),
    };
    primary(&id, list?.elements(), |element| Identifier {
        id: element.member("id").and_then(Json::text),
        verified: element.member("verification").map(|verification| {
            verification.member("status").and_then(Json::text).is_some_and(|it| it == "verified")
        }),
    })
}
