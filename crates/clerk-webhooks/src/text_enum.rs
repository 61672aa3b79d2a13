//! `text_enum!`: an open set of texts as an enum, with a place for those that are not known yet.

/// Gives an enum with a variant `Unknown(String)` its texts: `as_str`, `From<&str>`, `Display` and serde.
macro_rules! text_enum {
    ($name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $name {
            /// Every text that is known, in the order of the variants.
            pub const KNOWN: &'static [&'static str] = &[$($text),+];

            /// The text as Clerk writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }
        }

        #[cfg(feature = "catalog")]
        impl $crate::shape::Describe for $name {
            fn shape() -> $crate::shape::Shape {
                $crate::shape::Shape::Text
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Unknown(text.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<'de, str>::deserialize(deserializer).map(|text| Self::from(&*text))
            }
        }
    };
}

pub(crate) use text_enum;
