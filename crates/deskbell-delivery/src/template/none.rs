//! Comparisons with `none`, which would go wrong without a word.

use super::tags;

/// The line of the first `== none` or `!= none` inside a tag: in this language what is missing is
/// undefined, and undefined is not equal to `none`.
pub(super) fn line_of_comparison(text: &str) -> Option<usize> {
    tags::line_of(text, compares)
}

fn compares(tag: &str) -> bool {
    let after = tag.match_indices("==").chain(tag.match_indices("!="));
    after.into_iter().any(|(at, operator)| {
        let word = tag[at + operator.len()..].trim_start();
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
        matches!(&word[..end], "none" | "None")
    })
}
