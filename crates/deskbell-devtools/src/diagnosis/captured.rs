//! A request as it was captured.

use http::{HeaderMap, HeaderName, HeaderValue};

/// A request as it was captured. Names of headers are as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body was captured as parsed JSON, so that its text is lost.
    pub is_parsed: bool,
}

impl Captured {
    /// The first value of a header, whose name is in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }

    pub(super) fn message_id(&self) -> Option<String> {
        let found = self.header("svix-id").or_else(|| self.header("webhook-id"));
        found.map(str::to_owned)
    }

    pub(super) fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            // What no server would have let through has no part in this.
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                map.append(name, value);
            }
        }
        map
    }
}
