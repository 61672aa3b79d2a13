//! Looking into JSON text without building a tree, so that every number survives as it was written.
//!
//! A [`Json`] is a piece of text that serde_json has found to be valid, so what follows splits and
//! does not check. Nothing recurses: depth costs nothing but time.

use std::borrow::Cow;

use clerk_webhooks::UnixMillis;
use deskbell_expr::json::{clean, end_of_value, is_space, skip_while, tree, unescape};
use serde_json::value::RawValue;

pub(crate) use deskbell_expr::json::{clean as clean_text, without_nul};

/// One valid JSON value, borrowed from the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Json<'a>(&'a str);

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(value: &'a RawValue) -> Self {
        Self(value.get().trim_ascii())
    }
}

impl<'a> Json<'a> {
    pub(crate) fn as_written(self) -> &'a str {
        self.0
    }

    /// The text, with what no database holds as U+FFFD; otherwise as it was written.
    pub(crate) fn cleaned(self) -> Cow<'a, str> {
        clean(self.0)
    }

    /// The value as a tree, as expressions see it.
    pub(crate) fn to_tree(self) -> serde_json::Value {
        tree(self.0)
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn is_empty_text(self) -> bool {
        self.0 == "\"\""
    }

    /// The members of an object; none of anything else.
    pub(crate) fn members(self) -> Members<'a> {
        Members(Parts::of(self.0, b'{'))
    }

    /// The elements of an array; none of anything else.
    pub(crate) fn elements(self) -> Elements<'a> {
        Elements(Parts::of(self.0, b'['))
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// The member of this name; the last one where it is repeated, as in JavaScript.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        self.members().filter(|(key, _)| key == name).last().map(|(_, value)| value)
    }

    /// A text, with a NUL or half a surrogate pair read as U+FFFD: neither fits every database.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        self.0.strip_prefix('"')?.strip_suffix('"').map(unescape)
    }

    /// A whole number, also where it was written as `5.0` or `5e0`.
    pub(crate) fn integer(self) -> Option<i64> {
        if let Ok(integer) = self.0.parse() {
            return Some(integer);
        }
        let float: f64 = self.0.parse().ok().filter(|_| self.is_number())?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        (float.fract() == 0.0 && float.abs() <= MAX_WHOLE_FLOAT).then_some(float as i64)
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A moment, in seconds, milliseconds or ISO-8601 text.
    pub(crate) fn time(self) -> Option<UnixMillis> {
        if let Ok(number) = self.0.parse() {
            return UnixMillis::from_clerk_number(number);
        }
        let scalar = self.is_number() || self.0.starts_with('"');
        scalar.then(|| serde_json::from_str(self.0).ok())?.as_ref().and_then(UnixMillis::from_json)
    }

    fn is_number(self) -> bool {
        self.0.starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }
}

/// Up to here an `f64` tells every whole number from its neighbours.
const MAX_WHOLE_FLOAT: f64 = 9_007_199_254_740_992.0;

pub(crate) struct Members<'a>(Parts<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.next_value()?;
        let value = self.0.next_value()?;
        Some((key.text()?, value))
    }
}

pub(crate) struct Elements<'a>(Parts<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_value()
    }
}

/// The values within an object or an array, keys among them, one after another.
struct Parts<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, opening: u8) -> Self {
        let opens = text.as_bytes().first() == Some(&opening);
        Self { text: if opens { text } else { "" }, at: 1 }
    }

    fn next_value(&mut self) -> Option<Json<'a>> {
        let bytes = self.text.as_bytes();
        self.at = skip_while(bytes, self.at, |byte| is_space(byte) || matches!(byte, b',' | b':'));
        let start = self.at;
        if matches!(bytes.get(start)?, b'}' | b']') {
            return None;
        }
        self.at = end_of_value(bytes, start);
        self.text.get(start..self.at).map(Json)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn json(text: &str) -> Json<'_> {
        serde_json::from_str::<&RawValue>(text).unwrap().into()
    }

    #[test]
    fn members_are_split_whatever_the_space_between() {
        let object = json("{ \"a\" : 1 ,\n\"b\":[1,{\"c\":\"}\"}], \"d\":\"\\\"]\" }");
        let members: Vec<_> =
            object.members().map(|(key, value)| (key.into_owned(), value.as_written())).collect();
        assert_eq!(
            members,
            [
                ("a".to_owned(), "1"),
                ("b".to_owned(), "[1,{\"c\":\"}\"}]"),
                ("d".to_owned(), "\"\\\"]\"")
            ]
        );
    }

    #[test]
    fn the_last_of_repeated_members_counts_however_its_name_is_written() {
        assert_eq!(json(r#"{"a":1,"\u0061":2}"#).member("a").unwrap().integer(), Some(2));
    }

    #[test]
    fn other_kinds_of_value_have_no_members_and_no_elements() {
        for text in ["null", "1", "\"{\"", "[]", "{}", "true"] {
            assert_eq!(json(text).members().count(), 0, "{text}");
            assert_eq!(json(text).elements().count(), 0, "{text}");
        }
        assert_eq!(json("[1]").members().count(), 0);
        assert_eq!(json(r#"{"a":1}"#).elements().count(), 0);
    }

    #[test]
    fn whole_numbers_are_integers_however_they_are_written() {
        for (text, integer) in [
            ("5", Some(5)),
            ("-5", Some(-5)),
            ("5.0", Some(5)),
            ("5e2", Some(500)),
            ("5.5", None),
            ("1e300", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("\"5\"", None),
            ("true", None),
            ("null", None),
        ] {
            assert_eq!(json(text).integer(), integer, "{text}");
        }
    }

    #[test]
    fn times_come_in_three_forms() {
        for text in ["1654012591835", "1654012591835.0", "\"2022-05-31T15:56:31.835Z\""] {
            assert_eq!(json(text).time().unwrap().as_millis(), 1_654_012_591_835, "{text}");
        }
        assert_eq!(json("1654012591").time().unwrap().as_millis(), 1_654_012_591_000);
        for text in ["null", "true", "\"soon\"", "{}", "1e300", r#""\ud800""#] {
            assert_eq!(json(text).time(), None, "{text}");
        }
    }

    #[test]
    fn depth_is_no_trouble() {
        let text =
            format!("{{\"deep\":{}{},\"id\":\"x\"}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Json(&text).member("id").unwrap().text().as_deref(), Some("x"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(value in any_json(), pretty: bool) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let json = json(&text);
            for (key, member) in json.members() {
                let expected = value.as_object().unwrap().iter().find(|(name, _)| without_nul(name) == key);
                let parsed: Value = serde_json::from_str(member.as_written()).unwrap();
                prop_assert!(expected.is_some());
                if value.as_object().unwrap().keys().all(|key| !key.contains(['\0', '\u{fffd}'])) {
                    prop_assert_eq!(&parsed, expected.unwrap().1);
                }
            }
            prop_assert_eq!(json.members().count(), value.as_object().map_or(0, serde_json::Map::len));
            let elements: Vec<Value> =
                json.elements().map(|e| serde_json::from_str(e.as_written()).unwrap()).collect();
            prop_assert_eq!(elements, value.as_array().cloned().unwrap_or_default());
            prop_assert_eq!(
                json.text().map(Cow::into_owned),
                value.as_str().map(|text| without_nul(text).into_owned())
            );
        }
    }
}
