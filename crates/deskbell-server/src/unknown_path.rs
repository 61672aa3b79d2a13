//! Requests to paths that are nobody's: a POST there is most likely an endpoint's URL with a slash
//! or a letter wrong.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::Method;

use crate::metrics;
use crate::once_a_minute::OnceAMinute;
use crate::replies;

/// Characters of a stranger's path that the log shows, and that are compared; the rest is cut off.
const PATH_CHARS_MAX: usize = 200;
/// How like a path must be to one of a source to be taken for it, of 1.0 for equal ones.
const LIKENESS_MIN: f64 = 0.7;

/// The paths of all sources, and what is said of the others.
#[derive(Debug)]
pub(crate) struct UnknownPaths {
    paths: Vec<String>,
    line: OnceAMinute,
}

impl UnknownPaths {
    pub(crate) fn new(paths: Vec<String>) -> Self {
        metrics::describe_server();
        Self { paths, line: OnceAMinute::new() }
    }

    fn note(&self, path: &str) {
        metrics::unknown_path();
        let path: String = path.chars().take(PATH_CHARS_MAX).collect();
        let Some(refused) = self.line.count() else {
            tracing::debug!(?path, "rejected a POST to an unknown path");
            return;
        };
        match self.nearest(&path) {
            Some(nearest) => tracing::warn!(
                ?path,
                refused,
                "rejected POSTs to an unknown path; the nearest configured path is \
                 {nearest}: write the endpoint's URL in Clerk's dashboard with it"
            ),
            None => tracing::warn!(
                ?path,
                refused,
                "rejected POSTs to an unknown path; the configured paths are {}",
                self.paths.join(", ")
            ),
        }
    }

    /// The path that was most likely meant.
    fn nearest(&self, path: &str) -> Option<&str> {
        let plain = |path: &str| path.trim_end_matches('/').to_lowercase();
        let path = plain(path);
        let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&path, &plain(known));
        let likest = self.paths.iter().map(|known| (likeness(known), known));
        let likest = likest.max_by(|(one, _), (other, _)| one.total_cmp(other));
        likest.filter(|(likeness, _)| *likeness >= LIKENESS_MIN).map(|(_, known)| known.as_str())
    }
}

pub(crate) async fn refuse(State(unknown): State<Arc<UnknownPaths>>, request: Request) -> Response {
    if request.method() == Method::POST {
        unknown.note(request.uri().path());
    }
    replies::not_found()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_or_a_letter_too_many_is_seen_through() {
        let paths = ["/api/webhooks", "/api/webhooks/clerk", "/staging"];
        let unknown = UnknownPaths::new(paths.map(str::to_owned).to_vec());
        for (asked, nearest) in [
            ("/api/webhooks/", Some("/api/webhooks")),
            ("/API/Webhooks", Some("/api/webhooks")),
            ("/api/webhook", Some("/api/webhooks")),
            ("/api//webhooks/clerk", Some("/api/webhooks/clerk")),
            ("/stagin", Some("/staging")),
            ("/wp-login.php", None),
            ("/", None),
        ] {
            assert_eq!(unknown.nearest(asked), nearest, "{asked}");
        }
        assert_eq!(unknown.nearest(&"/a".repeat(PATH_CHARS_MAX)), None);
    }
}
