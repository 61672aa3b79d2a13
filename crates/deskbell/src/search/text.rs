//! A text that is looked for in payloads, in any case.

/// What is looked for, as payloads may have it.
pub(super) struct Needle {
    /// In lower case: as it was given, and as JSON escapes it.
    forms: Vec<String>,
    is_ascii: bool,
}

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let escaped = serde_json::to_string(&text).unwrap_or_default();
        let escaped = escaped.trim_matches('"').to_owned();
        let is_ascii = text.is_ascii();
        let mut forms = vec![text];
        if escaped != forms[0] {
            forms.push(escaped);
        }
        Self { forms, is_ascii }
    }

    pub(super) fn is_in(&self, payload: &[u8]) -> bool {
        // Most texts are ASCII, and lower case of ASCII needs no decoding.
        if self.is_ascii {
            let lower = payload.to_ascii_lowercase();
            return self.forms.iter().any(|form| contains(&lower, form.as_bytes()));
        }
        let lower = String::from_utf8_lossy(payload).to_lowercase();
        self.forms.iter().any(|form| lower.contains(form))
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_any_case_and_as_json_writes_it() {
        let payload =
            r#"{"name":"Ada \"the Countess\" LOVELACE","city":"K\u00f6ln","at":"KÖLN"}"#.as_bytes();
        for found in ["lovelace", "Lovelace", "\"the countess\"", "köln", "ada", ""] {
            assert!(Needle::new(found).is_in(payload), "{found}");
        }
        for missing in ["babbage", "köln2", "ada2"] {
            assert!(!Needle::new(missing).is_in(payload), "{missing}");
        }
    }
}
