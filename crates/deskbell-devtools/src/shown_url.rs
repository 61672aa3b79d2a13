//! URLs as they are shown.

use url::Url;

/// The URL without the name and the password that it may have.
#[must_use]
pub fn without_password(url: &Url) -> String {
    let mut shown = url.clone();
    // Neither can fail for a URL with a host.
    let _ = shown.set_password(None);
    let _ = shown.set_username("");
    shown.to_string()
}
