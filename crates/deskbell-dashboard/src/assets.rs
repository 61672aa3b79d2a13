//! Styles and scripts: in the binary, compressed once, and named by their content in pages.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::compress::{accepts_gzip, gzip};

/// A page names each file by its content, so that a copy never grows old.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Under the name of another content, such as that of another version's page.
const CHECKED: &str = "no-cache";

pub(crate) const STYLE: &str = "style.css";
pub(crate) const SCRIPTS: &[&str] = &["htmx.js", "sse.js", "app.js"];
pub(crate) const ICON: &str = "icon.svg";

struct Asset {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
    gzipped: Vec<u8>,
    version: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    const JS: &str = "text/javascript; charset=utf-8";
    vec![
        asset(STYLE, "text/css; charset=utf-8", include_str!("../assets/style.css")),
        asset("app.js", JS, include_str!("../assets/app.js")),
        asset("htmx.js", JS, include_str!("../vendor/htmx-2.0.11.min.js")),
        asset("sse.js", JS, include_str!("../vendor/htmx-ext-sse-2.2.4.min.js")),
        asset(ICON, "image/svg+xml", include_str!("../assets/icon.svg")),
    ]
});

fn asset(name: &'static str, media_type: &'static str, text: &'static str) -> Asset {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let version = format!("{:016x}", hasher.finish());
    Asset { name, media_type, text, gzipped: gzip(text.as_bytes(), Compression::best()), version }
}

/// The address of an asset, which changes with its content.
pub(crate) fn url(name: &str) -> String {
    let version = find(name).map_or("", |asset| asset.version.as_str());
    format!("/dashboard/assets/{name}?v={version}")
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

pub(crate) async fn serve(
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = find(&file) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", asset.version);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else if accepts_gzip(&headers) {
        let mut response = Response::new(Body::from(asset.gzipped.as_slice()));
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    } else {
        Response::new(Body::from(asset.text))
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    let is_named = query.is_some_and(|query| query == format!("v={}", asset.version));
    let kept = if is_named { FOREVER } else { CHECKED };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of all assets together, over the wire: what is left of 100 KB is for the page.
    const WIRE_BYTES_MAX: usize = 40_000;

    #[test]
    fn all_assets_together_are_small() {
        let bytes: usize = ASSETS.iter().map(|asset| asset.gzipped.len()).sum();
        assert!(bytes < WIRE_BYTES_MAX, "{bytes} bytes");
    }

    #[test]
    fn no_asset_of_ours_refers_to_another_host() {
        for asset in ASSETS.iter().filter(|asset| !["htmx.js", "sse.js"].contains(&asset.name)) {
            let text = asset.text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http:") && !text.contains("https:"), "{}", asset.name);
            assert!(!text.contains("@import") && !text.contains("url(\"//"), "{}", asset.name);
        }
    }
}
