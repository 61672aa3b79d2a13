//! `silence_after`: when a silence is alerted about.

use deskbell_config::Duration;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StringDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const AUTO: &str = "auto";
const NEVER: &str = "never";

/// When a source that gets no events is alerted about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SilenceAfter {
    /// When its rhythm does not explain the silence, written `"auto"`.
    #[default]
    Auto,
    /// After this time.
    After(Duration),
    /// Written `"never"`.
    Never,
}

impl<'de> Deserialize<'de> for SilenceAfter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match &*text {
            AUTO => return Ok(Self::Auto),
            NEVER => return Ok(Self::Never),
            _ => {}
        }
        let duration: StringDeserializer<Error> = text.clone().into_deserializer();
        Duration::deserialize(duration).map(Self::After).map_err(|_| {
            de::Error::custom(format_args!(
                "expected `auto`, `never` or a duration such as 6h or 2d, found `{text}`"
            ))
        })
    }
}

impl Serialize for SilenceAfter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str(AUTO),
            Self::After(duration) => duration.serialize(serializer),
            Self::Never => serializer.serialize_str(NEVER),
        }
    }
}
