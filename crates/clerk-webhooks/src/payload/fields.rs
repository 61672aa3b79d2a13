//! How an entity is read: field by field, so that one that does not fit costs only itself.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The members of an object that no field took: those that we do not know, and those whose value does
/// not fit their field.
///
/// Reads like the [`Map`] that it holds. `Debug` shows the names and no values, since a value that
/// does not fit may be a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Extra(Map<String, Value>);

impl Extra {
    /// The members as a map.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl Deref for Extra {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Something with named fields that is read from an object.
pub(crate) trait Entity: Sized {
    fn from_fields(fields: Fields) -> Result<Self, NoId>;
}

/// The object has no `id` that is a text and not empty.
#[derive(Debug)]
pub(crate) struct NoId;

/// The members of an object that are still to be taken.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads an object. A member that no [`Value`] can hold (`1e400`, half a surrogate pair, more than
    /// 127 levels) is left out instead of failing the object.
    pub(crate) fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Self).or_else(|_| {
            let Members(members) = serde_json::from_str(json)?;
            let readable = |(name, raw): (String, Box<RawValue>)| {
                serde_json::from_str(raw.get()).ok().map(|value| (name, value))
            };
            Ok(Self(members.into_iter().filter_map(readable).collect()))
        })
    }

    /// The value of a member, if it is there and fits; `null` is none. What does not fit stays.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.0.get(name)?;
        let taken = if value.is_null() { None } else { Some(T::deserialize(value).ok()?) };
        self.0.remove(name);
        taken
    }

    pub(crate) fn take_id(&mut self, name: &str) -> Result<String, NoId> {
        self.take(name).filter(|id: &String| !id.is_empty()).ok_or(NoId)
    }

    /// Some of Clerk's objects write `""` for what they do not have.
    pub(crate) fn drop_empty_texts(&mut self) {
        self.0.retain(|_, value| value != "");
    }

    pub(crate) fn into_extra(self) -> Extra {
        Extra(self.0)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self)
    }
}

/// The members of an object, unread.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Box<RawValue>, _>()? {
                    let LossyText(name) =
                        serde_json::from_str(name.get()).map_err(A::Error::custom)?;
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// The bytes of half a surrogate pair.
const SURROGATE_BYTES: usize = 3;

/// A text of JSON that is known to be sound; half a surrogate pair becomes U+FFFD.
pub(crate) struct LossyText(pub(crate) String);

impl<'de> Deserialize<'de> for LossyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = LossyText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<LossyText, E> {
                Ok(LossyText(lossy(bytes)))
            }
        }
        deserializer.deserialize_bytes(TextVisitor)
    }
}

/// One U+FFFD for each half of a surrogate pair, which serde_json gives as three bytes.
fn lossy(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => {
                let (sound, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(sound));
                text.push(char::REPLACEMENT_CHARACTER);
                bytes = rest.get(SURROGATE_BYTES..).unwrap_or_default();
            }
        }
    }
}

pub(crate) fn read<'de, T: Entity, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::from_fields(Fields::deserialize(deserializer)?)
        .map_err(|NoId| D::Error::custom("the object has no `id`"))
}

/// Reads and writes a struct by the names of its fields: every field an `Option` but the one after the
/// colon, and `extra`. A field that is written otherwise in JSON has the names after it, first the one
/// to write.
macro_rules! entity {
    ($entity:ident $(: $id:ident)? $(, $prepare:ident)? {
        $($field:ident $(= $name:literal $(| $alias:literal)*)?),+ $(,)?
    }) => {
        impl $crate::payload::fields::Entity for $entity {
            fn from_fields(
                mut fields: $crate::payload::fields::Fields,
            ) -> Result<Self, $crate::payload::fields::NoId> {
                $(fields.$prepare();)?
                Ok(Self {
                    $($id: fields.take_id(stringify!($id))?,)?
                    $($field: $crate::payload::fields::take!(fields, $field $($name $($alias)*)?),)+
                    extra: fields.into_extra(),
                })
            }
        }

        #[cfg(feature = "catalog")]
        impl $crate::shape::Describe for $entity {
            fn shape() -> $crate::shape::Shape {
                $crate::shape::Shape::Object(|| {
                    use $crate::shape::{Shape, of_field};
                    let members: Vec<(&[&'static str], Shape)> = vec![
                        $((&[stringify!($id)], of_field(|entity: &$entity| &entity.$id)),)?
                        $((
                            $crate::payload::fields::names!($field $($name $($alias)*)?),
                            of_field(|entity: &$entity| &entity.$field),
                        ),)+
                    ];
                    let named = |(names, shape): (&[&'static str], Shape)| {
                        names.iter().map(|name| (*name, shape.clone())).collect::<Vec<_>>()
                    };
                    members.into_iter().flat_map(named).collect()
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $entity {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::payload::fields::read(deserializer)
            }
        }

        impl serde::Serialize for $entity {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                $(map.serialize_entry(stringify!($id), &self.$id)?;)?
                $(if let Some(value) = &self.$field {
                    map.serialize_entry($crate::payload::fields::name!($field $($name)?), value)?;
                })+
                for (name, value) in self.extra.iter() {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    };
}

macro_rules! take {
    ($fields:ident, $field:ident) => { $fields.take(stringify!($field)) };
    ($fields:ident, $field:ident $name:literal $($alias:literal)*) => {
        $fields.take($name)$(.or_else(|| $fields.take($alias)))*
    };
}

/// Every name that a field has in JSON.
#[cfg(feature = "catalog")]
macro_rules! names {
    ($field:ident) => {
        &[stringify!($field)]
    };
    ($field:ident $name:literal $($alias:literal)*) => {
        &[$name, $($alias),*]
    };
}

macro_rules! name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

#[cfg(feature = "catalog")]
pub(crate) use names;
pub(crate) use {entity, name, take};
