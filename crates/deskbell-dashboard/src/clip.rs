//! Long text from data, in places that have room for a line or two.

/// The first `chars_max` characters of a text.
pub(crate) fn clip(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!([clip("üüü", 2), clip("üü", 2), clip("", 0)], ["üü…", "üü", ""]);
    }
}
