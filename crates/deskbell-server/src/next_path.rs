//! Where a browser goes once it is signed in: a path of ours, whatever the request says.

use std::borrow::Cow;

/// The page that one comes to if nothing else is asked for.
pub(crate) const START: &str = "/dashboard";
/// Bytes of a path; a longer one is the start page.
const BYTES_MAX: usize = 2_000;

/// This text if it is a path of this server; else the start page.
pub(crate) fn local_or_start(text: &str) -> &str {
    if is_local(text) { text } else { START }
}

/// Whether every browser reads this as a path of the same host: `//host`, `/\host` and what has a tab
/// or a line break in it are not.
fn is_local(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= BYTES_MAX
        && text.bytes().all(plain)
}

/// The sign-in page that leads to this path.
pub(crate) fn sign_in_for(path: &str) -> String {
    let bytes = local_or_start(path).as_bytes();
    let next: String = form_urlencoded::byte_serialize(bytes).map(Cow::Borrowed).collect();
    format!("/sign-in?next={next}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_server_is_gone_to() {
        for local in ["/", "/dashboard", "/dashboard/events?type=user.*&a=%2F", "/a//b", "/@x"] {
            assert_eq!(local_or_start(local), local);
        }
        let long = format!("/{}", "a".repeat(BYTES_MAX));
        for foreign in [
            "",
            "dashboard",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a\r\nb: c",
            "/ä",
            "/a b",
            " /a",
            long.as_str(),
        ] {
            assert_eq!(local_or_start(foreign), START, "{foreign:?}");
        }
        assert_eq!(sign_in_for("/dashboard?a=b&c"), "/sign-in?next=%2Fdashboard%3Fa%3Db%26c");
        assert_eq!(sign_in_for("//evil.example"), "/sign-in?next=%2Fdashboard");
    }
}
