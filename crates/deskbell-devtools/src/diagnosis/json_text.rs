//! JSON written in other ways, member by member as it stands: numbers and order are kept.

use serde_json::Value;

/// White space between the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// None, as `JSON.stringify` and Clerk have it.
    Compact,
    /// After each comma and colon, as Python has it.
    Spaced,
    /// A line a member, indented by so many spaces.
    Indented(usize),
}

/// Which characters of strings are escaped beside those that must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// None, as `JSON.stringify` has it.
    Least,
    /// `&`, `<`, `>`, U+2028 and U+2029, as Go has it.
    Html,
    /// All that is not ASCII, as Python has it.
    Ascii,
    /// Both.
    HtmlAscii,
    /// `/`, and all that is not ASCII, as PHP has it.
    Slash,
}

impl Spacing {
    pub(super) const ALL: [Self; 5] =
        [Self::Compact, Self::Spaced, Self::Indented(2), Self::Indented(4), Self::Indented(3)];
}

impl Escapes {
    pub(super) const ALL: [Self; 5] =
        [Self::Least, Self::Html, Self::Ascii, Self::HtmlAscii, Self::Slash];

    fn write(self, text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '/' if self == Self::Slash => out.push_str("\\/"),
                other if (other as u32) < 0x20 || self.takes(other) => {
                    let mut units = [0; 2];
                    for unit in other.encode_utf16(&mut units) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                other => out.push(other),
            }
        }
        out.push('"');
    }

    fn takes(self, character: char) -> bool {
        let is_html = matches!(character, '&' | '<' | '>' | '\u{2028}' | '\u{2029}');
        match self {
            Self::Least => false,
            Self::Html => is_html,
            Self::Ascii | Self::Slash => !character.is_ascii(),
            Self::HtmlAscii => is_html || !character.is_ascii(),
        }
    }
}

/// The text in another form; `None` where it is not JSON.
pub(crate) fn rewrite(text: &str, spacing: Spacing, escapes: Escapes) -> Option<String> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len());
    let (mut depth, mut rest) = (0_usize, text.trim());
    while let Some(next) = rest.chars().next() {
        match next {
            '"' => {
                let length = string_length(rest)?;
                let string: String = serde_json::from_str(rest.get(..length)?).ok()?;
                escapes.write(&string, &mut out);
                rest = rest.get(length..)?;
                continue;
            }
            '{' | '[' => {
                out.push(next);
                rest = rest.get(1..)?.trim_start();
                if rest.starts_with(['}', ']']) {
                    out.push_str(rest.get(..1)?);
                    rest = rest.get(1..)?;
                } else {
                    depth += 1;
                    line(spacing, depth, &mut out);
                }
                continue;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(spacing, depth, &mut out);
                out.push(next);
            }
            ',' => {
                out.push(',');
                match spacing {
                    Spacing::Spaced => out.push(' '),
                    _ => line(spacing, depth, &mut out),
                }
            }
            ':' => out.push_str(if spacing == Spacing::Compact { ":" } else { ": " }),
            space if space.is_ascii_whitespace() => {}
            other => out.push(other),
        }
        rest = rest.get(next.len_utf8()..)?;
    }
    Some(out)
}

/// The text with the members of every object in the order of their names; `None` where it is not JSON.
pub(super) fn sorted(text: &str) -> Option<String> {
    // A map is ordered by its keys.
    serde_json::from_str::<Value>(text).ok().map(|value| value.to_string())
}

fn line(spacing: Spacing, depth: usize, out: &mut String) {
    if let Spacing::Indented(spaces) = spacing {
        out.push('\n');
        out.push_str(&" ".repeat(spaces * depth));
    }
}

/// Bytes of the string that the text begins with, with its quotes.
fn string_length(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"b\": [1.50, {}, [ ] ],\n \"a\":\"x & \\u00e9 \\\"/\\u2028\"}";

    #[test]
    fn it_is_written_in_each_form() {
        for (spacing, escapes, expected) in [
            (
                Spacing::Compact,
                Escapes::Least,
                "{\"b\":[1.50,{},[]],\"a\":\"x & é \\\"/\u{2028}\"}",
            ),
            (
                Spacing::Compact,
                Escapes::Html,
                "{\"b\":[1.50,{},[]],\"a\":\"x \\u0026 é \\\"/\\u2028\"}",
            ),
            (
                Spacing::Spaced,
                Escapes::Ascii,
                "{\"b\": [1.50, {}, []], \"a\": \"x & \\u00e9 \\\"/\\u2028\"}",
            ),
            (
                Spacing::Indented(2),
                Escapes::Slash,
                "{\n  \"b\": [\n    1.50,\n    {},\n    []\n  ],\n  \"a\": \"x & \\u00e9 \
                 \\\"\\/\\u2028\"\n}",
            ),
        ] {
            assert_eq!(rewrite(TEXT, spacing, escapes).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_json_is_left_alone() {
        for text in ["", "{", "{\"a\":}", "no"] {
            assert_eq!(rewrite(text, Spacing::Compact, Escapes::Least), None, "{text}");
        }
    }

    #[test]
    fn members_are_sorted_at_every_depth() {
        let text = r#"{"b":{"d":1,"c":2},"a":3}"#;
        assert_eq!(sorted(text).as_deref(), Some(r#"{"a":3,"b":{"c":2,"d":1}}"#));
    }
}
