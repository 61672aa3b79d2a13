//! Addresses of pages. What comes from data is one segment, or one value.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

pub(crate) const DESTINATIONS: &str = "/dashboard/destinations";
/// What stays as it is in a segment.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'@');

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

pub(crate) fn event(source: &str, message_id: &str) -> String {
    format!("/dashboard/events/{}/{}", segment(source), segment(message_id))
}

pub(crate) fn subject(id: &str) -> String {
    format!("/dashboard/subjects/{}", segment(id))
}

pub(crate) fn destination(name: &str) -> String {
    format!("/dashboard/destinations/{}", segment(name))
}

pub(crate) fn mirror(name: &str) -> String {
    format!("/dashboard/mirrors/{}", segment(name))
}

/// The dead letters of a destination.
pub(crate) fn dead_letters(destination: &str) -> String {
    with_query("/dashboard/dead-letters", [("destination", destination)])
}

pub(crate) fn catalog_type(event_type: &str) -> String {
    format!("/dashboard/catalog/{}", segment(event_type))
}

pub(crate) fn replay(id: i64) -> String {
    format!("/dashboard/replays/{id}")
}

/// A path with a query of these names and values.
pub(crate) fn with_query<'a>(
    path: &str,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_stays_in_its_segment() {
        assert_eq!(event("a/b", "m?x#y%"), "/dashboard/events/a%2Fb/m%3Fx%23y%25");
        assert_eq!(subject("\"><script>"), "/dashboard/subjects/%22%3E%3Cscript%3E");
        assert_eq!(with_query("/p", [("a", "x&b=1"), ("c", "ü")]), "/p?a=x%26b%3D1&c=%C3%BC");
        assert_eq!(with_query("/p", []), "/p");
    }
}
