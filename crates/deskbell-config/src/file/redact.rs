//! A file's text without its secrets.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::lookup::is_reference;

/// The text with every value replaced by `*`, byte for byte, that was read as a secret, and every
/// string that was not read at all: an error about a wrong key must not show what is under it.
pub(super) fn unread(
    text: &str,
    root: &Spanned<DeTable<'_>>,
    shown: &BTreeMap<usize, bool>,
) -> String {
    let mut bytes = text.as_bytes().to_vec();
    root.get_ref().values().for_each(|value| hide(&mut bytes, value, shown));
    // Only whole literals were replaced, by ASCII.
    String::from_utf8(bytes).unwrap_or_default()
}

fn hide(text: &mut [u8], value: &Spanned<DeValue<'_>>, shown: &BTreeMap<usize, bool>) {
    let is_shown = shown.get(&value.span().start).copied();
    match value.get_ref() {
        DeValue::Table(table) => table.values().for_each(|value| hide(text, value, shown)),
        DeValue::Array(list) => list.iter().for_each(|value| hide(text, value, shown)),
        DeValue::String(content) if is_reference(content) => {}
        other if is_shown.unwrap_or(!other.is_str()) => {}
        _ => text[value.span()].fill(b'*'),
    }
}

/// The text of a file that cannot be parsed, so that nothing is known of its values: its keys and its
/// structure.
pub(super) fn broken(text: &str) -> String {
    text.split_inclusive('\n').map(broken_line).collect()
}

fn broken_line(line: &str) -> String {
    if line.trim_start().starts_with('[') && !line.contains(['"', '\'', '=']) {
        return line.to_owned();
    }
    let (key, value) = line.split_at(line.find('=').unwrap_or(0));
    // The line may be of a longer string, and no key.
    let is_key = key.trim().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let (shown, hidden) = if is_key { (key, value) } else { ("", line) };
    let hide = |c: char| {
        let is_of_value = c.is_alphanumeric() || "+/_-:@.%".contains(c);
        std::iter::repeat_n(
            if is_of_value { '*' } else { c },
            if is_of_value { c.len_utf8() } else { 1 },
        )
    };
    shown.chars().chain(hidden.chars().flat_map(hide)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_that_is_not_toml_secrets_are_not_shown() {
        let text = "[server]\nlisten = \"127.0.0.1:0\nadmin_token = \"s3cret\"\nurl = \"postgres://u:s3cret@h/d\"\n\
                    signing_secrets = [\n  \"whsec_s3cret==\",\n]\nx = { secret = \"s3cret\" \ntext = \"whsec_s3cret\"\n";
        let shown = broken(text);
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.starts_with("[server]\nlisten = \"***"), "{shown}");
        assert_eq!(shown.len(), text.len());
    }
}
