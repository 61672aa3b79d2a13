//! From parsed TOML to typed values, with the place of every mistake, and `"env:NAME"` and
//! `"file:NAME"` looked up.

use std::fmt::Display;
use std::ops::Range;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Fault, Place};
use super::lookup::Lookup;
use super::{nearest, template};

/// A value that did not fit, and where it stands once that is known.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct ReadError {
    message: String,
    help: Option<String>,
    bytes: Option<Range<usize>>,
    /// Whether the value is not where the config says.
    is_missing: bool,
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        let place = error.bytes.map_or(Place::Nowhere, Place::Bytes);
        Self { message: error.message, help: error.help, place }
    }
}

impl ReadError {
    /// A mistake at these bytes of the file.
    pub(super) fn new(message: impl Into<String>, bytes: Range<usize>) -> Self {
        Self { message: message.into(), help: None, bytes: Some(bytes), is_missing: false }
    }

    /// Why the value is not where the config says, if that is what is wrong.
    pub(super) fn missing(&self) -> Option<&str> {
        self.is_missing.then_some(&self.message)
    }

    /// With advice on how to mend it.
    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The innermost value that is at fault is the place; those around it change nothing.
    fn at(mut self, bytes: Range<usize>) -> Self {
        self.bytes.get_or_insert(bytes);
        self
    }
}

impl Error for ReadError {
    fn custom<T: Display>(message: T) -> Self {
        Self { message: message.to_string(), help: None, bytes: None, is_missing: false }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string() {
            number if number.starts_with(['u', 'i']) && number.len() <= 5 => {
                "a whole number".to_owned()
            }
            other => other,
        };
        Self::custom(format_args!("{found} stands where {expected} belongs"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let help = Some(suggest(variant, expected, "values"));
        Self { message: format!("unknown value `{variant}`"), help, bytes: None, is_missing: false }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let help = Some(suggest(field, expected, "keys"));
        Self { message: format!("unknown key `{field}`"), help, bytes: None, is_missing: false }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("the key `{field}` is missing here"))
    }
}

/// The known words, the one that is most likely meant first.
pub(super) fn suggest(word: &str, known: &[&str], what: &str) -> String {
    let known_here = format!("known {what} here: {}", known.join(", "));
    match nearest::meant(word, known) {
        Some(near) => format!("did you mean `{near}`? {known_here}"),
        None => known_here,
    }
}

/// A value of the file.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    value: Value<'a>,
    lookup: &'a Lookup<'a>,
    /// Whether this is a table of which each reader takes the keys that it knows.
    is_shared: bool,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Root(&'a Spanned<DeTable<'a>>),
    Inner(&'a Spanned<DeValue<'a>>),
}

impl<'a> Node<'a> {
    pub(super) fn root(root: &'a Spanned<DeTable<'a>>, lookup: &'a Lookup<'a>) -> Self {
        Self { value: Value::Root(root), lookup, is_shared: false }
    }

    fn inner(self, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { value: Value::Inner(value), is_shared: false, ..self }
    }

    /// The same table for several readers: a struct that is read from it sees its own keys alone.
    pub(super) fn shared(self) -> Self {
        Self { is_shared: true, ..self }
    }

    /// Whether what lacks a secret is left out.
    pub(super) fn is_lenient(self) -> bool {
        self.lookup.is_lenient
    }

    /// Where it stands.
    pub(super) fn bytes(self) -> Range<usize> {
        match self.value {
            Value::Root(root) => root.span(),
            Value::Inner(value) => value.span(),
        }
    }

    fn table(self) -> Option<&'a DeTable<'a>> {
        match self.value {
            Value::Root(root) => Some(root.get_ref()),
            Value::Inner(value) => value.get_ref().as_table(),
        }
    }

    /// The value under a key, where this is a table that has it.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.table()?.get(key).map(|value| self.inner(value))
    }

    /// The keys of a table in the order in which they are written, and where each stands.
    pub(super) fn keys(self) -> impl Iterator<Item = (&'a str, Range<usize>)> {
        let entries = self.table().map(|table| Table::new(self, table).rest);
        entries.into_iter().flatten().map(|(key, _)| (&**key.get_ref(), key.span()))
    }

    /// The elements of a list.
    pub(super) fn elements(self) -> Result<impl Iterator<Item = Self>, ReadError> {
        match self.value {
            Value::Inner(value) if value.get_ref().is_array() => {
                let list = value.get_ref().as_array().into_iter().flatten();
                Ok(list.map(move |element| self.inner(element)))
            }
            _ => Err(ReadError::new("a list of tables belongs here", self.bytes())),
        }
    }

    /// The text that this value refers to, if it refers to one: in a variable or in a file.
    fn referred_to(self) -> Result<Option<String>, ReadError> {
        let Value::Inner(value) = self.value else { return Ok(None) };
        let Some(text) = value.get_ref().as_str() else { return Ok(None) };
        self.lookup.find(text).transpose().map_err(|missing| ReadError {
            message: missing.message,
            help: Some(missing.help),
            bytes: None,
            is_missing: true,
        })
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if let Some(text) = self.referred_to()? {
            return visitor.visit_string(text);
        }
        let value = match self.value {
            Value::Root(root) => return visitor.visit_map(Table::new(self, root.get_ref())),
            Value::Inner(value) => value.get_ref(),
        };
        match value {
            DeValue::String(text) => visitor.visit_str(text),
            DeValue::Boolean(value) => visitor.visit_bool(*value),
            DeValue::Integer(number) => {
                let value = i64::from_str_radix(number.as_str(), number.radix());
                visitor.visit_i64(value.map_err(ReadError::custom)?)
            }
            DeValue::Float(number) => {
                visitor.visit_f64(number.as_str().parse().map_err(ReadError::custom)?)
            }
            DeValue::Datetime(time) => visitor.visit_string(time.to_string()),
            DeValue::Array(list) => visitor.visit_seq(List { node: self, rest: list.iter() }),
            DeValue::Table(table) => visitor.visit_map(Table::new(self, table)),
        }
    }

    /// A number or a truth value that a variable or a file holds as text.
    fn visit_scalar<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let Some(text) = self.referred_to()? else { return self.visit(visitor) };
        if let Ok(value) = text.trim().parse() {
            visitor.visit_bool(value)
        } else if let Ok(value) = text.trim().parse() {
            visitor.visit_i64(value)
        } else if let Ok(value) = text.trim().parse() {
            visitor.visit_f64(value)
        } else {
            visitor.visit_string(text)
        }
    }

    /// One value stands for a list of one.
    fn visit_list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value {
            Value::Inner(value) if value.get_ref().is_str() => {
                visitor.visit_seq(List { node: self, rest: std::slice::from_ref(value).iter() })
            }
            _ => self.visit(visitor),
        }
    }
}

macro_rules! scalars {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            self.visit_scalar(visitor).map_err(|error| error.at(self.bytes()))
        })*
    };
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.visit(visitor).map_err(|error| error.at(self.bytes()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.value {
            // It reads its file by itself, and is named after it in errors.
            Value::Inner(value) if name == template::NAME => match value.get_ref().as_str() {
                Some(text) if template::is_file(text) => {
                    visitor.visit_newtype_struct(StrDeserializer::<ReadError>::new(text))
                }
                _ => visitor.visit_newtype_struct(self),
            },
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.visit_list(visitor).map_err(|error| error.at(self.bytes()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let text: String = serde::Deserialize::deserialize(self)?;
        visitor
            .visit_enum(StrDeserializer::<ReadError>::new(&text))
            .map_err(|error| error.at(self.bytes()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let read = match self.table() {
            Some(table) if self.is_shared => {
                let node = Self { is_shared: false, ..self };
                visitor.visit_map(Table::of_keys(node, table, keys))
            }
            _ => self.visit(visitor),
        };
        read.map_err(|error| error.at(self.bytes()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    scalars! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct map identifier
    }
}

/// A key and its value.
type Entry<'a> = (&'a Spanned<toml::de::DeString<'a>>, &'a Spanned<DeValue<'a>>);

struct Table<'a> {
    node: Node<'a>,
    rest: std::vec::IntoIter<Entry<'a>>,
    value: Option<&'a Spanned<DeValue<'a>>>,
}

impl<'a> Table<'a> {
    /// The table's entries in the order in which they are written.
    fn new(node: Node<'a>, table: &'a DeTable<'a>) -> Self {
        let is_needed =
            |(key, value): &Entry<'a>| !node.lookup.is_left_out(key.get_ref(), value.get_ref());
        let mut entries: Vec<Entry<'a>> = table.iter().filter(is_needed).collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        Self { node, rest: entries.into_iter(), value: None }
    }

    /// Those of the entries that have one of these keys.
    fn of_keys(node: Node<'a>, table: &'a DeTable<'a>, keys: &[&str]) -> Self {
        let all = Self::new(node, table);
        let rest: Vec<_> = all.rest.filter(|(key, _)| keys.contains(&&**key.get_ref())).collect();
        Self { rest: rest.into_iter(), ..all }
    }
}

impl<'de> MapAccess<'de> for Table<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(StrDeserializer::<ReadError>::new(key.get_ref()))
            .map(Some)
            .map_err(|error| error.at(key.span()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let value = self.value.take().ok_or_else(|| ReadError::custom("a value before its key"))?;
        seed.deserialize(self.node.inner(value)).map_err(|error| error.at(value.span()))
    }
}

struct List<'a> {
    node: Node<'a>,
    rest: std::slice::Iter<'a, Spanned<DeValue<'a>>>,
}

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        let element = seed.deserialize(self.node.inner(value));
        element.map(Some).map_err(|error| error.at(value.span()))
    }
}
