//! From parsed TOML to typed values, with the span of every mistake, and `"env:NAME"` and
//! `"file:NAME"` looked up.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Fault, Span};
use crate::lookup::Lookup;
use crate::{Environment, endpoint_url, nearest, secret_text, template};

/// What the known keys of a table are listed after.
pub const KEYS_HERE: &str = "known keys here:";

/// A value that did not fit, and its span once that is known.
#[derive(Debug, Default, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    message: String,
    help: Option<String>,
    bytes: Option<Range<usize>>,
    /// Whether the value is not where the config says.
    is_missing: bool,
    /// The key at fault of the table that was read.
    key: Option<&'static str>,
    /// The keys of a struct, for [`keys_of`].
    keys: &'static [&'static str],
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        let span = error.bytes.map_or(Span::Nowhere, Span::Bytes);
        Self { message: error.message, help: error.help, span }
    }
}

impl ReadError {
    /// A mistake at these bytes of the file.
    #[must_use]
    pub fn new(message: impl Into<String>, bytes: Range<usize>) -> Self {
        Self { message: message.into(), bytes: Some(bytes), ..Self::default() }
    }

    /// Why the value is not where the config says, if that is what is wrong.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        self.is_missing.then_some(&self.message)
    }

    /// With advice on how to fix it.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The span is that of the innermost value at fault; those around it change nothing.
    fn at(mut self, bytes: Range<usize>) -> Self {
        self.bytes.get_or_insert(bytes);
        self
    }
}

impl Error for ReadError {
    fn custom<T: Display>(message: T) -> Self {
        Self { message: message.to_string(), ..Self::default() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string() {
            number if number.starts_with(['u', 'i']) && number.len() <= 5 => {
                "a whole number".to_owned()
            }
            other => other,
        };
        Self::custom(format_args!("expected {expected}, found {found}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("unknown value `{variant}`")).with_help(nearest::suggest(
            variant,
            expected,
            "known values here:",
        ))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("unknown key `{field}`"))
            .with_help(nearest::suggest(field, expected, KEYS_HERE))
    }

    fn duplicate_field(field: &'static str) -> Self {
        let error = Self::custom(format_args!("`{field}` is set twice, under two names"));
        Self { key: Some(field), ..error.with_help("set one of the two") }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("the key `{field}` is missing here"))
    }
}

/// The keys of the struct that `read` deserializes.
pub fn keys_of<T>(read: impl FnOnce(Node<'_>) -> Result<T, ReadError>) -> &'static [&'static str] {
    let environment = Environment::Fixed(BTreeMap::new());
    let lookup = Lookup::new(&environment, Path::new(""), None);
    read(Node::of(&lookup)).err().map(|error| error.keys).unwrap_or_default()
}

/// A value of the file.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    value: Value<'a>,
    lookup: &'a Lookup<'a>,
    secrecy: Secrecy,
    /// Whether this is a table of which each reader takes the keys that it knows.
    is_shared: bool,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Root(&'a Spanned<DeTable<'a>>),
    Inner(&'a Spanned<DeValue<'a>>),
    Nothing,
}

/// What of a value an error may show.
#[derive(Clone, Copy)]
enum Secrecy {
    Public,
    /// A URL, if there are no credentials in it.
    Url,
    Secret,
}

impl<'a> Node<'a> {
    pub(crate) fn root(root: &'a Spanned<DeTable<'a>>, lookup: &'a Lookup<'a>) -> Self {
        Self { value: Value::Root(root), ..Self::of(lookup) }
    }

    fn of(lookup: &'a Lookup<'a>) -> Self {
        Self { value: Value::Nothing, lookup, secrecy: Secrecy::Public, is_shared: false }
    }

    fn inner(self, value: &'a Spanned<DeValue<'a>>) -> Self {
        let is_list = matches!(self.value, Value::Inner(list) if !list.get_ref().is_table());
        let secrecy = if is_list { self.secrecy } else { Secrecy::Public };
        Self { value: Value::Inner(value), secrecy, is_shared: false, ..self }
    }

    /// The same table for several readers: a struct that is read from it sees its own keys alone.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { is_shared: true, ..self }
    }

    /// Whether a table that needs a value which is missing is left out.
    #[must_use]
    pub fn is_lenient(self) -> bool {
        self.lookup.is_lenient()
    }

    /// Its bytes in the file.
    #[must_use]
    pub fn bytes(self) -> Range<usize> {
        match self.value {
            Value::Root(root) => root.span(),
            Value::Inner(value) => value.span(),
            Value::Nothing => 0..0,
        }
    }

    fn table(self) -> Option<&'a DeTable<'a>> {
        match self.value {
            Value::Root(root) => Some(root.get_ref()),
            Value::Inner(value) => value.get_ref().as_table(),
            Value::Nothing => None,
        }
    }

    fn string(self) -> Option<&'a str> {
        match self.value {
            Value::Inner(value) => value.get_ref().as_str(),
            Value::Root(_) | Value::Nothing => None,
        }
    }

    /// The value under a key, where this is a table that has it.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.table()?.get(key).map(|value| self.inner(value))
    }

    /// The keys of a table in the order in which they are written, with the bytes of each.
    pub fn keys(self) -> impl Iterator<Item = (&'a str, Range<usize>)> {
        let entries = self.table().map(|table| Table::new(self, table).rest);
        entries.into_iter().flatten().map(|(key, _)| (&**key.get_ref(), key.span()))
    }

    /// The elements of a list.
    ///
    /// # Errors
    /// It is no list.
    pub fn elements(self) -> Result<impl Iterator<Item = Self>, ReadError> {
        match self.value {
            Value::Inner(value) if value.get_ref().is_array() => {
                let list = value.get_ref().as_array().into_iter().flatten();
                Ok(list.map(move |element| self.inner(element)))
            }
            _ => Err(ReadError::new("expected a list of tables", self.bytes())),
        }
    }

    /// The text that this value refers to, if it refers to one: in a variable or in a file.
    fn referred_to(self) -> Result<Option<String>, ReadError> {
        let Some(text) = self.string() else { return Ok(None) };
        self.lookup.find(text).transpose().map_err(|missing| ReadError {
            message: missing.message,
            help: Some(missing.help),
            is_missing: true,
            ..ReadError::default()
        })
    }

    /// The text of a value that may be in a file, with the file as the config names it.
    fn with_file(self, name: &str) -> Result<(String, String), ReadError> {
        let written = self.string().and_then(|text| text.strip_prefix(template::FILE));
        let file = match written {
            Some(file) => file.trim().to_owned(),
            None if name == template::FILE_TEXT => String::deserialize(self)?,
            None => return String::deserialize(self).map(|text| (String::new(), text)),
        };
        self.note(Secrecy::Public);
        let text = self.lookup.text_of(&file, template::BYTES_MAX).map_err(|message| {
            ReadError::custom(message).with_help("the path is relative to the config file")
        })?;
        Ok((file, text))
    }

    /// Has errors show this value, or not.
    fn note(self, secrecy: Secrecy) {
        let is_public = match secrecy {
            Secrecy::Public => true,
            Secrecy::Url => self.string().is_some_and(endpoint_url::is_public),
            Secrecy::Secret => false,
        };
        self.lookup.note(self.bytes().start, is_public);
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if let Some(text) = self.referred_to()? {
            return visitor.visit_string(text);
        }
        let value = match self.value {
            Value::Root(root) => return visitor.visit_map(Table::new(self, root.get_ref())),
            Value::Inner(value) => value.get_ref(),
            Value::Nothing => return Err(ReadError::custom("there is no value here")),
        };
        if !value.is_table() && !value.is_array() {
            self.note(self.secrecy);
        }
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
        let secrecy = match name {
            secret_text::NAME => Secrecy::Secret,
            endpoint_url::NAME => Secrecy::Url,
            _ => self.secrecy,
        };
        visitor.visit_newtype_struct(Self { secrecy, ..self })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let read = self.with_file(name).and_then(|(file, text)| {
            visitor.visit_seq(SeqDeserializer::new([file, text].into_iter()))
        });
        read.map_err(|error| error.at(self.bytes()))
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
        let text = String::deserialize(self)?;
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
            None if matches!(self.value, Value::Nothing) => {
                Err(ReadError { keys, ..ReadError::default() })
            }
            Some(table) if self.is_shared => {
                let node = Self { is_shared: false, ..self };
                visitor.visit_map(Table::of_keys(node, table, keys))
            }
            _ => self.visit(visitor),
        };
        read.map_err(|error| {
            let key = error.key.and_then(|key| self.get(key));
            error.at(key.unwrap_or(self).bytes())
        })
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
        char str string bytes byte_buf unit unit_struct tuple map identifier
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
